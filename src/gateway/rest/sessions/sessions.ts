import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { AnswerOf } from '../../../contract/contract.ts'
import { momentIn } from '../../../contract/words.ts'
import { sessionContract, sessionListContract, sessionStreamContract } from '../../../contract/sessions.ts'
import { OUTCOMES, SESSION_KINDS, type Outcome, type SessionKind } from '../../../contract/session-state.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { checkMetadata } from '../../executions/limits.ts'
import type { Asked, Handlers } from '../../handlers.ts'
import type { HistoryPage, PlacedSession, SessionQuery, SessionSummary } from '../../history/session.ts'
import type { GatewayUser } from '../../identity.ts'
import type { Users } from '../../people/identities/users.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'
import { readExecBody } from '../body.ts'
import { EventStreams } from '../event-streams.ts'
import { firstOption, type Query, type Scopes } from '../mount.ts'
import type { RestServices } from '../services.ts'
import { sessionsByDay } from './by-day.ts'
import { asksForDownload, downloadRoutes, sendDownloadLink, DownloadTokens } from './downloads.ts'
import { liveRoute, outputRange } from './live-streams.ts'
import { listStatements } from './statements.ts'
import { sendResult, listedSession, scriptLine, sendSession, type SessionOfUser } from './session-view.ts'

/** Answers that are streams or files, and those that a stream's options change. */
export function sessionStreamRoutes({ app, withBodies }: Scopes, services: RestServices): void {
  readingRoutes(app, services)
  exportRoute(app, services)
  liveRoute(app, services, ({ user }, id) => readableSession(services, user, id))
  metadataRoute(withBodies, services)
}

export function sessionRoutes(services: RestServices): Handlers<typeof sessionContract> {
  const { history, users } = services
  return {
    byDay: ({ user, query }) => {
      const options = readListOptions(query, groupsSeenBy(users, user))
      const asked = { days: query.days, timeZone: query.time_zone }
      return sessionsByDay(history, { ...options, viewer: users.viewer(user) }, asked)
    },
    output: ({ user, params, query }) =>
      outputRange(services.history, readableSession(services, user, params.id), query),
    statements: ({ user, params, query }) =>
      listStatements(services.history, readableSession(services, user, params.id), query),
    kill: ({ user, params }) => {
      const { id } = ownSession(services, user, params.id)
      const isRunning = services.sessions.kill(id, user.name)
      if (!isRunning) services.reviews.cancel(id, hoopWords.sessionKilled, user.name)
      return undefined
    },
  }
}

function readingRoutes(app: FastifyInstance, services: RestServices): void {
  const { history, users } = services

  const tokens = new DownloadTokens(() => users.now)
  downloadRoutes(app, services, tokens, (user, id) => visibleSession(services, user, id))

  app.get<{ Params: { id: string }; Querystring: Query }>('/api/sessions/:id', (request, reply) => {
    const { user, params, query } = request
    const found = visibleSession(services, user, params.id, hoopWords.notFound)
    if (!asksForDownload(query)) return sendSession(reply, services, found, query)
    if (!found.withOutput) throw new RequestRefused('not-permitted', hoopWords.notToDownload)
    return sendDownloadLink(request, reply, found.session, tokens)
  })

  const results = new EventStreams('results')
  app.get<{ Params: { id: string }; Querystring: Query }>(
    '/api/sessions/:id/result/stream',
    (request, reply) => {
      const { user, params, query } = request
      const session = readableSession(services, user, params.id, hoopWords.notFound)
      results.admit(request, reply)
      return sendResult(reply, history, session, query)
    },
  )
}

/**
 * Lists a user's own sessions, sessions that their groups review, and sessions of connections whose setting
 * `sessions` shows them to others. Admins and auditors see all sessions. The option `user` does not show more
 * sessions.
 */
export function sessionListRoutes(services: RestServices): Handlers<typeof sessionListContract> {
  const { users, history, longWork } = services
  const list = async ({ user, query }: Asked<(typeof sessionListContract)['list']>) => {
    const options = readListOptions(query, groupsSeenBy(users, user))
    const read = () => listView(services, history.list({ ...options, viewer: users.viewer(user) }))
    return options.parameter === undefined ? read() : longWork.run(user.name, read)
  }
  return { list, listByOldName: list }
}

function listView(
  services: RestServices,
  { sessions, total, isCapped, hasMore, searched }: HistoryPage,
): AnswerOf<(typeof sessionListContract)['list'], 200> {
  return {
    data: sessions.map((session) => ({
      ...listedSession(services, session),
      ...scriptLine(services.history, session),
    })),
    total: total ?? null,
    total_is_capped: isCapped,
    has_next_page: hasMore,
    ...(searched !== undefined && {
      parameter_search: {
        searched: searched.sessions,
        is_complete: searched.areAll,
        shortened: searched.shortened,
      },
    }),
  }
}

/** Changes only the user's own session: as in hoop, not even admins replace the metadata of others. */
function metadataRoute(app: FastifyInstance, { history }: RestServices): void {
  app.patch<{ Params: { id: string } }>('/api/sessions/:id/metadata', ({ user, params, body }, reply) => {
    const session = history.session(params.id)
    if (session?.user !== user.name || body === null || body === undefined)
      throw new RequestRefused('session-not-found', hoopWords.notFound)
    const { metadata } = readExecBody(sessionStreamContract.metadata.body, body)
    checkMetadata(metadata)
    if (!history.setMetadata(session.id, metadata))
      throw new RequestRefused('session-not-found', hoopWords.notFound)
    return reply.code(204).send()
  })
}

type Finding = Pick<RestServices, 'history' | 'users' | 'reviews'>

/** A session that the user may end. @throws RequestRefused 404 */
function ownSession({ history, users }: Finding, user: GatewayUser, id: string): SessionSummary {
  const session = history.session(id)
  if (session === undefined || !users.owns(user, session)) throw notFound(hoopWords.sessionNotFound)
  return session
}

/** Reviewers see the session and its script, but no output. @throws RequestRefused 404 */
function visibleSession(
  { history, users, reviews }: Finding,
  user: GatewayUser,
  id: string,
  missing: string = hoopWords.sessionNotFound,
): SessionOfUser {
  const session = history.session(id)
  if (session === undefined) throw notFound(missing)
  if (users.reads(user, session)) return { session, withOutput: true }
  if (session.review === undefined || !reviews.isConcerned(user, session.review)) throw notFound(missing)
  return { session, withOutput: false }
}

/** A session whose output the user may see. @throws RequestRefused 404, 403 for reviewers */
function readableSession(services: Finding, user: GatewayUser, id: string, missing?: string): SessionSummary {
  const { session, withOutput } = visibleSession(services, user, id, missing)
  if (!withOutput) throw new RequestRefused('not-permitted', hoopWords.notToStream)
  return session
}

function notFound(text: string): RequestRefused {
  return new RequestRefused('session-not-found', text)
}

/** Hides a user's groups from other callers, so that the list does not reveal who is in which group. */
function groupsSeenBy(users: Users, user: GatewayUser): (name: string) => readonly string[] {
  return (name) => (name === user.name || users.seesAll(user) ? (users.named(name)?.groups ?? []) : [])
}

const DEFAULT_LIMIT = 20
/** As in hoop, a larger limit is lowered instead of refused. */
const MAX_LIMIT = 100
const MAX_OFFSET = 10_000

/**
 * Reads the options of the list. Unknown options are ignored.
 * @param groupsOf groups of a user, for the option that names a reviewer
 * @throws RequestRefused 422 with hoop's texts
 */
export function readListOptions(
  query: Query,
  groupsOf: (user: string) => readonly string[] = () => [],
): SessionQuery {
  const correlationId = firstOption(query, 'correlation_id')
  const approver = firstOption(query, 'review.approver')
  return {
    user: firstOption(query, 'user'),
    connection: firstOption(query, 'connection'),
    connectionType: firstOption(query, 'type'),
    runbook: filledOption(query, 'runbook'),
    outcomes: readOutcomes(query),
    kind: readKind(query),
    parameter: filledOption(query, 'parameter'),
    correlationId: correlationId === '' ? undefined : correlationId,
    sessionBatchId: firstOption(query, 'batch_id'),
    reviewStatus: firstOption(query, 'review.status'),
    reviewGroups: approver === undefined ? undefined : groupsOf(approver),
    issueKeys: readKeys(query),
    from: readDate(query, 'start_date'),
    to: readDate(query, 'end_date'),
    limit: readLimit(query),
    offset: readOffset(query),
    count: readCount(query),
  }
}

function filledOption(query: Query, option: string): string | undefined {
  const text = firstOption(query, option)
  return text === '' ? undefined : text
}

/** Maps hoop's words for a status to this gateway's outcomes. */
const HOOPS: ReadonlyMap<string, readonly Outcome[]> = new Map([
  ['open', ['waiting', 'running']],
  ['ready', ['approved']],
  ['done', ['succeeded', 'failed', 'stopped', 'rejected']],
])

function readOutcomes(query: Query): readonly Outcome[] | undefined {
  const words = filledOption(query, 'status')?.split(',')
  return words?.flatMap((word) => {
    const found = HOOPS.get(word) ?? OUTCOMES.filter((outcome) => outcome === word)
    if (found.length > 0) return found
    const accepted = `expected one of [${[...OUTCOMES, ...HOOPS.keys()].join(' ')}]`
    throw invalid('status', `invalid status ${JSON.stringify(word)}, ${accepted}`)
  })
}

function readKind(query: Query): SessionKind | undefined {
  const text = filledOption(query, 'kind')
  const kind = SESSION_KINDS.find((one) => one === text)
  if (kind !== undefined || text === undefined) return kind
  throw invalid('kind', `invalid kind ${JSON.stringify(text)}, expected one of [${SESSION_KINDS.join(' ')}]`)
}

function readKeys(query: Query): readonly string[] | undefined {
  const keys = firstOption(query, 'jira_issue_key')
    ?.split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
  return keys === undefined || keys.length === 0 ? undefined : keys
}

function readLimit(query: Query): number {
  const limit = readNumber(query, 'limit') ?? DEFAULT_LIMIT
  if (limit < 1) throw invalid('limit', `must be at least 1, got ${limit}`)
  return Math.min(limit, MAX_LIMIT)
}

function readOffset(query: Query): number {
  const offset = readNumber(query, 'offset') ?? 0
  if (offset < 0) throw invalid('offset', `must not be negative, got ${offset}`)
  if (offset > MAX_OFFSET) {
    const advice = 'narrow the result set with a filter instead of paginating deeper'
    throw invalid('offset', `must not be greater than ${MAX_OFFSET}, got ${offset}; ${advice}`)
  }
  return offset
}

/** Place after which an export continues. @throws RequestRefused 422 */
function readPlace(query: Query): number {
  const place = readNumber(query, 'after') ?? 0
  if (place < 0) throw invalid('after', `must not be negative, got ${place}`)
  return place
}

const COUNTS = ['exact', 'none', 'capped'] as const

function readCount(query: Query): SessionQuery['count'] {
  const text = firstOption(query, 'count') ?? ''
  if (text === '') return undefined
  const count = COUNTS.find((each) => each === text)
  if (count !== undefined) return count
  const accepted = `expected one of [${COUNTS.join(' ')}]`
  throw invalid('count', `invalid count value ${JSON.stringify(text)}, ${accepted}`)
}

function readNumber(query: Query, option: string): number | undefined {
  const text = firstOption(query, option)
  if (text === undefined) return undefined
  if (!/^[+-]?\d{1,15}$/.test(text)) throw invalid(option, `${JSON.stringify(text)} is not a number`)
  // -0 becomes 0, as in Go.
  return Number(text) + 0
}

function readDate(query: Query, option: string): Date | undefined {
  const text = firstOption(query, option)
  if (text === undefined) return undefined
  const date = momentIn(text)
  if (date !== undefined) return date
  throw invalid(option, 'start_date or end_date in wrong format')
}

function invalid(option: string, reason: string): RequestRefused {
  return new RequestRefused('invalid-request', hoopWords.invalidListOption(option, reason), 422)
}

/** Each stream keeps some sessions in memory for a slow reader, at most 3 MiB. */
const LIMITS = { streams: 16, ofOneUser: 4, reserved: 0, pieceMs: 60_000, closingMs: 1000 }

/** Sends lines of JSON, each with the place after which an export continues. */
export function exportRoute(app: FastifyInstance, services: RestServices, limits = LIMITS): void {
  const { users, history } = services
  const streams = new EventStreams('exports', limits, 'application/x-ndjson')
  app.addHook('preClose', async () => streams.close())
  app.get<{ Querystring: Query }>(
    '/api/sessions/export',
    // There is no HEAD, because fastify would read the whole export for it.
    { exposeHeadRoute: false },
    (request, reply) => {
      const { user, query } = request
      streams.checkRoom(user.name)
      const options = readListOptions(query, groupsSeenBy(users, user))
      const found = history.walk({ ...options, viewer: users.viewer(user) }, readPlace(query))
      const source = { [Symbol.dispose]: () => void found.return() }
      return streams.send(request, reply, source, (_, closing) => lines(services, found, closing))
    },
  )
}

/**
 * Yields the lines. Throws when the gateway stops, because an export that is cut off must not look complete.
 */
async function* lines(
  services: RestServices,
  found: Iterable<readonly PlacedSession[]>,
  closing: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  for (const sessions of found) {
    if (closing.aborted) throw new Error('the export was cut off')
    const text = sessions.map((placed) => lineOf(services, placed)).join('')
    if (text !== '') yield text
    await setImmediate()
  }
}

function lineOf(services: RestServices, { place, session }: PlacedSession): string {
  return `${JSON.stringify({ ...listedSession(services, session), cursor: String(place) })}\n`
}
