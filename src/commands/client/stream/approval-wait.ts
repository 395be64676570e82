import type { Account } from '../../../client/account/account.ts'
import type { StreamEvent } from '../../../client/running/client-session.ts'
import type { SessionSubject } from '../report/end-report.ts'
import type { Notices } from '../report/notices.ts'

type ApprovalEvent = Extract<StreamEvent, { kind: 'waiting-approval' | 'approved' }>

/** Adds the id of the waiting session, which is known before the session is open. */
export function subjectAt(event: ApprovalEvent, subject: SessionSubject): SessionSubject {
  return event.kind === 'approved' ? subject : { ...subject, sessionId: event.sessionId }
}

/** The wait of one session for an approval, shown from the packet that tells it until the wait is over. */
export class ApprovalWait implements Disposable {
  readonly #account: Account
  readonly #notices: Notices
  #shown: Disposable | undefined

  constructor(account: Account, notices: Notices) {
    this.#account = account
    this.#notices = notices
  }

  get isGoingOn(): boolean {
    return this.#shown !== undefined
  }

  async show(event: ApprovalEvent, subject: SessionSubject): Promise<void> {
    this[Symbol.dispose]()
    if (event.kind === 'approved')
      return this.#notices.say({ fields: { event: event.kind }, text: 'runbook-agent: approved' })
    const { waitForReview } = await import('./review-wait.ts')
    const waiting = { subject, account: this.#account, notices: this.#notices }
    this.#shown = await waitForReview(event, waiting)
  }

  [Symbol.dispose](): void {
    this.#shown?.[Symbol.dispose]()
    this.#shown = undefined
  }
}
