import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine, printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { call } from '../../../client/rest/call.ts'
import { type Review, fetchReview, groupNames } from '../../../client/rest/reviews.ts'
import { fetchSession, listSessions, type RecordedSession } from '../../../client/rest/sessions.ts'
import type { Sent } from '../../../contract/contract.ts'
import { reviewContract } from '../../../contract/reviews.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import {
  asking,
  printAnswer,
  type AskingFlags,
  type ListingFlags,
  printList,
  isJson,
  unlessLacking,
} from '../asking/asking.ts'
import { askChoice, canAsk } from '../terminal/prompts.ts'
import { reviewDetails, REVIEW_COLUMNS, outcomeText, statusWord } from './texts.ts'

export interface ReviewListFlags extends ListingFlags {
  readonly status?: string
  readonly all?: boolean
}

/** Gateways send no more sessions on one page. */
const PAGE = 100
/** Number of pages in which the reviews' sessions are searched. */
const PAGES = 10

export async function reviewsCommand(flags: ReviewListFlags): Promise<number> {
  return asking(flags.profile, 'cannot list reviews', async (account, stdout) => {
    const wanted = flags.all === true ? undefined : (flags.status ?? 'pending')
    const all = await allReviews(account)
    const reviews = all.filter((review) => wanted === undefined || statusWord(review) === wanted)
    const untold = isJson(flags) ? [] : reviews.filter(({ owner }) => owner === '')
    const sessions = await fetchSessions(account, untold, wanted?.toUpperCase() ?? '%')
    const shown = reviews.map((review) => ({ ...review, about: sessions.get(review.session) }))
    await printList(flags, REVIEW_COLUMNS, shown, stdout)
  })
}

/**
 * Returns the sessions that this user may see, by id. This is for hoop's gateway, whose reviews have no
 * requester and no command.
 */
async function fetchSessions(
  account: Account,
  reviews: readonly Review[],
  status: string,
): Promise<ReadonlyMap<string, RecordedSession>> {
  const wanted = new Set(reviews.map(({ session }) => session))
  const found = new Map<string, RecordedSession>()
  try {
    for (let page = 0; page < PAGES && found.size < wanted.size; page++) {
      const where = { review: status, limit: PAGE, offset: page * PAGE }
      const { sessions, hasMore } = await listSessions(account, where)
      for (const session of sessions) if (wanted.has(session.id)) found.set(session.id, session)
      if (!hasMore) break
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
  return found
}

export async function reviewCommand(id: string, flags: AskingFlags): Promise<number> {
  return asking(flags.profile, `cannot show review ${id}`, async (account, stdout) => {
    const review = await askedReview(account, id)
    const session = isJson(flags) ? undefined : await sessionIfVisible(account, review)
    await printAnswer(flags, review.raw, () => reviewDetails(review, session), stdout)
  })
}

/** Returns undefined if this user may not see the session. @throws ApiError for any other error */
async function sessionIfVisible(account: Account, { session }: Review): Promise<RecordedSession | undefined> {
  try {
    return await fetchSession(account, session)
  } catch (error) {
    if (error instanceof ApiError && (error.kind === 'refused' || error.kind === 'not-found'))
      return undefined
    throw error
  }
}

const LIST = { things: 'reviews', endpoint: 'GET /api/reviews' }
const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Maximum number of reviews in the message about an ambiguous id. */
const NAMED = 5

/**
 * Returns the newest review first, because gateways do not promise an order.
 * @throws Failure if the gateway lacks the endpoint; ApiError
 */
async function allReviews(account: Account): Promise<readonly Review[]> {
  const reviews = await unlessLacking(account, LIST, call(account, reviewContract.list, {}))
  return reviews.toSorted((one, other) => other.created_at.localeCompare(one.created_at))
}

/**
 * Finds a review by the beginning of its id, or of its session's id.
 * @throws Failure with exit code 64 if not exactly one review matches; ApiError
 */
async function askedReview(account: Account, text: string): Promise<Review> {
  if (!WHOLE_ID.test(text)) return reviewBeginning(account, text.toLowerCase())
  try {
    return await fetchReview(account, text.toLowerCase())
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
    throw noneBegins(text, await allReviews(account))
  }
}

async function reviewBeginning(account: Account, text: string): Promise<Review> {
  const reviews = await allReviews(account)
  const found = reviews.filter((review) => text !== '' && idsOf(review).some((id) => id.startsWith(text)))
  const [only, ...others] = found
  if (only === undefined) throw noneBegins(text, reviews)
  // The review is requested, because the list has only some fields of a review.
  if (others.length === 0) return fetchReview(account, only.id)
  const some = found.slice(0, NAMED).map(({ id, session }) => oneLine(`${id} (session ${session})`))
  throw new Failure(
    `${found.length} reviews have an id that begins with ${oneLine(text)}: ${some.join(', ')}${found.length > NAMED ? ', ...' : ''}`,
    exitCodes.usage,
  )
}

function idsOf({ id, session }: Review): string[] {
  return [id, session].map((one) => one.toLowerCase())
}

function noneBegins(text: string, reviews: readonly Review[]): Failure {
  const known = reviews.flatMap(idsOf).map((id) => id.slice(0, Math.max(8, text.length)))
  const meant = didYouMean(text, known)
  const hint = meant === undefined ? '' : `: ${oneLine(meant)}`
  return new Failure(
    `no review, and no session with a review, has an id that begins with ${oneLine(text)}${hint}`,
    exitCodes.usage,
  )
}

type Decision = Sent<typeof reviewContract.decide>

interface DecideFlags extends AskingFlags {
  readonly force?: boolean
  readonly quiet?: boolean
}

export interface ApproveFlags extends DecideFlags {
  readonly yes?: boolean
  readonly window?: string
  readonly comment?: string
}

export interface RejectFlags extends DecideFlags {
  readonly reason?: string
}

export async function approveCommand(id: string, flags: ApproveFlags): Promise<number> {
  const { window, comment } = flags
  const given = {
    ...(window !== undefined && { time_window: windowIn(window) }),
    ...(comment !== undefined && { comment }),
  }
  const asks = flags.yes !== true && canAsk()
  return decide('approve', id, { status: 'APPROVED', ...given }, flags, asks ? showAndAsk : undefined)
}

export async function rejectCommand(id: string, flags: RejectFlags): Promise<number> {
  const { reason } = flags
  const given = reason !== undefined && { rejection_reason: reason }
  return decide('reject', id, { status: 'REJECTED', ...given }, flags)
}

/**
 * Shows the whole request and asks for a yes, because approvers have to see what they approve.
 * @throws Failure if the gateway does not show the session, or the user does not approve
 */
async function showAndAsk(account: Account, review: Review): Promise<void> {
  if (review.status !== 'PENDING') return
  const session = await sessionIfVisible(account, review)
  process.stderr.write(reviewDetails(review, session))
  if (review.is_shortened === true || session?.is_shortened === true)
    throw new Failure(
      'the gateway has lost a part of this request, so nobody can see it whole, and nothing was sent; reject it, and ask for it again',
      exitCodes.refused,
    )
  if (session === undefined)
    throw new Failure(
      'the gateway does not show you what would run, so nothing was sent; use --yes only if you know what would run',
      exitCodes.refused,
    )
  const choices = [
    { name: 'No, send nothing', value: 'no' },
    { name: 'Yes, approve exactly this', value: 'yes' },
  ]
  if ((await askChoice('Approve what is shown above?', choices, 'no')) !== 'yes')
    throw new Failure('not approved: nothing was sent', exitCodes.interrupted)
}

async function decide(
  verb: string,
  id: string,
  decision: Decision,
  flags: DecideFlags,
  checkBefore?: (account: Account, review: Review) => Promise<void>,
): Promise<number> {
  return asking(flags.profile, `cannot ${verb} review ${id}`, async (account, stdout) => {
    const before = await askedReview(account, id)
    await checkBefore?.(account, before)
    const after = await decided(account, before.id, {
      ...decision,
      ...(flags.force === true && { force_review: true }),
    })
    if (flags.json === true) await stdout.write(Buffer.from(`${printableJson(after.raw, 2)}\n`))
    checkEffect(before, after)
    if (flags.json !== true && flags.quiet !== true) process.stderr.write(`${outcomeText(after)}\n`)
  })
}

/** For a mistake of the caller, hoop's gateway answers with status 500 and this prefix before the reason. */
const HOOP_PREFIX = 'failed updating review status: '

async function decided(account: Account, id: string, body: Decision): Promise<Review> {
  try {
    return await call(account, reviewContract.decide, { id }, { body })
  } catch (error) {
    if (!(error instanceof ApiError) || !error.message.startsWith(HOOP_PREFIX)) throw error
    throw new ApiError('invalid', error.message.slice(HOOP_PREFIX.length), error)
  }
}

/**
 * Refuses a decision that changed nothing. Gateways accept a decision of a user who is in none of the groups,
 * but ignore it.
 * @throws Failure
 */
function checkEffect(before: Review, after: Review): void {
  const isSame = after.status === before.status && count(after) === count(before)
  if (!isSame || after.status !== 'PENDING') return
  const groups = groupNames(after).join(', ')
  throw new Failure(
    oneLine(
      `your decision changed nothing: only members of ${groups} may decide, or you have already decided`,
    ),
    exitCodes.refused,
  )
}

function count({ review_groups_data: groups }: Review): number {
  return groups.filter(({ status }) => status !== 'PENDING').length
}

const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d'
const WINDOW = new RegExp(`^(${TIME})-(${TIME})$`)

/**
 * Returns the window in hoop's form. The embedded gateway does not need `type`.
 * @throws Failure, exit code 64
 */
function windowIn(text: string): object {
  const [, start, end] = WINDOW.exec(text) ?? []
  if (start !== undefined && end !== undefined && start !== end)
    return { type: 'time_range', configuration: { start_time: start, end_time: end } }
  throw new Failure(
    'the value of --window is two different times of day in UTC, such as 01:00-05:00',
    exitCodes.usage,
  )
}
