import type { Account } from '../../../client/account/account.ts'
import { ClientSession, type StreamEvent } from '../../../client/running/client-session.ts'
import { ApprovalWait, subjectAt, leftWaitingReport } from './approval-wait.ts'
import { ByteOutput, isAfterUnfinishedLine, ReaderGone } from '../terminal/output.ts'
import { leftReport, waitingFor, type EndReport, type SessionSubject, explainEnd } from '../report/ending.ts'
import { exitCodeOfSignal } from '../../exit-codes.ts'
import { endBySignal, Leaving } from '../terminal/leaving.ts'
import { Notices, type NoticeFlags } from '../report/notices.ts'
import { readScript, type ScriptFlags } from './script-input.ts'
import { readAccount } from '../asking/account.ts'
import { connectionName, readVariables } from '../input.ts'
import { clientFailure } from '../report/failures.ts'
import { openExecLine, restAddress } from '../../../client/running/exec-line.ts'

export interface ExecFlags extends ScriptFlags, NoticeFlags {
  /** Each value has the form `NAME=value`. */
  readonly env?: readonly string[]
  readonly profile?: string
  /** If true, the gateway itself runs the script after the approval, even if this program has ended. */
  readonly whenApproved?: boolean
  readonly reason?: string
}

/** @returns this program's exit code @throws Failure if it happens before there is a session */
export async function execCommand(
  connection: string,
  clientArgs: readonly string[],
  flags: ExecFlags,
): Promise<number> {
  const name = connectionName(connection)
  const envVars = readVariables(flags.env ?? [])
  const script = await readScript(flags, clientArgs)
  const account = readAccount(flags.profile)
  const address = restAddress(account)
  const subject = { verb: 'exec', connection: name, address, sessionId: undefined } as const
  const console = new ExecConsole(subject, account, flags)
  const { whenApproved = false, reason = '' } = flags
  const asked = { whenApproved, reason }
  const request = { verb: 'exec', connection: name, script, clientArgs, envVars, ...asked } as const
  using session = new ClientSession(request, (signal) => openExecLine(account, request, signal))
  try {
    return await console.follow(session)
  } catch (error) {
    // The exit code is the usual one after a write to a pipe without a reader.
    if (error instanceof ReaderGone) return exitCodeOfSignal('SIGPIPE')
    throw clientFailure(error, 'cannot open a session', account)
  }
}

class ExecConsole {
  readonly #stdout = new ByteOutput(1)
  readonly #stderr = new ByteOutput(2)
  readonly #notices: Notices
  readonly #account: Account
  #subject: SessionSubject
  readonly #approval: ApprovalWait
  readonly #whenApproved: boolean

  constructor(subject: SessionSubject, account: Account, flags: ExecFlags) {
    this.#subject = subject
    this.#account = account
    this.#whenApproved = flags.whenApproved === true
    this.#notices = new Notices(this.#stderr, flags)
    this.#approval = new ApprovalWait(account, this.#notices)
  }

  async follow(session: ClientSession): Promise<number> {
    using leaving = new Leaving({ end: () => session[Symbol.dispose](), overdue: endBySignal })
    using waiting = this.#notices.whileWaiting(waitingFor(this.#subject))
    for await (const event of session.events()) {
      waiting[Symbol.dispose]()
      await this.#show(event)
      if (leaving.exitCode !== undefined) break
    }
    this.#subject = { ...this.#subject, address: session.address ?? this.#subject.address }
    const report =
      leaving.exitCode === undefined
        ? await explainEnd(session.end, this.#subject, this.#account)
        : this.#left(leaving.exitCode)
    this.#approval[Symbol.dispose]()
    await this.#notices.say(report, isAfterUnfinishedLine(this.#stdout, this.#stderr))
    return report.exitCode
  }

  #left(exitCode: number): EndReport {
    if (!this.#approval.isGoingOn) return leftReport(exitCode, this.#subject)
    return leftWaitingReport(exitCode, this.#subject, this.#whenApproved)
  }

  async #show(event: StreamEvent): Promise<void> {
    switch (event.kind) {
      case 'stdout':
        return this.#stdout.write(event.data)
      case 'stderr':
        return this.#stderr.write(event.data)
      case 'opened':
        this.#approval[Symbol.dispose]()
        this.#subject = { ...this.#subject, sessionId: event.sid }
        return
      case 'waiting-approval':
      case 'approved':
        this.#subject = subjectAt(event, this.#subject)
        return this.#approval.show(event, this.#subject)
    }
  }
}
