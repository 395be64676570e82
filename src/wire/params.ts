import { decodeGob } from './gob/decode.ts'
import {
  encodeBytes,
  encodeGob,
  encodeList,
  encodeMap,
  encodeStruct,
  encodeGobText,
  encodeTextInside,
} from './gob/encode.ts'
import {
  expectBytes,
  expectStruct,
  expectText,
  expectTextInside,
  expectTextList,
  expectTextMap,
} from './gob/expect.ts'
import {
  ANALYZER_FIELDS,
  PARAMS_FIELDS,
  PARAMS_LAYOUT,
  STRING_LIST_LAYOUT,
  STRING_MAP_LAYOUT,
} from './gob/layouts.ts'
import type { GobStruct, GobValue } from './gob/value.ts'

/** What a session is to run, for whom and with what: Go's AgentConnectionParams (protocol.md 3.2). */
export interface ConnectionParams {
  readonly connectionName: string
  /** The collapsed type, such as `command-line`. */
  readonly connectionType: string
  readonly connectionSubType: string
  readonly userId: string
  readonly userEmail: string
  /** Secrets of the connection: key `envvar:NAME` or `filesystem:NAME`, value base64 text. */
  readonly envVars: ReadonlyMap<string, string>
  readonly cmdList: readonly string[]
  readonly clientArgs: readonly string[]
  readonly clientVerb: string
  readonly clientOrigin: string
  readonly dlpProvider: string
  readonly dlpMode: string
  readonly dlpInfoTypes: readonly string[]
  readonly dlpGcpRawCredentialsJson: string
  readonly dlpPresidioAnalyzerUrl: string
  readonly dlpPresidioAnonymizerUrl: string
  /** JSON text as bytes, undefined when absent or empty. The two below are the same. */
  readonly dataMaskingEntityTypesData: Buffer | undefined
  readonly guardRailRules: Buffer | undefined
  readonly analyzerMetricsRules: Buffer | undefined
  /** Go field name (`RuleName`, `APIKey`, ...) to value, those that are set; undefined when there is no analyzer. */
  readonly aiSessionAnalyzer: ReadonlyMap<string, string> | undefined
}

/** What a connection has that asks for no masking, no guardrails and no analyzer. */
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

type ParamsField = keyof typeof PARAMS_FIELDS

const PARAMS = 'agent.connection_params'

/**
 * Reads the spec value `agent.connection_params`. Fields are found by name: missing ones (from an older gateway) have
 * their zero value, unknown ones are ignored.
 * @throws DecodeError naming the field, for a secret its key.
 */
export function decodeParams(bytes: Uint8Array): ConnectionParams {
  const struct = expectStruct(decodeGob(bytes, PARAMS), PARAMS)
  const text = (name: ParamsField) => expectText(struct.fields.get(name), placeOf(name))
  const texts = (name: ParamsField) => expectTextList(struct.fields.get(name), placeOf(name))
  const json = (name: ParamsField) => expectBytes(struct.fields.get(name), placeOf(name))
  return {
    connectionName: text('ConnectionName'),
    connectionType: text('ConnectionType'),
    connectionSubType: text('ConnectionSubType'),
    userId: text('UserID'),
    userEmail: text('UserEmail'),
    envVars: expectTextMap(struct.fields.get('EnvVars'), placeOf('EnvVars'), expectTextInside),
    cmdList: texts('CmdList'),
    clientArgs: texts('ClientArgs'),
    clientVerb: text('ClientVerb'),
    clientOrigin: text('ClientOrigin'),
    dlpProvider: text('DlpProvider'),
    dlpMode: text('DlpMode'),
    dlpInfoTypes: texts('DLPInfoTypes'),
    dlpGcpRawCredentialsJson: text('DlpGcpRawCredentialsJSON'),
    dlpPresidioAnalyzerUrl: text('DlpPresidioAnalyzerURL'),
    dlpPresidioAnonymizerUrl: text('DlpPresidioAnonymizerURL'),
    dataMaskingEntityTypesData: json('DataMaskingEntityTypesData'),
    guardRailRules: json('GuardRailRules'),
    analyzerMetricsRules: json('AnalyzerMetricsRules'),
    aiSessionAnalyzer: analyzerFrom(struct.fields.get('AISessionAnalyzer')),
  }
}

/** Writes `agent.connection_params` as Go would; the secrets keep their order. */
export function encodeParams(params: ConnectionParams): Buffer {
  const fields: Record<ParamsField, Buffer | undefined> = {
    ConnectionName: textField(params.connectionName),
    ConnectionType: textField(params.connectionType),
    ConnectionSubType: textField(params.connectionSubType),
    UserID: textField(params.userId),
    UserEmail: textField(params.userEmail),
    EnvVars: textMap(params.envVars, encodeTextInside),
    CmdList: listField(params.cmdList),
    ClientArgs: listField(params.clientArgs),
    ClientVerb: textField(params.clientVerb),
    ClientOrigin: textField(params.clientOrigin),
    DlpProvider: textField(params.dlpProvider),
    DlpMode: textField(params.dlpMode),
    DLPInfoTypes: listField(params.dlpInfoTypes),
    DlpGcpRawCredentialsJSON: textField(params.dlpGcpRawCredentialsJson),
    DlpPresidioAnalyzerURL: textField(params.dlpPresidioAnalyzerUrl),
    DlpPresidioAnonymizerURL: textField(params.dlpPresidioAnonymizerUrl),
    DataMaskingEntityTypesData: bytesField(params.dataMaskingEntityTypesData),
    GuardRailRules: bytesField(params.guardRailRules),
    AnalyzerMetricsRules: bytesField(params.analyzerMetricsRules),
    AISessionAnalyzer: analyzerField(params.aiSessionAnalyzer),
  }
  const inOrder = (Object.keys(PARAMS_FIELDS) as ParamsField[]).map((name) => fields[name])
  return encodeGob(PARAMS_LAYOUT, encodeStruct(inOrder))
}

/** Reads a gob `[]string` such as `terminal.args`; `field` names it in a DecodeError. */
export function decodeStringList(bytes: Uint8Array, field: string): string[] {
  return expectTextList(decodeGob(bytes, field), field)
}

/** Writes a gob `[]string`. */
export function encodeStringList(values: readonly string[]): Buffer {
  return encodeGob(STRING_LIST_LAYOUT, encodeList(values.map(encodeGobText)))
}

/** Reads a gob `map[string]string` such as `terminal.envvars`; `field` names it in a DecodeError. */
export function decodeStringMap(bytes: Uint8Array, field: string): Map<string, string> {
  return expectTextMap(decodeGob(bytes, field), field, expectText)
}

/** Writes a gob `map[string]string`, the entries in their order. */
export function encodeStringMap(values: ReadonlyMap<string, string>): Buffer {
  return encodeGob(STRING_MAP_LAYOUT, textMap(values, encodeGobText))
}

function placeOf(name: ParamsField): string {
  return `${PARAMS}.${name}`
}

function analyzerFrom(value: GobValue | undefined): ReadonlyMap<string, string> | undefined {
  if (value === undefined) return undefined
  const struct: GobStruct = expectStruct(value, placeOf('AISessionAnalyzer'))
  const known = Object.keys(ANALYZER_FIELDS).filter((name) => struct.fields.has(name))
  const textOf = (name: string) =>
    expectText(struct.fields.get(name), `${placeOf('AISessionAnalyzer')}.${name}`)
  return new Map(known.map((name) => [name, textOf(name)]))
}

function analyzerField(analyzer: ReadonlyMap<string, string> | undefined): Buffer | undefined {
  if (analyzer === undefined) return undefined
  return encodeStruct(Object.keys(ANALYZER_FIELDS).map((name) => textField(analyzer.get(name) ?? '')))
}

function textMap(values: ReadonlyMap<string, string>, encodeElement: (text: string) => Buffer): Buffer {
  return encodeMap([...values].map(([key, value]) => [encodeGobText(key), encodeElement(value)]))
}

// Zero values are left out of a struct, but not the map of secrets: the gateway always makes one, even if it is empty.
function textField(text: string): Buffer | undefined {
  return text === '' ? undefined : encodeGobText(text)
}

function listField(texts: readonly string[]): Buffer | undefined {
  return texts.length === 0 ? undefined : encodeList(texts.map(encodeGobText))
}

function bytesField(bytes: Buffer | undefined): Buffer | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : encodeBytes(bytes)
}
