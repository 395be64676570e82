import { oneLine, printableLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'

/** Short: the line about the wait is useful without the groups, too. */
const PATIENCE_MS = 3000

interface AwaitedReviewers {
  readonly groups: readonly string[]
  /** The number of groups that have to approve; undefined when the review does not say. */
  readonly needed: number | undefined
}

/** @returns no groups when the gateway does not send them */
export async function awaitedReviewers(account: Account, session: string): Promise<AwaitedReviewers> {
  const { fetchReview, groupNames, neededApprovals } = await import('../../../client/rest/reviews.ts')
  try {
    const review = await fetchReview(account, session, PATIENCE_MS)
    return { groups: groupNames(review), needed: neededApprovals(review) }
  } catch (error) {
    if (error instanceof ApiError) return { groups: [], needed: undefined }
    throw error
  }
}

/** Returns printable text: `waiting for approval by 2 of dba, sre, boss: https://...`. */
export function waitingText({ groups, needed }: AwaitedReviewers, url: string): string {
  const names = groups.join(', ')
  const who = groups.length > 1 && needed !== undefined ? `${needed} of ${names}` : names
  return printableLine(`waiting for approval${who === '' ? '' : ` by ${who}`}: ${url}`)
}

/**
 * Returns the commands for a session that was left while it waits.
 * @param whenApproved the gateway itself runs it
 */
export function waysBack(session: string, whenApproved = false): string {
  const id = oneLine(session)
  return [
    ...(whenApproved ? ['  the gateway runs it when it is approved'] : []),
    `  who has decided:      runbook-agent reviews show ${id}`,
    ...(whenApproved ? [] : [`  run it when approved: runbook-agent sessions exec ${id}`]),
    `  see it when it runs:  runbook-agent sessions follow ${id}`,
  ].join('\n')
}
