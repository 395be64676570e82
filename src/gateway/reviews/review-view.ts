import type { ReviewAnswer, ReviewInSession } from '../../contract/reviews.ts'
import type { GroupReview, Review } from './review.ts'

/** Returns the review as hoop's contract has it inside a session, followed by fields of our own. */
export function reviewInSession(review: Review): ReviewInSession {
  const { scriptDigest, clientArgs, envVars } = review.shown
  return {
    id: review.id,
    type: review.type,
    access_duration: review.accessMs * 1e6,
    status: review.status,
    revoke_at: dateOf(review.revokeAt),
    created_at: new Date(review.createdAt).toISOString(),
    review_groups_data: review.groups.map(groupView),
    time_window: windowView(review),
    access_request_rule_name: review.rule ?? null,
    min_approvals: review.minimum,
    force_approval_groups: review.forceGroups,
    ...(review.rejectionReason !== undefined && { rejection_reason: review.rejectionReason }),
    connection: review.connection,
    owner: review.owner,
    ...(review.runbook !== undefined && { runbook: review.runbook }),
    expires_at: new Date(review.expiresAt).toISOString(),
    ...(scriptDigest.kind === 'sha256'
      ? { script_sha256: scriptDigest.hex }
      : { script_hmac_sha256: scriptDigest.hex }),
    client_args: clientArgs,
    env_vars: envVars,
    ...(review.whenApproved === true && { when_approved: true }),
    ...(review.status === 'APPROVED' && review.held !== undefined && { held: review.held }),
    ...(review.needs !== undefined && { needs: review.needs }),
    ...(review.batch !== undefined && { batch: review.batch }),
  }
}

/** @param can what the caller may do about the review */
export function reviewView(review: Review, can: ReviewAnswer['can']): ReviewAnswer {
  return { ...reviewInSession(review), session: review.sessionId, can }
}

/** Users have only names here, so the name fills hoop's other fields as well. */
function groupView({
  id,
  group,
  status,
  reviewedBy: name,
  reviewedAt,
  forced,
  comment,
}: GroupReview): ReviewAnswer['review_groups_data'][number] {
  return {
    id,
    group,
    status,
    reviewed_by: name === undefined ? null : { id: name, name, email: name, slack_id: '' },
    review_date: dateOf(reviewedAt),
    forced_review: forced,
    ...(comment !== undefined && { comment }),
  }
}

function windowView({ timeWindow }: Review): ReviewAnswer['time_window'] {
  if (timeWindow === undefined) return null
  return {
    type: 'time_range',
    configuration: { start_time: timeWindow.start, end_time: timeWindow.end },
  }
}

function dateOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
