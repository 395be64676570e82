import type { FastifyInstance } from 'fastify'
import type { History } from '../history/history.ts'
import type { SessionRecord } from '../history/session.ts'
import type { UserSettings } from '../settings/settings.ts'
import { checkLimits, readBody, sessionBody } from './body.ts'
import { HttpError } from './http-error.ts'
import { executionRequest } from './runbooks.ts'
import type { RestServices } from './services.ts'

/** Largest event stream in one answer; more is read with a smaller range by `/result/stream` of hoop, which is not here yet. */
const MAX_STREAM_BYTES = 110 * 1024 * 1024

/** Ad-hoc executions, reading a session back, and ending one. */
export function sessionRoutes(app: FastifyInstance, services: RestServices): void {
  app.post('/api/sessions', async (request, reply) => {
    const { user } = request
    const body = readBody(sessionBody, request.body)
    checkLimits(body)
    const connection = services.access.connection(
      user,
      body.connection,
      400,
      `connection ${body.connection} not found`,
    )
    const common = executionRequest({
      user,
      connection,
      body,
      script: Buffer.from(body.script),
      envVars: new Map(Object.entries(body.env_vars)),
    })
    const { status, body: answer } = await services.executions.execute({
      ...common,
      origin: 'client-api',
      labels: ownLabels(body.labels),
    })
    return reply.code(status).send(answer)
  })

  app.get<{ Params: { id: string }; Querystring: Record<string, unknown> }>(
    '/api/sessions/:id',
    (request) => {
      const { user } = request
      const session = findSession(services, user, request.params.id)
      return describe(services.history, session, request.query)
    },
  )

  app.post<{ Params: { id: string } }>('/api/sessions/:id/kill', async (request, reply) => {
    const { user } = request
    const session = findSession(services, user, request.params.id)
    services.sessions.kill(session.id)
    return reply.code(204).send()
  })
}

/** What the gateway itself says of runbooks cannot be claimed by a caller. */
function ownLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('runbook')))
}

function findSession(services: RestServices, user: UserSettings, id: string): SessionRecord {
  const session = services.history.session(id)
  if (session === undefined || !services.access.owns(user, session))
    throw new HttpError(404, 'session not found')
  return session
}

/** As hoop answers (protocol.md 10.4): the script is there unless something else was asked to be expanded. */
function describe(history: History, session: SessionRecord, query: Record<string, unknown>): object {
  const expand = typeof query['expand'] === 'string' ? query['expand'].split(',') : []
  const withScript = expand.length === 0 || expand.includes('session_input')
  return {
    id: session.id,
    user_name: session.user,
    connection: session.connection,
    type: session.connectionType,
    connection_subtype: session.connectionSubtype ?? null,
    verb: session.verb,
    origin: session.origin,
    labels: session.labels,
    metadata: session.metadata,
    session_batch_id: session.sessionBatchId ?? null,
    correlation_id: session.correlationId ?? null,
    status: session.status,
    exit_code: session.exitCode ?? null,
    start_date: session.startedAt.toISOString(),
    end_date: session.endedAt?.toISOString() ?? null,
    truncated_bytes: session.truncatedBytes,
    script: { data: withScript ? session.script.toString('utf8') : '' },
    ...(expand.includes('event_stream') && {
      event_stream: eventStream(history, session.id, query['event_stream']),
    }),
  }
}

function eventStream(history: History, id: string, form: unknown): unknown[] {
  if (form !== 'utf8' && form !== 'base64') {
    return [...history.events(id)].map(({ seconds, kind, bytes }) => [
      seconds,
      kind,
      bytes.toString('base64'),
    ])
  }
  return [history.output(id, MAX_STREAM_BYTES).bytes.toString(form)]
}
