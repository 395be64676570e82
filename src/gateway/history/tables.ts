import { BudgetRows } from '../people/identities/budget-rows.ts'
import { TokenRows } from '../people/identities/token-rows.ts'
import { UserRows } from '../people/identities/user-rows.ts'
import { BatchRows } from '../batches/batch-rows.ts'
import { AuditRows } from '../people/audit/audit-rows.ts'
import { IssueRows } from '../jira/issue-rows.ts'
import { ReviewRows } from '../reviews/review-rows.ts'
import { ScheduleRows } from '../schedules/schedule-rows.ts'
import { WebhookRows } from '../webhooks/webhook-rows.ts'
import type { Connection } from '../store/sqlite.ts'

/** What is kept beside sessions and their events, topic by topic. `read` and `write` of the history hand it out. */
export interface Tables {
  readonly reviews: ReviewRows
  readonly issues: IssueRows
  readonly users: UserRows
  readonly tokens: TokenRows
  readonly schedules: ScheduleRows
  readonly budgets: BudgetRows
  readonly batches: BatchRows
  readonly audit: AuditRows
  readonly webhooks: WebhookRows
}

export function tablesOf(db: Connection): Tables {
  return {
    reviews: new ReviewRows(db),
    issues: new IssueRows(db),
    users: new UserRows(db),
    tokens: new TokenRows(db),
    schedules: new ScheduleRows(db),
    budgets: new BudgetRows(db),
    batches: new BatchRows(db),
    audit: new AuditRows(db),
    webhooks: new WebhookRows(db),
  }
}
