import { epochRoom } from './agents/epoch-rows.ts'
import { batchRoom } from './batches/batch-rows.ts'
import { History, type HistoryOptions } from './history/history.ts'
import type { SessionParts } from './history/rows.ts'
import { sessionRoom } from './history/session-schema.ts'
import { ISSUE_FILTERS, issueOfSession, issueRoom } from './jira/issue-rows.ts'
import { auditRoom, sessionFacts } from './people/audit/audit-rows.ts'
import { budgetRoom } from './people/identities/budgets.ts'
import { tokenRoom, userRoom } from './people/identities/identity-rows.ts'
import { IS_REVOCABLE, REVIEW_FILTERS, reviewOfSession, reviewRoom } from './reviews/review-rows.ts'
import { scheduleRoom } from './schedules/schedule-rows.ts'
import { layoutOf, type Rooms } from './store/room.ts'
import { webhookRoom } from './webhooks/webhook-rows.ts'

const OF_SESSIONS: SessionParts = {
  facts: { review: reviewOfSession, issue: issueOfSession },
  filters: { ...REVIEW_FILTERS, ...ISSUE_FILTERS },
  keeps: IS_REVOCABLE,
  begun: ({ audit }, row, asking) => void audit.append(sessionFacts(row, asking)),
}

export const ROOMS: Rooms = {
  sessions: sessionRoom(OF_SESSIONS),
  reviews: reviewRoom,
  batches: batchRoom,
  issues: issueRoom,
  webhooks: webhookRoom,
  users: userRoom,
  tokens: tokenRoom,
  schedules: scheduleRoom,
  budgets: budgetRoom,
  audit: auditRoom,
  epochs: epochRoom,
}

export const LAYOUT = layoutOf(ROOMS)

export const NEWEST_VERSION = LAYOUT.steps.length

export function openHistory(path: string, options: HistoryOptions = {}): History {
  return History.open(path, ROOMS, options)
}
