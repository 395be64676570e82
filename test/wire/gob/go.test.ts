import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  decodeParams,
  decodeStringList,
  decodeStringMap,
  encodeParams,
  encodeStringList,
  encodeStringMap,
  type ConnectionParams,
} from '../../../src/wire/params.ts'
import { go, GO_MS } from '../../support/machine/go.ts'
import { asGoJson } from './vectors.ts'

const PROGRAM = fileURLToPath(new URL('../../fixtures/gobcheck/main.go', import.meta.url))

const hasGo = go(['version']).status === 0

interface Found {
  readonly value: unknown
  readonly gob: string
}

/** Lets Go decode the streams and encode them again. */
function throughGo(streams: {
  Params: Buffer
  List: Buffer
  Map: Buffer
}): Record<'params' | 'list' | 'map', Found> {
  const input = Object.entries(streams).map(([name, bytes]) => [name, bytes.toString('base64')])
  const run = go(['run', PROGRAM], {
    input: JSON.stringify(Object.fromEntries(input)),
    env: { GOFLAGS: '-mod=mod' },
  })
  if (run.status !== 0) throw new Error(`go run ${PROGRAM} failed: ${run.stderr}`)
  return JSON.parse(run.stdout) as Record<'params' | 'list' | 'map', Found>
}

const params: ConnectionParams = {
  connectionName: 'café-☕',
  connectionType: 'command-line',
  connectionSubType: 'postgres',
  userId: 'u1',
  userEmail: 'ü@example.test',
  envVars: new Map([
    ['envvar:LONG', 'QUFB'.repeat(50_000)],
    ['filesystem:EMPTY', ''],
    ['envvar:__proto__', 'MQ=='],
  ]),
  cmdList: ['psql', '-v', 'ON_ERROR_STOP=1', ''],
  clientArgs: ['a\0b', 'x'.repeat(300)],
  clientVerb: 'exec',
  clientOrigin: 'client-api',
  dlpProvider: 'mspresidio',
  dlpMode: 'best-effort',
  dlpInfoTypes: ['US_SSN'],
  dlpGcpRawCredentialsJson: '{}',
  dlpPresidioAnalyzerUrl: 'http://127.0.0.1:1',
  dlpPresidioAnonymizerUrl: 'http://127.0.0.1:2',
  dataMaskingEntityTypesData: Buffer.from('[{"id":"1"}]'),
  guardRailRules: Buffer.from('{"input_rules":[]}'),
  analyzerMetricsRules: Buffer.from('[]'),
  aiSessionAnalyzer: new Map([
    ['RuleName', 'r'],
    ['Provider', 'p'],
    ['APIURL', 'http://x'],
    ['APIKey', 'k'],
    ['Model', 'm'],
    ['CustomPrompt', 'c'],
    ['LowRiskAction', 'l'],
    ['MediumRiskAction', 'm'],
    ['HighRiskAction', 'h'],
  ]),
}
const list = ['', '-x', 'é'.repeat(200)]
const map = new Map([
  ['envvar:A', 'MQ=='],
  ['', ''],
])

describe.skipIf(!hasGo)('the gob of Go (needs the go command)', () => {
  test(
    'Go reads what we encode, and we read what Go encodes from it',
    () => {
      const found = throughGo({
        Params: encodeParams(params),
        List: encodeStringList(list),
        Map: encodeStringMap(map),
      })
      expect(found.params.value).toEqual(asGoJson(params))
      expect(found.list.value).toEqual(list)
      expect(found.map.value).toEqual(Object.fromEntries(map))
      expect(decodeParams(Buffer.from(found.params.gob, 'base64'))).toEqual(params)
      expect(decodeStringList(Buffer.from(found.list.gob, 'base64'), 'x')).toEqual(list)
      expect(decodeStringMap(Buffer.from(found.map.gob, 'base64'), 'x')).toEqual(map)
    },
    GO_MS,
  )
})
