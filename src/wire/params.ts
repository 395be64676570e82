import { decodeGob } from './gob/decode.ts'
import {
  BYTES,
  encodeBytes,
  encodeGob,
  encodeGobText,
  encodeList,
  encodeMap,
  encodeStruct,
  encodeTextInside,
  INTERFACE,
  STRING,
  type TypeDefinition,
} from './gob/encode.ts'
import {
  describeValue,
  type GobStruct,
  type GobValue,
  isInterface,
  isList,
  isMap,
  isStruct,
} from './gob/value.ts'
import { DecodeError } from './packet.ts'

// These functions read undefined as the zero value, because Go does not send zero values.

function expectStruct(value: GobValue | undefined, field: string): GobStruct {
  if (isStruct(value)) return value
  throw new DecodeError(field, `expected struct, found ${describeValue(value)}`)
}

/** `key` is the key of an element of `field`. @throws DecodeError */
function expectText(value: GobValue | undefined, field: string, key?: string): string {
  if (value === undefined || typeof value === 'string') return value ?? ''
  throw new DecodeError(placeOf(field, key), `expected string, found ${describeValue(value)}`)
}

/** Returns undefined for an absent or empty value. @throws DecodeError */
function expectBytes(value: GobValue | undefined, field: string): Buffer | undefined {
  if (value === undefined) return undefined
  if (Buffer.isBuffer(value)) return value.length === 0 ? undefined : value
  throw new DecodeError(field, `expected bytes, found ${describeValue(value)}`)
}

/** @throws DecodeError */
function expectTextList(value: GobValue | undefined, field: string): string[] {
  if (value === undefined) return []
  if (isList(value)) return value.map((element, index) => expectText(element, `${field}[${index}]`))
  throw new DecodeError(field, `expected list of strings, found ${describeValue(value)}`)
}

/**
 * `expectElement` checks an element. It gets the field and the key (a variable's name), and names both in its
 * error.
 * @throws DecodeError
 */
function expectTextMap(
  value: GobValue | undefined,
  field: string,
  expectElement: (element: GobValue, field: string, key: string) => string,
): Map<string, string> {
  if (value === undefined) return new Map()
  if (!isMap(value)) throw new DecodeError(field, `expected map, found ${describeValue(value)}`)
  const texts = new Map<string, string>()
  const keys = `${field} key`
  for (const [key, element] of value) {
    const name = expectText(key, keys)
    texts.set(name, expectElement(element, field, name))
  }
  return texts
}

/**
 * Returns a plain string, or the string inside a Go `any`.
 * @throws DecodeError that names the Go type of another value
 */
function expectTextInside(value: GobValue, field: string, key: string): string {
  if (!isInterface(value)) return expectText(value, field, key)
  if (value.goType === 'string') return expectText(value.value, field, key)
  throw new DecodeError(placeOf(field, key), `expected string, found ${describeValue(value)}`)
}

function placeOf(field: string, key: string | undefined): string {
  return key === undefined ? field : `${field}[${quoted(key)}]`
}

// Longer names are cut: errors go into log lines and the closing texts of sessions.
const MAX_QUOTED_CHARACTERS = 200

function quoted(name: string): string {
  const cut = name.length > MAX_QUOTED_CHARACTERS
  return JSON.stringify(cut ? `${name.slice(0, MAX_QUOTED_CHARACTERS)}...` : name)
}

// Go numbers types per process, from 64 on. test/fixtures/vectors has these numbers, so that tests can
// compare our encoding with Go's byte for byte.
const PARAMS_ID = 64
const ENV_VARS = 65
const STRINGS = 66
const ANALYZER = 67
const STRING_TO_STRING = 75

const STRINGS_TYPE = { kind: 'slice', id: STRINGS, name: '[]string', element: STRING } as const

const ENV_VARS_TYPE = {
  kind: 'map',
  id: ENV_VARS,
  name: 'map[string]interface {}',
  key: STRING,
  element: INTERFACE,
} as const

/** Go's AISessionAnalyzerParams, in order. */
const ANALYZER_FIELDS = {
  RuleName: STRING,
  Provider: STRING,
  APIURL: STRING,
  APIKey: STRING,
  Model: STRING,
  CustomPrompt: STRING,
  LowRiskAction: STRING,
  MediumRiskAction: STRING,
  HighRiskAction: STRING,
} as const

/** Definitions for `agent.connection_params`, in Go's order. `fields` are in order, too. */
function paramsLayout(
  fields: Readonly<Record<string, number>>,
): readonly [TypeDefinition, ...TypeDefinition[]] {
  return [
    { kind: 'struct', id: PARAMS_ID, name: 'AgentConnectionParams', fields },
    ENV_VARS_TYPE,
    STRINGS_TYPE,
    { kind: 'struct', id: ANALYZER, name: 'AISessionAnalyzerParams', fields: ANALYZER_FIELDS },
  ]
}

/** The layout of a `[]string`, for `terminal.args`. */
const STRING_LIST_LAYOUT: readonly [TypeDefinition] = [STRINGS_TYPE]

/** The layout of a `map[string]string`, for `terminal.envvars`. Go sends this type without a name. */
const STRING_MAP_LAYOUT: readonly [TypeDefinition] = [
  { kind: 'map', id: STRING_TO_STRING, name: '', key: STRING, element: STRING },
]

/**
 * Reads and writes one field. `write` returns undefined for a zero value, which is left out of the struct.
 */
interface Codec<T> {
  readonly type: number
  /** @throws DecodeError that names the place */
  read(value: GobValue | undefined, place: string): T
  write(value: T): Buffer | undefined
}

const text: Codec<string> = {
  type: STRING,
  read: expectText,
  write: (value) => (value === '' ? undefined : encodeGobText(value)),
}
const texts: Codec<readonly string[]> = {
  type: STRINGS,
  read: expectTextList,
  write: (values) => (values.length === 0 ? undefined : encodeList(values.map(encodeGobText))),
}
/** JSON text as bytes, or undefined when it is absent or empty. */
const json: Codec<Buffer | undefined> = {
  type: BYTES,
  read: expectBytes,
  write: (bytes) => (bytes === undefined || bytes.length === 0 ? undefined : encodeBytes(bytes)),
}
/** This map is never left out, because the gateway sends it even when it is empty. */
const secrets: Codec<ReadonlyMap<string, string>> = {
  type: ENV_VARS,
  read: (value, place) => expectTextMap(value, place, expectTextInside),
  write: (values) => textMap(values, encodeTextInside),
}
/**
 * The analyzer's fields that were sent, by their Go name (`RuleName`, `APIKey`, ...). Undefined without an
 * analyzer.
 */
const analyzer: Codec<ReadonlyMap<string, string> | undefined> = {
  type: ANALYZER,
  read: readAnalyzer,
  write: (values) =>
    values && encodeStruct(Object.keys(ANALYZER_FIELDS).map((name) => text.write(values.get(name) ?? ''))),
}

/** Go's AgentConnectionParams, in order (protocol.md 3.2). */
const FIELDS = {
  connectionName: ['ConnectionName', text],
  /** The collapsed type, such as `command-line`. */
  connectionType: ['ConnectionType', text],
  connectionSubType: ['ConnectionSubType', text],
  userId: ['UserID', text],
  userEmail: ['UserEmail', text],
  /** The connection's secrets: `envvar:NAME` or `filesystem:NAME` with the value in base64. */
  envVars: ['EnvVars', secrets],
  cmdList: ['CmdList', texts],
  clientArgs: ['ClientArgs', texts],
  clientVerb: ['ClientVerb', text],
  clientOrigin: ['ClientOrigin', text],
  dlpProvider: ['DlpProvider', text],
  dlpMode: ['DlpMode', text],
  dlpInfoTypes: ['DLPInfoTypes', texts],
  dlpGcpRawCredentialsJson: ['DlpGcpRawCredentialsJSON', text],
  dlpPresidioAnalyzerUrl: ['DlpPresidioAnalyzerURL', text],
  dlpPresidioAnonymizerUrl: ['DlpPresidioAnonymizerURL', text],
  dataMaskingEntityTypesData: ['DataMaskingEntityTypesData', json],
  guardRailRules: ['GuardRailRules', json],
  analyzerMetricsRules: ['AnalyzerMetricsRules', json],
  aiSessionAnalyzer: ['AISessionAnalyzer', analyzer],
} as const

type Fields = typeof FIELDS

/** Go's AgentConnectionParams, with one field of our own. */
export type ConnectionParams = {
  readonly [Name in keyof Fields]: ReturnType<Fields[Name][1]['read']>
} & {
  /** Names of the connection's variables that are no secrets. Only the embedded gateway sends them. */
  readonly plainEnvVars?: readonly string[]
}

/** A connection without masking, guardrails and analyzer. */
export const WITHOUT_PROTECTION = {
  dlpProvider: '',
  dlpMode: '',
  dlpInfoTypes: [],
  dlpGcpRawCredentialsJson: '',
  dlpPresidioAnalyzerUrl: '',
  dlpPresidioAnonymizerUrl: '',
  dataMaskingEntityTypesData: undefined,
  guardRailRules: undefined,
  analyzerMetricsRules: undefined,
  aiSessionAnalyzer: undefined,
} as const satisfies Partial<ConnectionParams>

const PARAMS = 'agent.connection_params'
/**
 * Our own field, after Go's fields. It is not a spec key, because a client can add spec keys to its open
 * packet.
 */
const PLAIN_ENV_VARS = 'PlainEnvVars'
const GO_FIELDS = Object.fromEntries(Object.values(FIELDS).map(([name, { type }]) => [name, type]))
const LAYOUT = paramsLayout(GO_FIELDS)
const LAYOUT_WITH_PLAIN = paramsLayout({ ...GO_FIELDS, [PLAIN_ENV_VARS]: texts.type })
/** `place` names the field in errors. */
const PLACES = Object.entries(FIELDS).map(([name, [goName, codec]]) => {
  return { name, goName, codec, place: `${PARAMS}.${goName}` }
})

/**
 * Finds fields by name. A field that is missing (from an older gateway) has its zero value. Unknown fields
 * are ignored.
 * @throws DecodeError that names the field and, for a secret, its key
 */
export function decodeParams(bytes: Uint8Array): ConnectionParams {
  const { fields } = expectStruct(decodeGob(bytes, PARAMS), PARAMS)
  const params: Record<string, unknown> = {}
  for (const { name, goName, codec, place } of PLACES) params[name] = codec.read(fields.get(goName), place)
  const plain = texts.read(fields.get(PLAIN_ENV_VARS), `${PARAMS}.${PLAIN_ENV_VARS}`)
  if (plain.length > 0) params['plainEnvVars'] = plain
  return params as ConnectionParams
}

/** Writes the bytes as Go would. Leaves out our own field when it is empty. The secrets keep their order. */
export function encodeParams(params: ConnectionParams): Buffer {
  const names = Object.keys(FIELDS) as (keyof Fields)[]
  const codecOf = (name: keyof Fields): Codec<unknown> => FIELDS[name][1]
  const values = names.map((name) => codecOf(name).write(params[name]))
  const plain = texts.write(params.plainEnvVars ?? [])
  if (plain === undefined) return encodeGob(LAYOUT, encodeStruct(values))
  return encodeGob(LAYOUT_WITH_PLAIN, encodeStruct([...values, plain]))
}

function readAnalyzer(value: GobValue | undefined, place: string): ReadonlyMap<string, string> | undefined {
  if (value === undefined) return undefined
  const { fields } = expectStruct(value, place)
  const known = Object.keys(ANALYZER_FIELDS).filter((name) => fields.has(name))
  return new Map(known.map((name) => [name, expectText(fields.get(name), `${place}.${name}`)]))
}

/** Reads a `[]string` such as `terminal.args`. Errors name `field`. */
export function decodeStringList(bytes: Uint8Array, field: string): string[] {
  return expectTextList(decodeGob(bytes, field), field)
}

export function encodeStringList(values: readonly string[]): Buffer {
  return encodeGob(STRING_LIST_LAYOUT, encodeList(values.map(encodeGobText)))
}

/** Reads a `map[string]string` such as `terminal.envvars`. Errors name `field`. */
export function decodeStringMap(bytes: Uint8Array, field: string): Map<string, string> {
  return expectTextMap(decodeGob(bytes, field), field, expectText)
}

/** Keeps the order of the entries. */
export function encodeStringMap(values: ReadonlyMap<string, string>): Buffer {
  return encodeGob(STRING_MAP_LAYOUT, textMap(values, encodeGobText))
}

function textMap(values: ReadonlyMap<string, string>, encodeElement: (text: string) => Buffer): Buffer {
  return encodeMap([...values].map(([key, value]) => [encodeGobText(key), encodeElement(value)]))
}
