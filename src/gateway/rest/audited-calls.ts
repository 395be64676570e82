import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ContractOperation } from '../../contract/contract.ts'
import type { History } from '../history/history.ts'
import type { AuditLog } from '../people/audit/audit-log.ts'
import { auditFacts, type AuditFacts } from '../../contract/audit-entry.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Name of the caller, for requests that have no user with a token. */
    auditedActor?: string
    /** Reason why a sign-in was refused, if the answer to the sign-in is not an error. */
    auditedRefusal?: string | undefined
    /** Number of the audit entry that was written before the call. */
    auditedAt?: number | undefined
  }
}

const MAX_PATH = 500
const MAX_MESSAGE = 500

/** Records calls in the audit log. The field `audit` of each operation says what is recorded. */
export function auditCalls(
  app: FastifyInstance,
  { audit, history }: { readonly audit: AuditLog; readonly history: Pick<History, 'patiently'> },
): void {
  app.addHook('preHandler', async (request) => {
    if (!isChange(request.routeOptions.config.operation)) return
    // What takes something away, such as a token, never waits for another program's lock.
    if (auditedOf(request)?.takesAway === true) request.auditedAt = audit.announceAnyway(factsOf(request, 0))
    else request.auditedAt = await history.patiently(() => audit.announce(factsOf(request, 0)))
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    noteAnswer(audit, request, reply, payload)
    done(null, payload)
  })
}

function noteAnswer(audit: AuditLog, request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
  const { statusCode } = reply
  const audited = auditedOf(request)
  if (audited === undefined) return
  // A successful start is not recorded here, because the new session has its own entry.
  if (audited.action === 'execute' && statusCode < 400) return
  const facts = { ...factsOf(request, statusCode), ...toldBy(reply, payload) }
  if (request.auditedAt !== undefined) return audit.conclude(facts, request.auditedAt)
  // These failures are not recorded here, because the user is unknown. `SignInAttempts` counts failed
  // sign-ins over REST and gRPC.
  if (statusCode === 401 || reply.hasHeader('retry-after')) return
  if (audited.action === 'sign-in') return noteSignIn(audit, request, facts)
  // Each export is recorded: two exports with the same filters may have different entries.
  if (audited.action === 'download') return audit.note(facts)
  audit.noteOnce(facts)
}

/**
 * Records a sign-in. Failed sign-ins are counted per address, because the user is unknown. A sign-in that
 * still waits is not recorded.
 */
function noteSignIn(audit: AuditLog, request: FastifyRequest, facts: AuditFacts): void {
  const { auditedRefusal: refusal } = request
  if (facts.http_status === 202) return
  if (facts.outcome && refusal === undefined) return audit.note(facts)
  const { http_method, http_path, http_status, error_message: message } = facts
  audit.failedSignIn(facts.client_ip, {
    http_method,
    http_path,
    http_status,
    error_message: refusal ?? message,
  })
}

const NOTED: readonly AuditFacts['action'][] = ['view', 'download', 'sign-in', 'execute']

/** Tells whether the operation is announced in the audit log, since it changes or decides something. */
export function isChange(operation: Pick<ContractOperation, 'audit'> | undefined): boolean {
  const audit = operation?.audit ?? 'none'
  return audit !== 'none' && !NOTED.includes(audit.action)
}

export function auditedOf({ routeOptions }: FastifyRequest) {
  const { operation } = routeOptions.config
  return operation === undefined || operation.audit === 'none' ? undefined : operation.audit
}

/** @param status 0 before the answer is known */
function factsOf(request: FastifyRequest, status: number): AuditFacts {
  const { action = 'view', type = 'gateway' } = auditedOf(request) ?? {}
  const given = action === 'download' ? optionsOf(request) : request.body
  const {
    id = '',
    name = '',
    subject = '',
  } = (request.params ?? {}) as Readonly<Partial<Record<'id' | 'name' | 'subject', string>>>
  return auditFacts({
    ...actorOf(request),
    action,
    resource_type: type,
    resource_id: (id || name || subject).slice(0, MAX_PATH).toWellFormed(),
    http_method: request.method,
    http_path: (request.url.split('?')[0] ?? '').slice(0, MAX_PATH),
    http_status: status,
    client_ip: request.callerAddress,
    request_payload_redacted: redacted(given),
    outcome: status < 400,
  })
}

/** Returns the options of the URL that are in the contract: the filters and the format of an export. */
function optionsOf({ routeOptions, query }: FastifyRequest): object | undefined {
  const names = Object.keys(routeOptions.config.operation?.query ?? {})
  const given = Object.entries(query as object).filter(([name]) => names.includes(name))
  return given.length === 0 ? undefined : Object.fromEntries(given)
}

/** The request's user, the owner of the download link, or the user who has just signed in. */
function actorOf(request: FastifyRequest): Pick<AuditFacts, 'actor' | 'token_id' | 'token_name'> {
  // Both are undefined if the route needs no sign-in.
  const { user, token } = request as Partial<Pick<FastifyRequest, 'user' | 'token'>>
  return {
    actor: request.auditedActor ?? user?.name ?? '',
    token_id: token?.id ?? '',
    token_name: token?.name ?? '',
  }
}

/**
 * Returns the reason of an error or the id of the created object. The rest of the answer may contain secrets,
 * so it is not recorded.
 */
function toldBy(reply: FastifyReply, payload: unknown): Partial<AuditFacts> {
  const { statusCode: status } = reply
  // Some answers are HTML pages.
  const isJson = String(reply.getHeader('content-type')).startsWith('application/json')
  if (typeof payload !== 'string' || !isJson || (status < 400 && status !== 201)) return {}
  const { message, id } = JSON.parse(payload) as { readonly message?: unknown; readonly id?: unknown }
  if (status === 201) return typeof id === 'string' ? { resource_id: id } : {}
  return typeof message === 'string' ? { error_message: message.slice(0, MAX_MESSAGE).toWellFormed() } : {}
}

const REDACTED = '[REDACTED]'

/** Names of fields that may contain secrets. Some of them are hoop's. */
const SECRET =
  /pass(word|phrase|wd)?|secret|token|credential|authorization|private|cookie|^(hashed_)?pw$|api_?key|^key$|_key$|^envs?$|^env_vars$|^hosts_key$|^verifier$|^code$|_code$/i
/** Fields of executions whose values may hold secrets. */
const INPUT = new Set(['script', 'parameter', 'parameters', 'client_args', 'input', 'jira_fields'])

/** These limits keep one request from filling the audit log. */
const MAX_TEXT = 500
const MAX_ENTRIES = 50
const MAX_DEPTH = 4
const MAX_BYTES = 8 * 1024

/** Removes secrets from a body, and shortens it. */
export function redacted(body: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof body !== 'object' || body === null) return null
  const kept = shortened(body, 0) as Readonly<Record<string, unknown>>
  if (Buffer.byteLength(JSON.stringify(kept)) <= MAX_BYTES) return kept
  return { left_out: 'too long', fields: Object.keys(kept) }
}

function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT).toWellFormed().replaceAll('\0', '\ufffd')
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[LEFT OUT]'
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((one) => shortened(one, depth + 1))
  const fields = Object.entries(value).slice(0, MAX_ENTRIES)
  return Object.fromEntries(
    fields.map(([name, one]) => [shortened(name, 0), isSecret(name) ? REDACTED : shortened(one, depth + 1)]),
  )
}

function isSecret(name: string): boolean {
  return INPUT.has(name) || SECRET.test(name)
}
