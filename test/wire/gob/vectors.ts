import { readFileSync, readdirSync } from 'node:fs'
import type { ConnectionParams } from '../../../src/wire/params.ts'

const VECTORS = new URL('../../fixtures/vectors/', import.meta.url)
const TRANSCRIPTS = new URL('../../fixtures/transcripts/', import.meta.url)

/** Names of the gob vectors that start with `prefix`, without their ending. */
export function vectorNames(prefix: string): string[] {
  const names = readdirSync(VECTORS).filter((name) => name.startsWith(prefix) && name.endsWith('.gob'))
  return names.map((name) => name.slice(0, -'.gob'.length)).sort()
}

/** The bytes of a vector as Go wrote them. */
export function vectorBytes(name: string): Buffer {
  return readFileSync(new URL(`${name}.gob`, VECTORS))
}

/** What a vector must decode to. */
export function vectorJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), 'utf8'))
}

/** Every value of a spec key in the recorded conversations, with the name of its recording. */
export function recordedValues(specKey: string): { recording: string; bytes: Buffer }[] {
  const recordings = readdirSync(TRANSCRIPTS).filter((name) => name.endsWith('.json'))
  return recordings.flatMap((recording) => {
    const text = readFileSync(new URL(recording, TRANSCRIPTS), 'utf8')
    const { packets } = JSON.parse(text) as { packets: { spec?: Record<string, string> }[] }
    const values = packets.map((packet) => packet.spec?.[specKey]).filter((value) => value !== undefined)
    return values.map((value) => ({ recording, bytes: Buffer.from(value, 'base64') }))
  })
}

/** The params as Go's encoding/json writes them; an empty list or map is null, as Go cannot tell when it decodes. */
export function asGoJson(params: ConnectionParams): Record<string, unknown> {
  return {
    ConnectionName: params.connectionName,
    ConnectionType: params.connectionType,
    ConnectionSubType: params.connectionSubType,
    UserID: params.userId,
    UserEmail: params.userEmail,
    EnvVars: params.envVars.size === 0 ? null : Object.fromEntries(params.envVars),
    CmdList: orNull(params.cmdList),
    ClientArgs: orNull(params.clientArgs),
    ClientVerb: params.clientVerb,
    ClientOrigin: params.clientOrigin,
    DlpProvider: params.dlpProvider,
    DlpMode: params.dlpMode,
    DLPInfoTypes: orNull(params.dlpInfoTypes),
    DlpGcpRawCredentialsJSON: params.dlpGcpRawCredentialsJson,
    DlpPresidioAnalyzerURL: params.dlpPresidioAnalyzerUrl,
    DlpPresidioAnonymizerURL: params.dlpPresidioAnonymizerUrl,
    DataMaskingEntityTypesData: parsed(params.dataMaskingEntityTypesData),
    GuardRailRules: parsed(params.guardRailRules),
    AnalyzerMetricsRules: parsed(params.analyzerMetricsRules),
    AISessionAnalyzer: params.aiSessionAnalyzer ? Object.fromEntries(params.aiSessionAnalyzer) : null,
  }
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length === 0 ? null : list
}

function parsed(json: Buffer | undefined): unknown {
  return json === undefined ? null : JSON.parse(json.toString('utf8'))
}
