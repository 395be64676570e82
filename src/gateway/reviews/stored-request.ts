import * as v from 'valibot'
import type { SessionRequest } from '../sessions/session-request.ts'

/** The connection is not stored, because the settings have it. */
export type StoredSessionRequest = Omit<SessionRequest, 'connection'> & StoredForBatch & StoredAsker

/**
 * Identifies the requester, which prevents a run in the name of another user. Requests of older versions do
 * not have these fields.
 */
interface StoredAsker {
  /** Text of `Users.identity`. */
  readonly asker?: string | undefined
  /** Missing if no token was used. */
  readonly token?: { readonly id: string; readonly sha256: Buffer } | undefined
}

/** The runs of a batch need these fields besides the request of the first run. */
export interface StoredForBatch {
  /** Names of the connections, in the order of their runs. Undefined if the request is for one session. */
  readonly batchConnections?: readonly string[] | undefined
  /** Fields of the Jira issues of the other connections. */
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
  reason: v.optional(v.string()),
  secretValues: v.array(Base64),
  bringsInput: v.optional(v.boolean()),
  batchConnections: v.optional(v.array(v.string())),
  jiraFields: v.optional(v.record(v.string(), v.string())),
  choices: v.optional(
    v.object({
      commit: v.string(),
      values: v.array(
        v.object({
          parameter: v.string(),
          value: v.string(),
          list: v.string(),
          of: v.optional(v.string()),
          ofValue: v.string(),
        }),
      ),
    }),
  ),
  asker: v.optional(v.string()),
  token: v.optional(v.object({ id: v.string(), sha256: Base64 })),
})

export function encodeStoredRequest(
  request: SessionRequest,
  { token, ...more }: StoredForBatch & StoredAsker = {},
): Buffer {
  const { origin, verb, user, clientArgs, metadata, labels, sessionBatchId, correlationId } = request
  const stored = {
    version: 1,
    origin,
    verb,
    user,
    clientArgs,
    metadata,
    labels,
    sessionBatchId,
    correlationId,
    reason: request.reason,
    bringsInput: request.bringsInput,
    choices: request.choices,
    ...more,
    ...(token !== undefined && { token: { id: token.id, sha256: token.sha256.toString('base64') } }),
    script: request.script.toString('base64'),
    envVars: [...request.envVars],
    secretValues: (request.secretValues ?? []).map((value) => value.toString('base64')),
  }
  return Buffer.from(JSON.stringify(stored))
}

/** @throws ValiError, SyntaxError only after a bug, because the bytes were sealed */
export function decodeStoredRequest(bytes: Buffer): StoredSessionRequest {
  return v.parse(Stored, JSON.parse(bytes.toString()))
}
