import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditLog } from '../../../people/audit/audit-log.ts'
import { auditFacts, type AuditFacts } from '../../../people/audit/entry.ts'
import { redacted } from '../../../people/audit/redacted.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, where it is no user with a token: the audit log names him. */
    auditedActor?: string
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
  const isSignIn = auditedOf(request)?.action === 'sign-in'
  // Failed ones are counted where they fail, those over gRPC, too.
  const isRefused = statusCode === 401 || reply.hasHeader('retry-after')
  if (isRefused && (isSignIn || isByToken(request))) return
  if (auditedOf(request) === undefined) return
  const facts = { ...factsOf(request, statusCode), ...toldBy(reply, payload) }
  if (request.auditedAt !== undefined) audit.conclude(facts, request.auditedAt)
  else if (isSignIn) audit.note(facts)
  // The session that has begun has an entry of its own.
  else if (facts.action !== 'execute' || !facts.outcome) audit.noteOnce(facts)
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
    ...actorOf(request, action),
    action,
    resource_type: type,
    resource_id: (id || name).slice(0, MAX_PATH).toWellFormed(),
    http_method: request.method,
    http_path: (request.url.split('?')[0] ?? '').slice(0, MAX_PATH),
    http_status: status,
    client_ip: request.ip,
    request_payload_redacted: redacted(request.body),
    outcome: status < 400,
  })
}

/** Who asks, whose link it is, or who signs in. */
function actorOf(
  request: FastifyRequest,
  action: AuditFacts['action'],
): Pick<AuditFacts, 'actor' | 'token_id' | 'token_name'> {
  // Both are undefined where nobody had to say who he is.
  const { user, token } = request as Partial<Pick<FastifyRequest, 'user' | 'token'>>
  const { email } = (request.body ?? {}) as { readonly email?: unknown }
  const said = action === 'sign-in' && typeof email === 'string' ? email : ''
  const actor = request.auditedActor ?? user?.name ?? said
  return {
    actor: actor.slice(0, MAX_PATH).toWellFormed(),
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

function isByToken({ headers, routeOptions }: FastifyRequest): boolean {
  const hasToken = headers.authorization !== undefined || headers['api-key'] !== undefined
  return hasToken && routeOptions.config.operation?.role !== 'public'
}
