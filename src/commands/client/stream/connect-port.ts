import { spawn, type ChildProcess } from 'node:child_process'
import { printableLine } from '../../../basics/text/printable.ts'
import { signalChild } from '../../../basics/signals.ts'
import type { Account } from '../../../client/account/account.ts'
import {
  ClientSession,
  type StreamEvent,
  type StreamRequest,
} from '../../../client/running/client-session.ts'
import { ClientPort } from '../../../client/running/port.ts'
import { isNativeProtocol, type NativeProtocolName } from '../../../wire/messages/native.ts'
import type { OpenedMessage } from '../../../wire/messages/message.ts'
import { NO_PAYLOAD } from '../../../wire/packet.ts'
import { exitCodeOfSignal, exitCodes, Failure } from '../../exit-codes.ts'
import { connectionName } from '../input.ts'
import { ApprovalWait, subjectAt } from './approval-wait.ts'
import { ByteOutput } from '../terminal/output.ts'
import { explainEnd, leftReport, waitingFor, type SessionSubject } from '../report/ending.ts'
import { endBySignal, Leaving } from '../terminal/leaving.ts'
import { Notices, type NoticeFlags } from '../report/notices.ts'
import { openGrpcLine } from '../../../client/running/grpc-line.ts'
import { streamAccess } from './stream-access.ts'

export interface PortFlags extends NoticeFlags {
  /** `true` means the protocol's default port. */
  readonly port?: string | true
  /** A command that starts when the port is open. When the command ends, the session ends. */
  readonly run?: string
  readonly reason?: string
  readonly profile?: string
}

/** The default ports of hoop's command line. */
const USUAL_PORTS: Readonly<Record<NativeProtocolName, number>> = { tcp: 8999, postgres: 5433, mysql: 3307 }
const HOST = '127.0.0.1'
/** User and password for clients. The agent replaces them by the real ones. */
const NOOP = 'noop'
/** The message to clients of a port that the user has closed. */
const PORT_CLOSED = 'runbook-agent: the port was closed'
const NO_HALF_CLOSES =
  '(this agent or gateway cannot close one direction of a connection: a client that does so is reset before it has the whole answer)'
/** Time from the session's end to SIGTERM, for the command of `--run`. */
const GRACE_MS = 5000

/**
 * @returns this program's exit code
 * @throws Failure
 */
export async function connectPortCommand(connection: string, flags: PortFlags): Promise<number> {
  const name = connectionName(connection)
  const port = portNumber(flags.port)
  const access = await streamAccess(flags.profile)
  const { address } = access.destination
  const subject = { verb: 'connect', connection: name, address, sessionId: undefined } as const
  using console = new PortConsole(subject, access.account, { ...flags, port })
  const request: StreamRequest = {
    verb: 'connect',
    connection: name,
    script: NO_PAYLOAD,
    clientArgs: [],
    envVars: new Map(),
    reason: flags.reason ?? '',
    port: (message) => console.port?.receive(message),
  }
  return await console.follow(new ClientSession(request, () => openGrpcLine(access, request)))
}

function portNumber(given: PortFlags['port']): number | undefined {
  if (given === undefined || given === true) return undefined
  const port = Number(given)
  if (/^\d{1,5}$/.test(given) && port <= 65_535) return port
  throw new Failure('the value of --port is a number from 0 to 65535; 0 is any free port', exitCodes.usage)
}

/** Shows the session, and has the port that is open as long as the session. */
class PortConsole implements Disposable {
  port: ClientPort | undefined
  readonly #account: Account
  readonly #flags: NoticeFlags & { readonly port: number | undefined; readonly run?: string }
  readonly #notices: Notices
  readonly #approval: ApprovalWait
  #subject: SessionSubject
  #client: ClientProgram | undefined

  constructor(
    subject: SessionSubject,
    account: Account,
    flags: NoticeFlags & { readonly port: number | undefined; readonly run?: string },
  ) {
    this.#subject = subject
    this.#account = account
    this.#flags = flags
    this.#notices = new Notices(new ByteOutput(2), flags)
    this.#approval = new ApprovalWait(account, this.#notices)
  }

  [Symbol.dispose](): void {
    this.#approval[Symbol.dispose]()
    this.port?.[Symbol.dispose]()
  }

  async follow(session: ClientSession): Promise<number> {
    using _ = session
    using leaving = new Leaving({
      end: () => session[Symbol.dispose](),
      overdue: endBySignal,
      isTaken: (signal) => this.#client?.takes(signal) === true,
    })
    using waiting = this.#notices.whileWaiting(waitingFor(this.#subject))
    for await (const event of session.events()) {
      waiting[Symbol.dispose]()
      await this.#show(event, session)
      if (leaving.exitCode !== undefined) break
    }
    const report =
      leaving.exitCode === undefined
        ? await explainEnd(session.end, this.#subject, this.#account)
        : leftReport(leaving.exitCode, this.#subject)
    const isOver = this.#client?.hasEnded !== true
    if (isOver) this.port?.close(report.text === '' ? PORT_CLOSED : report.text)
    this[Symbol.dispose]()
    if (isOver) await this.#notices.say(report)
    return (await this.#client?.end()) ?? report.exitCode
  }

  async #show(event: StreamEvent, session: ClientSession): Promise<void> {
    switch (event.kind) {
      case 'stdout':
      case 'stderr':
        return
      case 'opened':
        return this.#opened(event, session)
      case 'waiting-approval':
      case 'approved':
        this.#subject = subjectAt(event, this.#subject)
        return this.#approval.show(event, this.#subject)
    }
  }

  async #opened({ connectionType, sid, halfCloses }: OpenedMessage, session: ClientSession): Promise<void> {
    this.#approval[Symbol.dispose]()
    this.#subject = { ...this.#subject, sessionId: sid }
    const { connection } = this.#subject
    if (!isNativeProtocol(connectionType))
      throw new Failure(
        `${connection} is of type ${printableLine(connectionType)}, which --port does not support: use runbook-agent connect ${connection} to open a terminal`,
        exitCodes.usage,
      )
    const { run } = this.#flags
    const usual = run === undefined ? USUAL_PORTS[connectionType] : 0
    const port = await this.#listen(connectionType, this.#flags.port ?? usual, session, halfCloses === true)
    await this.#notices.say({
      fields: { event: 'listening', session_id: sid, host: HOST, port, protocol: connectionType },
      text: '',
      hint: `runbook-agent: ${connection} listens on ${HOST}:${port}${hintFor(connectionType, port, halfCloses === true)}\nsession ${printableLine(sid)}, Ctrl-C ends it`,
    })
    if (run === undefined) return
    this.#client = new ClientProgram(run, variablesFor(connectionType, port), () => session[Symbol.dispose]())
  }

  async #listen(
    protocol: NativeProtocolName,
    port: number,
    session: ClientSession,
    halfCloses: boolean,
  ): Promise<number> {
    const send = session.connection.bind(session)
    const refused = (reason: string) =>
      void this.#notices.say({
        fields: { event: 'client-refused', reason },
        text: `runbook-agent: refused ${reason}`,
      })
    try {
      this.port = await ClientPort.open({ protocol, port, halfCloses, send, refused })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new Failure(
        `cannot listen on ${HOST}:${port}: ${code ?? message}. Choose another port with --port N, or any free port with --port 0`,
        exitCodes.usage,
      )
    }
    return this.port.number
  }
}

/** The command of `--run`, which uses this program's terminal. */
class ClientProgram {
  readonly #child: ChildProcess
  readonly #ended: Promise<number>
  hasEnded = false

  constructor(command: string, variables: Readonly<Record<string, string>>, ended: () => void) {
    this.#child = spawn('/bin/sh', ['-c', command], {
      stdio: 'inherit',
      env: { ...process.env, ...variables },
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve(exitCodes.noExitCode))
      this.#child.once('exit', (code, signal) =>
        resolve(signal === null ? (code ?? exitCodes.noExitCode) : exitCodeOfSignal(signal)),
      )
    })
    void this.#ended.then(() => {
      this.hasEnded = true
      ended()
    })
  }

  /**
   * Passes SIGTERM and SIGHUP to the command. SIGINT and SIGQUIT reach the command from the terminal itself.
   * @returns whether the command handles the signal
   */
  takes(signal: NodeJS.Signals): boolean {
    if (this.hasEnded) return false
    if (signal === 'SIGTERM' || signal === 'SIGHUP') signalChild(this.#child, signal)
    return true
  }

  /** Waits for the command after the session's end. @returns the command's exit code */
  async end(): Promise<number> {
    const late = setTimeout(() => signalChild(this.#child, 'SIGTERM'), GRACE_MS)
    try {
      return await this.#ended
    } finally {
      clearTimeout(late)
    }
  }
}

function hintFor(protocol: NativeProtocolName, port: number, halfCloses: boolean): string {
  if (protocol === 'tcp') return halfCloses ? '' : `\n  ${NO_HALF_CLOSES}`
  if (protocol === 'mysql') return `\n  mysql -h ${HOST} -P ${port} -u ${NOOP} -p${NOOP}`
  return `\n  psql 'host=${HOST} port=${port} user=${NOOP} password=${NOOP} dbname=${NOOP}'   (${NOOP}: the database of the connection)`
}

function variablesFor(protocol: NativeProtocolName, port: number): Readonly<Record<string, string>> {
  const own = { RUNBOOK_AGENT_HOST: HOST, RUNBOOK_AGENT_PORT: String(port) }
  if (protocol === 'tcp') return own
  if (protocol === 'mysql')
    return { ...own, MYSQL_HOST: HOST, MYSQL_TCP_PORT: String(port), MYSQL_USER: NOOP, MYSQL_PWD: NOOP }
  return {
    ...own,
    PGHOST: HOST,
    PGPORT: String(port),
    PGUSER: NOOP,
    PGPASSWORD: NOOP,
    PGDATABASE: process.env['PGDATABASE'] ?? NOOP,
    PGSSLMODE: 'disable',
    PGGSSENCMODE: 'disable',
  }
}
