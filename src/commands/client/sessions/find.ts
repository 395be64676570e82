import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import {
  fetchSession,
  listSessions,
  runbookOf,
  type RecordedSession,
  type SessionFilter,
} from '../../../client/rest/sessions.ts'
import { outcomeOf, STATE_NAMES, type Outcome, type SessionKind } from '../../../contract/session-state.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'

/** One page of a gateway has at most this number of sessions. */
const PAGE = 100
/** An id is searched among this number of newest sessions. */
const SEARCHED = 1000
/** Gateways do not accept a larger offset. */
const LAST_OFFSET = 10_000
const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** What the gateway has looked at for a text, and how many parameters it has searched only in part. */
export interface TextSearch {
  readonly lookedAt: NonNullable<Awaited<ReturnType<typeof listSessions>>['lookedAt']>
  readonly shortened: number
}

export type SessionWish = Omit<SessionFilter, 'limit' | 'offset' | 'correlationId'>

/**
 * Yields up to `count` sessions, the newest first. Checks whether each session matches, because a gateway may
 * ignore a filter.
 * @param onSearch called with what a search for a text has looked at
 * @throws ApiError
 */
export async function* newest(
  account: Account,
  wish: SessionWish,
  count: number,
  onSearch: (search: TextSearch) => void = () => undefined,
): AsyncGenerator<RecordedSession, void, undefined> {
  let left = count
  for (let offset = 0; left > 0 && offset <= LAST_OFFSET;) {
    const limit = isNarrow(wish) ? PAGE : Math.min(PAGE, left)
    const { sessions, hasMore, search, lookedAt } = await listSessions(account, { ...wish, limit, offset })
    if (lookedAt !== undefined && offset === 0) onSearch({ lookedAt, shortened: search?.shortened ?? 0 })
    for (const session of sessions) {
      if (left <= 0 || !isWished(session, wish)) continue
      yield session
      left -= 1
    }
    if (!hasMore || sessions.length === 0) return
    offset += sessions.length
  }
}

/** Whether there is a filter that the gateway may ignore. */
function isNarrow({ connection = '', ...wish }: SessionWish): boolean {
  const { status, runbook, kind, parameter, text, schedule } = wish
  const maybeIgnored = [status, runbook, kind, parameter, text, schedule]
  return maybeIgnored.some((one) => one !== undefined) || connection.includes('_')
}

/**
 * Whether the session matches. The connection is checked because hoop reads it as a pattern of SQL, in which
 * `_` is any character. A user who writes `%` means a pattern.
 */
function isWished(session: RecordedSession, wish: SessionWish): boolean {
  const { status, runbook, connection, kind } = wish
  if (status !== undefined && !hasStatus(session, status)) return false
  // Sessions with a `state` are from the embedded gateway, which has already filtered them.
  if (kind !== undefined && session.state === undefined && kindWord(session) !== kind) return false
  if (!hasTexts(session, wish)) return false
  if (connection !== undefined && !connection.includes('%') && session.connection !== connection) return false
  return runbook === undefined || runbookOf(session) === runbook
}

function hasStatus(session: RecordedSession, status: string): boolean {
  return [session.status, session.state?.name, outcomeWord(session)].includes(status)
}

/** Returns the outcome. hoop's sessions have no state, so status and exit code are used for them. */
function outcomeWord({ state, status, exit_code: code, review }: RecordedSession): Outcome {
  const name = STATE_NAMES.find((one) => one === state?.name)
  if (name !== undefined) return outcomeOf(name)
  if (status === 'ready') return 'approved'
  if (status === 'open') return review?.status === 'PENDING' ? 'waiting' : 'running'
  return code === 0 ? 'succeeded' : 'failed'
}

function kindWord(session: RecordedSession): SessionKind {
  if (runbookOf(session) !== undefined) return 'runbook'
  return session.verb === 'connect' ? 'terminal' : 'script'
}

/**
 * Whether the session has the parameter, the words and the schedule. Sessions with a `state` are from the
 * embedded gateway, which has already filtered them.
 */
function hasTexts(
  { state, labels = {}, ...session }: RecordedSession,
  { parameter = '', text = '', schedule = labels['runbookSchedule'] }: SessionWish,
): boolean {
  if (state !== undefined) return true
  if (labels['runbookSchedule'] !== schedule) return false
  const known = `${JSON.stringify(labels)} ${session.user} ${session.user_name}`.toLowerCase()
  const words = text.split(/\s+/).map((word) => word.toLowerCase())
  return (
    JSON.stringify(labels).toLowerCase().includes(parameter.toLowerCase()) &&
    words.every((word) => known.includes(word))
  )
}

/**
 * Finds a session by the beginning of its id.
 * @throws Failure with exit code 64 if not exactly one session matches; ApiError
 */
export async function findSession(account: Account, text: string): Promise<RecordedSession> {
  const id = await wholeId(account, text)
  try {
    return await fetchSession(account, id)
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'not-found') throw error
    const meant = await meantSession(account, text)
    throw meant === undefined ? error : new Failure(`${error.message}: ${meant}`, exitCodes.usage)
  }
}

/**
 * Returns the only id that begins with the text.
 * @throws Failure with exit code 64 if not exactly one id matches; ApiError
 */
export async function wholeId(account: Account, text: string): Promise<string> {
  if (WHOLE_ID.test(text)) return text.toLowerCase()
  const sessions: RecordedSession[] = []
  if (text !== '') for await (const session of newest(account, {}, SEARCHED)) sessions.push(session)
  const found = sessions.filter(({ id }) => id.toLowerCase().startsWith(text.toLowerCase()))
  const [only, ...others] = found
  if (only === undefined) throw noneBegins(text, sessions)
  if (others.length === 0) return only.id
  const some = found.slice(0, 5).map(({ id, connection }) => `${id} (${connection})`)
  throw new Failure(
    `${found.length} sessions have an id that begins with ${text}: ${some.map(oneLine).join(', ')}${found.length > some.length ? ', ...' : ''}`,
    exitCodes.usage,
  )
}

function noneBegins(text: string, sessions: readonly RecordedSession[]): Failure {
  const meant = didYouMean(text, beginnings(text, sessions))
  const hint = meant === undefined ? '' : `: ${meant}`
  return new Failure(
    `none of the ${SEARCHED} newest sessions has an id that begins with ${text}${hint}`,
    exitCodes.usage,
  )
}

/** Returns the beginnings of the ids. They are as long as the text, but have at least 8 characters. */
function beginnings(text: string, sessions: readonly RecordedSession[]): string[] {
  return sessions.map(({ id }) => oneLine(id.slice(0, Math.max(8, text.length))))
}

/**
 * Returns a suggestion. Returns undefined if no id is similar, or if the gateway does not list its sessions.
 */
async function meantSession(account: Account, text: string): Promise<string | undefined> {
  try {
    const { sessions } = await listSessions(account, { limit: PAGE })
    return didYouMean(text, beginnings(text, sessions))
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}
