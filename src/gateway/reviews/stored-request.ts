import * as v from 'valibot'
import type { SessionRequest } from '../sessions/session-request.ts'

/** Everything of a request that will run once it is approved, but for its connection, which the settings have. */
export type StoredSessionRequest = Omit<SessionRequest, 'connection'> & StoredForBatch

/** What the runs of a batch need beside the request of the first. */
export interface StoredForBatch {
  /** Names in the order in which they run; undefined where it is for one session. */
  readonly batchConnections?: readonly string[] | undefined
  /** Fields of the issues of the other connections. */
  readonly jiraFields?: Readonly<Record<string, string>> | undefined
}

const Base64 = v.pipe(
  v.string(),
  v.transform((text) => Buffer.from(text, 'base64')),
)
const Stored = v.object({
  version: v.literal(1),
  origin: v.picklist(['client', 'client-api', 'client-api-runbooks']),
  verb: v.picklist(['exec', 'connect']),
  user: v.string(),
  script: Base64,
  envVars: v.pipe(
    v.array(v.tuple([v.string(), v.string()])),
    v.transform((entries) => new Map(entries)),
  ),
  clientArgs: v.array(v.string()),
  metadata: v.record(v.string(), v.unknown()),
  labels: v.record(v.string(), v.string()),
  sessionBatchId: v.optional(v.string()),
  correlationId: v.optional(v.string()),
  secretValues: v.array(Base64),
  bringsInput: v.optional(v.boolean()),
  batchConnections: v.optional(v.array(v.string())),
  jiraFields: v.optional(v.record(v.string(), v.string())),
})

export function encodeStoredRequest(request: SessionRequest, forBatch: StoredForBatch = {}): Buffer {
  const { origin, verb, user, clientArgs, metadata, labels, sessionBatchId, correlationId } = request
  const stored = {
    version: 1,
    ...{ origin, verb, user, clientArgs, metadata, labels, sessionBatchId, correlationId },
    ...{ bringsInput: request.bringsInput, ...forBatch },
    script: request.script.toString('base64'),
    envVars: [...request.envVars],
    secretValues: (request.secretValues ?? []).map((value) => value.toString('base64')),
  }
  return Buffer.from(JSON.stringify(stored))
}

/** What `encodeStoredRequest` made. @throws ValiError, SyntaxError: it was sealed, so only a bug can change it */
export function decodeStoredRequest(bytes: Buffer): StoredSessionRequest {
  return v.parse(Stored, JSON.parse(bytes.toString()))
}
