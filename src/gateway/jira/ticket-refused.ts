/** A session may not begin, since it cannot have its issue. */
export class TicketRefused extends Error {
  override readonly name = 'TicketRefused'
  readonly code: 'invalid-jira-fields' | 'jira-failed'

  constructor(code: TicketRefused['code'], message: string) {
    super(message)
    this.code = code
  }
}
