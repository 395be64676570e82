import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/one-line.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { call } from '../../../client/rest/call.ts'
import { fetchReview, type Review } from '../../../client/rest/reviews.ts'
import { reviewContract } from '../../../contract/reviews.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { unlessLacking } from '../asking/asking.ts'

const LIST = { things: 'reviews', endpoint: 'GET /api/reviews' }
const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** Most reviews in the message about an ambiguous id. */
const NAMED = 5

/**
 * All reviews, the newest first: gateways promise no order.
 * @throws Failure when the gateway has no reviews; ApiError
 */
export async function allReviews(account: Account): Promise<readonly Review[]> {
  const reviews = await unlessLacking(account, LIST, call(account, reviewContract.list, {}))
  return reviews.toSorted((one, other) => other.created_at.localeCompare(one.created_at))
}

/**
 * The review whose id, or whose session's id, begins with the text.
 * @throws Failure, exit code 64, when there is none or more than one; ApiError
 */
export async function askedReview(account: Account, text: string): Promise<Review> {
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
  // A list has only a part of each review.
  if (others.length === 0) return fetchReview(account, only.id)
  const some = found.slice(0, NAMED).map(({ id, session }) => oneLine(`${id} (session ${session})`))
  throw new Failure(
    `${found.length} reviews begin with ${oneLine(text)}: ${some.join(', ')}${found.length > NAMED ? ', ...' : ''}`,
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
    `the gateway has no review ${oneLine(text)}, and no review of such a session${hint}`,
    exitCodes.usage,
  )
}
