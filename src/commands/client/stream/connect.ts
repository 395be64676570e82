import { isatty } from 'node:tty'
import { printableLine } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ClientSession, type StreamEvent } from '../../../client/running/client-session.ts'
import type { OpenedMessage } from '../../../wire/messages/message.ts'
import { NO_PAYLOAD } from '../../../wire/packet.ts'
import { exitCodes, Failure, exitCodeOfSignal } from '../../exit-codes.ts'
import { ApprovalWait, subjectAt } from './approval-wait.ts'
import { ByteOutput, ReaderGone } from '../terminal/output.ts'
import { leftReport, waitingFor, type SessionSubject, explainEnd } from '../report/ending.ts'
import { endBySignal, Leaving } from '../terminal/leaving.ts'
import { Notices, type Notice, type NoticeFlags } from '../report/notices.ts'
import { openGrpcLine } from '../../../client/running/grpc-line.ts'
import { streamAccess } from './stream-access.ts'
import { EscapeKeys, type KeyAction, OwnTerminal } from '../terminal/own-terminal.ts'
import { connectionName, readVariables } from '../input.ts'

export interface ConnectFlags extends NoticeFlags {
  /** Each value has the form `NAME=value`. */
  readonly env?: readonly string[]
  readonly reason?: string
  readonly profile?: string
}

const HELP = [
  '',
  'At the beginning of a line:',
  '  ~.  ends the session',
  '  ~~  types a tilde',
  '  ~?  shows this',
  '',
].join('\r\n')

/** @returns this program's exit code @throws Failure if it happens before there is a session */
export async function connectCommand(
  connection: string,
  clientArgs: readonly string[],
  flags: ConnectFlags,
): Promise<number> {
  if (!isatty(0) || !isatty(1))
    throw new Failure(
      'connect needs a terminal as its input and output. For scripts and pipes, use runbook-agent exec',
      exitCodes.usage,
    )
  const name = connectionName(connection)
  const envVars = readVariables(flags.env ?? [])
  const access = await streamAccess(flags.profile)
  const { address } = access.destination
  const subject = { verb: 'connect', connection: name, address, sessionId: undefined } as const
  const { reason = '' } = flags
  const asked = { clientArgs, envVars, reason }
  const request = { verb: 'connect', connection: name, script: NO_PAYLOAD, ...asked } as const
  using console = new ConnectConsole(
    new ClientSession(request, () => openGrpcLine(access, request)),
    subject,
    access.account,
    flags,
  )
  return await console.follow()
}

/** Connects the session's terminal with the terminal of this program. */
class ConnectConsole implements Disposable {
  readonly #session: ClientSession
  readonly #account: Account
  readonly #screen = new ByteOutput(1)
  readonly #notices: Notices
  readonly #escapes = new EscapeKeys()
  readonly #leaving: Leaving
  readonly #approval: ApprovalWait
  #subject: SessionSubject
  #terminal: OwnTerminal | undefined

  constructor(session: ClientSession, subject: SessionSubject, account: Account, flags: ConnectFlags) {
    this.#session = session
    this.#account = account
    this.#subject = subject
    this.#notices = new Notices(new ByteOutput(2), flags)
    this.#approval = new ApprovalWait(account, this.#notices)
    this.#leaving = new Leaving({
      end: () => session[Symbol.dispose](),
      overdue: (signal) => {
        this.#terminal?.restore(this.#screen.isWriting)
        endBySignal(signal)
      },
    })
  }

  [Symbol.dispose](): void {
    this.#approval[Symbol.dispose]()
    this.#terminal?.restore()
    this.#leaving[Symbol.dispose]()
    this.#session[Symbol.dispose]()
  }

  async follow(): Promise<number> {
    using waiting = this.#notices.whileWaiting(waitingFor(this.#subject))
    try {
      for await (const event of this.#session.events()) {
        waiting[Symbol.dispose]()
        await this.#show(event)
        if (this.#leaving.exitCode !== undefined) break
      }
    } catch (error) {
      if (error instanceof ReaderGone) return exitCodeOfSignal('SIGHUP')
      throw error
    }
    this.#terminal?.restore()
    return await this.#tellEnd()
  }

  async #tellEnd(): Promise<number> {
    this.#approval[Symbol.dispose]()
    const { exitCode } = this.#leaving
    const report =
      exitCode === undefined
        ? await explainEnd(this.#session.end, this.#subject, this.#account)
        : leftReport(exitCode, this.#subject)
    await this.#notices.say(report, this.#screen.isInLine)
    return report.exitCode
  }

  async #show(event: StreamEvent): Promise<void> {
    switch (event.kind) {
      case 'stdout':
      case 'stderr':
        return this.#paint(event.data)
      case 'opened':
        return this.#opened(event)
      case 'waiting-approval':
      case 'approved':
        this.#subject = subjectAt(event, this.#subject)
        return this.#approval.show(event, this.#subject)
    }
  }

  async #paint(data: Buffer): Promise<void> {
    this.#terminal?.see(data)
    await this.#screen.write(data)
  }

  async #opened(opened: OpenedMessage): Promise<void> {
    this.#approval[Symbol.dispose]()
    requireProgram(opened, this.#subject)
    this.#subject = { ...this.#subject, sessionId: opened.sid }
    await this.#notices.say(openedNotice(opened, this.#subject))
    const terminal = (this.#terminal = await OwnTerminal.enter())
    await this.#session.startTerminal(terminal.size)
    terminal.onResize((size) => void this.#session.resize(size))
    terminal.onKeys(
      async (keys) => {
        for (const action of this.#escapes.read(keys)) await this.#do(action)
      },
      () => this.#leaving.leave(exitCodeOfSignal('SIGHUP')),
    )
  }

  async #do(action: KeyAction): Promise<void> {
    switch (action.kind) {
      case 'send':
        return this.#session.type(action.data)
      case 'help':
        return this.#screen.write(Buffer.from(HELP))
      case 'leave':
        this.#leaving.leave(exitCodes.noExitCode)
    }
  }
}

/**
 * Refuses types that have no program (tcp, ssh), because they need `--port`. hoop's command line does the
 * same. Databases have a program (psql), for which the agent makes a terminal.
 */
function requireProgram({ connectionType, command }: OpenedMessage, { connection }: SessionSubject): void {
  if (connectionType === 'command-line' || command.trim() !== '') return
  const type = printableLine(connectionType)
  throw new Failure(
    `${connection} is of type ${type} and has no program for a terminal: use runbook-agent connect ${connection} --port to open a port`,
    exitCodes.usage,
  )
}

function openedNotice({ sid }: OpenedMessage, { connection }: SessionSubject): Notice {
  return {
    fields: { event: 'opened', session_id: sid },
    text: '',
    hint: `runbook-agent: connected to ${connection}, session ${printableLine(sid)}. To leave, press Enter ~ . (help: Enter ~ ?)`,
  }
}
