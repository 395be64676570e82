import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../../src/wire/packet.ts'
import {
  BYTES,
  INTERFACE,
  STRING,
  encodeBytes,
  encodeGob,
  encodeList,
  encodeMap,
  encodeStruct,
  encodeGobText,
  encodeTextInside,
  type TypeDefinition,
} from '../../src/wire/gob/encode.ts'
import {
  decodeParams,
  decodeStringList,
  decodeStringMap,
  encodeParams,
  encodeStringList,
  encodeStringMap,
  WITHOUT_PROTECTION,
  type ConnectionParams,
} from '../../src/wire/params.ts'
import { asGoJson, recordedValues, vectorBytes, vectorJson, vectorNames } from './gob/vectors.ts'

const EMPTY: ConnectionParams = {
  connectionName: '',
  connectionType: '',
  connectionSubType: '',
  userId: '',
  userEmail: '',
  envVars: new Map(),
  cmdList: [],
  clientArgs: [],
  clientVerb: '',
  clientOrigin: '',
  ...WITHOUT_PROTECTION,
}

const readable = vectorNames('params-').filter((name) => name !== 'params-non-string-env')
// The type that these two define is not ours; params-empty has no map of secrets, where we write an empty one.
const byteForByte = readable.filter((name) => !/-(older|newer)-gateway$|-empty$/.test(name))

/** Encodes a struct with only the field `name`, of a type that the gateway does not give it. */
function paramsWith(name: string, type: number, value: Buffer, ...definitions: TypeDefinition[]): Buffer {
  const struct: TypeDefinition = {
    kind: 'struct',
    id: 64,
    name: 'AgentConnectionParams',
    fields: { [name]: type },
  }
  return encodeGob([struct, ...definitions], encodeStruct([value]))
}

function paramsWithSecret(key: string, value: Buffer): Buffer {
  const map: TypeDefinition = { kind: 'map', id: 65, name: '', key: STRING, element: INTERFACE }
  return paramsWith('EnvVars', 65, encodeMap([[encodeGobText(key), value]]), map)
}

function refusal(decode: () => unknown): DecodeError {
  try {
    decode()
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('connection parameters that Go encoded', () => {
  test.each(readable)('%s decodes to what its JSON says', (name) => {
    const json = vectorJson(name) as Record<string, unknown>
    const EnvVars = Object.keys(json['EnvVars'] ?? {}).length === 0 ? null : json['EnvVars']
    expect(asGoJson(decodeParams(vectorBytes(name)))).toEqual({ ...asGoJson(EMPTY), ...json, EnvVars })
  })

  test.each(byteForByte)('%s is encoded byte for byte as Go did', (name) => {
    const bytes = vectorBytes(name)
    expect(encodeParams(decodeParams(bytes)).equals(bytes)).toBe(true)
  })

  test('params without secrets have an empty map of them, as the gateway always makes one', () => {
    const withoutMap = vectorBytes('params-empty').toString('hex')
    expect(withoutMap).toMatch(/03ff8000$/)
    expect(encodeParams(EMPTY).toString('hex')).toBe(withoutMap.replace(/03ff8000$/, '05ff80060000'))
  })

  test('recorded ones decode, and are encoded byte for byte as the gateway did', () => {
    const recorded = recordedValues('agent.connection_params')
    expect(recorded.length).toBeGreaterThan(5)
    for (const { recording, bytes } of recorded) {
      const params = decodeParams(bytes)
      expect(params, recording).toMatchObject({ connectionName: expect.stringMatching(/./) as unknown })
      expect(encodeParams(params).toString('hex'), recording).toBe(bytes.toString('hex'))
    }
  })

  test('JSON fields keep their bytes', () => {
    const rules = decodeParams(vectorBytes('params-full')).guardRailRules
    expect(rules?.toString('utf8')).toMatch(/^\{"input_rules":/)
  })
})

test('JSON fields that are sent empty count as absent', () => {
  expect(decodeParams(paramsWith('GuardRailRules', BYTES, Buffer.of(0))).guardRailRules).toBe(undefined)
})

describe('connection parameters that are not what they should be', () => {
  test('an environment value that is not a string is refused by its key and Go type, never its value', () => {
    const error = refusal(() => decodeParams(vectorBytes('params-non-string-env')))
    expect(error.message).toBe('agent.connection_params.EnvVars["envvar:I"]: expected string, found int')
  })

  test.each([
    ['int', 2, 'fe1234', 'int'],
    ['float64', 4, 'fef43f', 'float64'],
    ['bool', 1, '01', 'bool'],
    ['[]uint8', BYTES, '03726177', '[]uint8'],
    ['main.Secret', STRING, '0473657421', 'main.Secret'],
    ['string', 2, 'fe1234', 'number'],
    ['\u0007', 1, '01', 'a type with an unprintable name'],
  ])('an environment value of the Go type %j is refused', (goType, type, valueHex, found) => {
    const value = Buffer.from(`00${valueHex}`, 'hex')
    const held = Buffer.concat([encodeGobText(goType), Buffer.of(type * 2), encodeBytes(value)])
    const error = refusal(() => decodeParams(paramsWithSecret('envvar:X', held)))
    expect(error.message).toBe(`agent.connection_params.EnvVars["envvar:X"]: expected string, found ${found}`)
  })

  test('a nil environment value is refused', () => {
    const error = refusal(() => decodeParams(paramsWithSecret('envvar:X', Buffer.of(0))))
    expect(error.message).toBe('agent.connection_params.EnvVars["envvar:X"]: expected string, found <nil>')
  })

  test('a key is quoted in the error and cut when it is long', () => {
    const quoted = refusal(() => decodeParams(paramsWithSecret('a"\n', Buffer.of(0))))
    expect(quoted.field).toBe('agent.connection_params.EnvVars["a\\"\\n"]')
    const long = refusal(() => decodeParams(paramsWithSecret('k'.repeat(5000), Buffer.of(0))))
    expect(long.field).toBe(`agent.connection_params.EnvVars["${'k'.repeat(200)}..."]`)
  })

  test('an argument that is not UTF-8 is refused instead of being altered', () => {
    const list: TypeDefinition = { kind: 'slice', id: 65, name: '', element: STRING }
    const notText = encodeList([encodeGobText('ok'), Buffer.of(1, 0xff)])
    const error = refusal(() => decodeParams(paramsWith('ClientArgs', 65, notText, list)))
    expect(error.message).toBe(
      'agent.connection_params.ClientArgs[1]: expected string, found text that is not UTF-8',
    )
  })

  test.each([
    ['ConnectionName', BYTES, encodeGobText('x'), 'expected string, found bytes'],
    ['UserEmail', 1, Buffer.of(1), 'expected string, found bool'],
    ['ClientVerb', 2, Buffer.of(4), 'expected string, found number'],
    ['ClientVerb', 3, Buffer.from('f8ffffffffffffffff', 'hex'), 'expected string, found number'],
    ['DlpMode', 7, Buffer.of(0, 0), 'expected string, found complex'],
    ['ClientOrigin', INTERFACE, encodeTextInside('x'), 'expected string, found string'],
    ['EnvVars', STRING, encodeGobText('x'), 'expected map, found string'],
    ['CmdList', STRING, encodeGobText('x'), 'expected list of strings, found string'],
    ['DLPInfoTypes', 4, Buffer.of(0), 'expected list of strings, found number'],
    ['GuardRailRules', STRING, encodeGobText('{}'), 'expected bytes, found string'],
    ['AISessionAnalyzer', STRING, encodeGobText('x'), 'expected struct, found string'],
  ])('%s of another kind is refused by its name', (name, type, value, reason) => {
    const error = refusal(() => decodeParams(paramsWith(name, type, value)))
    expect(error.message).toBe(`agent.connection_params.${name}: ${reason}`)
  })

  test('lists and maps of another kind are refused', () => {
    const numbers: TypeDefinition = { kind: 'slice', id: 65, name: '', element: 2 }
    const inCmdList = refusal(() => decodeParams(paramsWith('CmdList', 65, Buffer.of(1, 6), numbers)))
    expect(inCmdList.message).toBe('agent.connection_params.CmdList[0]: expected string, found number')
    const byNumber: TypeDefinition = { kind: 'map', id: 65, name: '', key: 2, element: STRING }
    const inEnvVars = refusal(() => decodeParams(paramsWith('EnvVars', 65, Buffer.of(1, 6, 0), byNumber)))
    expect(inEnvVars.message).toBe('agent.connection_params.EnvVars key: expected string, found number')
    const inName = refusal(() => decodeParams(paramsWith('UserID', 65, Buffer.of(1, 6), numbers)))
    expect(inName.message).toBe('agent.connection_params.UserID: expected string, found list')
  })

  test('an analyzer field of another kind is refused by its name', () => {
    const analyzer: TypeDefinition = { kind: 'struct', id: 65, name: '', fields: { APIKey: 2 } }
    const bytes = paramsWith('AISessionAnalyzer', 65, encodeStruct([Buffer.of(4)]), analyzer)
    expect(refusal(() => decodeParams(bytes)).field).toBe('agent.connection_params.AISessionAnalyzer.APIKey')
  })

  test('another value than a struct is refused', () => {
    const error = refusal(() => decodeParams(encodeStringList(['a'])))
    expect(error.message).toBe('agent.connection_params: expected struct, found list')
  })

  test('empty input is refused', () => {
    expect(refusal(() => decodeParams(Buffer.alloc(0))).field).toBe('agent.connection_params')
  })

  test('a secret named __proto__ is one like any other', () => {
    const params = { ...EMPTY, envVars: new Map([['__proto__', 'v']]) }
    expect(decodeParams(encodeParams(params))).toEqual(params)
  })
})

describe('lists and maps of strings', () => {
  test.each(vectorNames('args-'))('%s decodes to its JSON and is encoded byte for byte as Go did', (name) => {
    const bytes = vectorBytes(name)
    const list = decodeStringList(bytes, 'terminal.args')
    expect(list).toEqual(vectorJson(name))
    expect(encodeStringList(list).toString('hex')).toBe(bytes.toString('hex'))
  })

  test.each(vectorNames('envs-'))('%s decodes to its JSON and is encoded byte for byte as Go did', (name) => {
    const bytes = vectorBytes(name)
    const map = decodeStringMap(bytes, 'terminal.envvars')
    expect(Object.fromEntries(map)).toEqual(vectorJson(name))
    expect(encodeStringMap(map).toString('hex')).toBe(bytes.toString('hex'))
  })

  test('recorded ones decode', () => {
    const args = recordedValues('terminal.args').map(({ bytes }) => decodeStringList(bytes, 'terminal.args'))
    expect(args).toContainEqual(['-s', '--', 'x', 'y'])
    const envs = recordedValues('terminal.envvars').map(({ bytes }) =>
      decodeStringMap(bytes, 'terminal.envvars'),
    )
    expect(envs.length).toBeGreaterThan(0)
    for (const map of envs)
      expect([...map.keys()]).toContainEqual(expect.stringMatching(/^(envvar|filesystem):/))
  })

  test('what is in them is named in errors by the given field', () => {
    const numbers: TypeDefinition = { kind: 'slice', id: 64, name: '', element: 2 }
    const list = refusal(() => decodeStringList(encodeGob([numbers], Buffer.of(2, 2, 4)), 'terminal.args'))
    expect(list.message).toBe('terminal.args[0]: expected string, found number')
    const toInterface: TypeDefinition = { kind: 'map', id: 64, name: '', key: STRING, element: INTERFACE }
    const value = encodeMap([[encodeGobText('K'), encodeTextInside('v')]])
    const map = refusal(() => decodeStringMap(encodeGob([toInterface], value), 'terminal.envvars'))
    expect(map.message).toBe('terminal.envvars["K"]: expected string, found string')
    const swapped = refusal(() => decodeStringMap(encodeStringList(['a']), 'terminal.envvars'))
    expect(swapped.message).toBe('terminal.envvars: expected map, found list')
  })
})

describe('what is encoded decodes to the same', () => {
  const text = fc.string({ unit: 'binary' })
  const texts = fc.array(text)
  const textMap = fc
    .array(fc.tuple(fc.oneof(text, fc.constant('__proto__')), text))
    .map((pairs) => new Map(pairs))
  const json = fc.option(
    fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
    { nil: undefined },
  )
  const setText = fc.string({ unit: 'binary', minLength: 1 })
  const analyzer = fc
    .record({ RuleName: setText, APIKey: setText, HighRiskAction: setText }, { requiredKeys: [] })
    .map((fields) => new Map(Object.entries(fields)))
  const params = fc.record<ConnectionParams>({
    connectionName: text,
    connectionType: text,
    connectionSubType: text,
    userId: text,
    userEmail: text,
    envVars: textMap,
    cmdList: texts,
    clientArgs: texts,
    clientVerb: text,
    clientOrigin: text,
    dlpProvider: text,
    dlpMode: text,
    dlpInfoTypes: texts,
    dlpGcpRawCredentialsJson: text,
    dlpPresidioAnalyzerUrl: text,
    dlpPresidioAnonymizerUrl: text,
    dataMaskingEntityTypesData: json,
    guardRailRules: json,
    analyzerMetricsRules: json,
    aiSessionAnalyzer: fc.option(analyzer, { nil: undefined }),
  })

  test('connection parameters, secrets in their order', () => {
    fc.assert(
      fc.property(params, (original) => {
        const decoded = decodeParams(encodeParams(original))
        expect(decoded).toEqual(original)
        expect([...decoded.envVars]).toEqual([...original.envVars])
      }),
    )
  })

  test('lists of strings', () => {
    fc.assert(
      fc.property(texts, (list) => {
        expect(decodeStringList(encodeStringList(list), 'x')).toEqual(list)
      }),
    )
  })

  test('maps of strings, in their order', () => {
    fc.assert(
      fc.property(textMap, (map) => {
        expect([...decodeStringMap(encodeStringMap(map), 'x')]).toEqual([...map])
      }),
    )
  })
})
