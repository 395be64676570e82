import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import type { Review } from '../../../client/rest/reviews.ts'
import { fetchSession, listSessions, type RecordedSession } from '../../../client/rest/sessions.ts'
import { asking, printAnswer, type AskingFlags, printList, isJson } from '../asking/asking.ts'
import { allReviews, askedReview } from './find.ts'
import { reviewDetails, REVIEW_COLUMNS } from './texts.ts'

export interface ReviewListFlags extends AskingFlags {
  readonly status?: string
  readonly all?: boolean
}

/** Sessions per page, the most that gateways send. */
const PAGE = 100
/** Pages of sessions in which the sessions of the reviews are searched. */
const PAGES = 10

/** `runbook-agent reviews list`: the waiting reviews, unless the flags ask for others. */
export async function reviewsCommand(flags: ReviewListFlags): Promise<number> {
  return asking(flags.profile, 'cannot list reviews', async (account, stdout) => {
    const wanted = flags.all === true ? undefined : (flags.status ?? 'PENDING').toUpperCase()
    const all = await allReviews(account)
    const reviews = all.filter(({ status }) => wanted === undefined || status === wanted)
    const sessions = isJson(flags)
      ? new Map<string, RecordedSession>()
      : await sessionsOf(account, reviews, wanted ?? '%')
    const shown = reviews.map((review) => ({ ...review, about: sessions.get(review.session) }))
    await printList(flags, REVIEW_COLUMNS, shown, stdout)
  })
}

/**
 * The sessions of the reviews, by id, as far as this user may see them: reviews themselves do not tell what would run.
 */
async function sessionsOf(
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

/** Undefined where this user may not see the session. @throws ApiError for everything else */
async function sessionIfVisible(account: Account, { session }: Review): Promise<RecordedSession | undefined> {
  try {
    return await fetchSession(account, session)
  } catch (error) {
    if (error instanceof ApiError && (error.kind === 'refused' || error.kind === 'not-found'))
      return undefined
    throw error
  }
}
