import { oneLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import type { StreamEvent } from '../../../client/running/client-session.ts'
import { awaitedReviewers, waitingText, waysBack } from '../report/awaited.ts'
import type { SessionSubject, EndReport } from '../report/ending.ts'
import type { Notices } from '../report/notices.ts'
import { Progress, WAITING } from '../terminal/progress.ts'

type ApprovalEvent = Extract<StreamEvent, { kind: 'waiting-approval' | 'approved' }>

/** Adds the session's id, because a waiting session has an id before it is open. */
export function subjectAt(event: ApprovalEvent, subject: SessionSubject): SessionSubject {
  return event.kind === 'approved' ? subject : { ...subject, sessionId: event.sessionId }
}

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
    const waiting = { subject, account: this.#account, notices: this.#notices }
    this.#shown = await waitForReview(event, waiting)
  }

  [Symbol.dispose](): void {
    this.#shown?.[Symbol.dispose]()
    this.#shown = undefined
  }
}

type WaitingEvent = Extract<StreamEvent, { kind: 'waiting-approval' }>

interface Waiting {
  readonly subject: SessionSubject
  readonly account: Account
  readonly notices: Notices
}

/**
 * What Ctrl-C does while the session waits. A script keeps waiting, and its requester can still run it. A
 * terminal ends.
 */
const CTRL_C = { exec: 'leaves it waiting', connect: 'ends it', run: 'leaves it waiting' } as const

/**
 * Names the groups that have to approve. Then shows on a terminal how long the session has waited.
 * @returns an object to dispose after the wait
 */
async function waitForReview(
  { sessionId, url }: WaitingEvent,
  { subject, account, notices }: Waiting,
): Promise<Disposable> {
  const { verb, connection } = subject
  const reviewers = await awaitedReviewers(account, sessionId)
  const { groups, needed = null } = reviewers
  await notices.say({
    fields: { event: 'waiting-approval', session_id: sessionId, url, groups, minimum: needed },
    text: `runbook-agent: ${waitingText(reviewers, url)}`,
    hint: `Ctrl-C ${CTRL_C[verb]}, session ${oneLine(sessionId)}`,
  })
  const progress = new Progress(oneLine(connection), notices.isForPerson, () => true)
  progress.state = WAITING
  progress.ctrlC = CTRL_C[verb]
  return progress
}

/** Makes the report when the user has left before the approval. */
export function leftWaitingReport(
  exitCode: number,
  { connection, sessionId = '' }: SessionSubject,
  whenApproved: boolean,
): EndReport {
  return {
    exitCode,
    fields: { event: 'left', session_id: sessionId, waiting: true },
    text: '',
    hint: `runbook-agent: left ${oneLine(connection)} before session ${oneLine(sessionId)} was approved\n${waysBack(sessionId, whenApproved)}`,
  }
}
