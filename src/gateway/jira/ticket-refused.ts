import { RequestRefused } from '../refusals/request-refused.ts'

/** A session may not begin, since it cannot have its issue. */
export class TicketRefused extends RequestRefused {
  override readonly name = 'TicketRefused'
  declare readonly code: 'invalid-jira-fields' | 'jira-failed'
}
