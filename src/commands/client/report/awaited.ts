import { groupsText } from '../../../basics/text/lists.ts'
import { oneLine, printableLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'

/** The wait is short, because the line about the wait is useful without groups, too. */
const PATIENCE_MS = 3000

interface AwaitedReviewers {
  readonly groups: readonly string[]
  /** Number of groups that have to approve. Undefined if the review does not say it. */
  readonly needed: number | undefined
}

/** Returns no groups if the gateway does not send the review. */
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

/** Returns a printable text such as `waiting for approval by 2 of dba, sre, boss: https://...`. */
export function waitingText({ groups, needed }: AwaitedReviewers, url?: string): string {
  const who = needed === undefined ? groups.join(', ') : groupsText(groups, needed)
  return printableLine(
    `waiting for approval${who === '' ? '' : ` by ${who}`}${url === undefined ? '' : `: ${url}`}`,
  )
}

/**
 * Returns the commands with which the user can continue with a waiting session after leaving it.
 * @param whenApproved the gateway itself runs the session after the approval
 */
export function waysBack(session: string, whenApproved = false): string {
  const id = oneLine(session)
  return ways(id, whenApproved, { run: `sessions exec ${id}`, see: `sessions follow ${id}` })
}

/** Returns the commands with which the user can continue with a waiting batch. @param id of the batch */
export function waysBackToBatch(id: string, session: string, whenApproved = false): string {
  return ways(oneLine(session), whenApproved, { run: `batches exec ${id}`, see: `batches show ${id}` })
}

function ways(session: string, whenApproved: boolean, commands: { run: string; see: string }): string {
  return [
    ...(whenApproved ? ['  the gateway runs it when it is approved'] : []),
    `  who has decided:      runbook-agent reviews show ${session}`,
    ...(whenApproved ? [] : [`  run it when approved: runbook-agent ${commands.run}`]),
    `  see it when it runs:  runbook-agent ${commands.see}`,
  ].join('\n')
}
