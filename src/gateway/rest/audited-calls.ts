import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditLog } from '../people/audit/audit-log.ts'
import { auditFacts, type AuditFacts } from '../people/audit/entry.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, where it is no user with a token: the audit log names him. */
    auditedActor?: string
    /** Why nobody has signed in, where the answer is none of an error. */
    auditedRefusal?: string | undefined
    /** The place in the audit log where it was announced. */
    auditedAt?: number | undefined
  }
}

const MAX_PATH = 500
const MAX_MESSAGE = 500

/** Writes into the audit log what the table of operations says of each call. */
export function auditCalls(app: FastifyInstance, audit: AuditLog): void {
  app.addHook('preHandler', (request, _, done) => {
    if (isChange(request)) request.auditedAt = announced(audit, request)
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    noteAnswer(audit, request, reply, payload)
    done(null, payload)
  })
}

/** @throws HistoryError: then it must not happen */
function announced(audit: AuditLog, request: FastifyRequest): number | undefined {
  const facts = factsOf(request, 0)
  return auditedOf(request)?.takesAway === true ? audit.announceAnyway(facts) : audit.announce(facts)
}

function noteAnswer(audit: AuditLog, request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
  const { statusCode } = reply
  const audited = auditedOf(request)
  if (audited === undefined) return
  // The session that has begun has an entry of its own.
  if (audited.action === 'execute' && statusCode < 400) return
  const facts = { ...factsOf(request, statusCode), ...toldBy(reply, payload) }
  if (request.auditedAt !== undefined) return audit.conclude(facts, request.auditedAt)
  // Nobody knows who it was. Failed sign-ins are counted where they fail, those over gRPC, too.
  if (statusCode === 401 || reply.hasHeader('retry-after')) return
  if (audited.action === 'sign-in') return noteSignIn(audit, request, facts)
  audit.noteOnce(facts)
}

/** Nobody knows whose a failed sign-in is: it is counted by address. A sign-in that waits is none yet. */
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

function isChange(request: FastifyRequest): boolean {
  const audited = auditedOf(request)
  return audited !== undefined && !NOTED.includes(audited.action)
}

function auditedOf({ routeOptions }: FastifyRequest) {
  const { operation } = routeOptions.config
  return operation === undefined || operation.audit === 'none' ? undefined : operation.audit
}

/** @param status 0 where there is no answer yet */
function factsOf(request: FastifyRequest, status: number): AuditFacts {
  const { action = 'view', type = 'gateway' } = auditedOf(request) ?? {}
  const { id = '', name = '' } = (request.params ?? {}) as { readonly id?: string; readonly name?: string }
  return auditFacts({
    ...actorOf(request),
    action,
    resource_type: type,
    resource_id: (id || name).slice(0, MAX_PATH).toWellFormed(),
    http_method: request.method,
    http_path: (request.url.split('?')[0] ?? '').slice(0, MAX_PATH),
    http_status: status,
    client_ip: request.callerAddress,
    request_payload_redacted: redacted(request.body),
    outcome: status < 400,
  })
}

/** Who asks, whose link it is, or who has signed in. */
function actorOf(request: FastifyRequest): Pick<AuditFacts, 'actor' | 'token_id' | 'token_name'> {
  // Both are undefined where nobody had to say who he is.
  const { user, token } = request as Partial<Pick<FastifyRequest, 'user' | 'token'>>
  return {
    actor: request.auditedActor ?? user?.name ?? '',
    token_id: token?.id ?? '',
    token_name: token?.name ?? '',
  }
}

/** The reason of an error, and the id of what was made: the answer may have secrets, too. */
function toldBy(reply: FastifyReply, payload: unknown): Partial<AuditFacts> {
  const { statusCode: status } = reply
  // Some are pages for people.
  const isJson = String(reply.getHeader('content-type')).startsWith('application/json')
  if (typeof payload !== 'string' || !isJson || (status < 400 && status !== 201)) return {}
  const { message, id } = JSON.parse(payload) as { readonly message?: unknown; readonly id?: unknown }
  if (status === 201) return typeof id === 'string' ? { resource_id: id } : {}
  return typeof message === 'string' ? { error_message: message.slice(0, MAX_MESSAGE).toWellFormed() } : {}
}

const REDACTED = '[REDACTED]'

/** Names of values that are secrets, or may be: hoop's, and those of scripts and parameters. */
const SECRET =
  /pass(word|phrase|wd)?|secret|token|credential|authorization|private|cookie|^(hashed_)?pw$|api_?key|^key$|_key$|^envs?$|^env_vars$|^hosts_key$|^verifier$|^code$|_code$/i
/** Bodies of executions: what stands there may hold secrets, whatever its name. */
const INPUT = new Set(['script', 'parameters', 'client_args', 'input', 'jira_fields'])

/** So that nobody fills the log with one request. */
const MAX_TEXT = 500
const MAX_ENTRIES = 50
const MAX_DEPTH = 4
const MAX_BYTES = 8 * 1024

/** A request's body as the audit log keeps it: no values of secrets, and not much of anything. */
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
