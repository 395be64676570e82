import { setTimeout as delay } from 'node:timers/promises'
import type { WindowSize } from '../../basics/window-size.ts'
import { ConnectError } from '../../dial/connect-error.ts'
import { Environment } from '../../envvars/environment.ts'
import type { OutputStopped } from '../../policy/output-filter.ts'
import type { Chunk } from '../../runtime/child-output.ts'
import type { Command } from '../../runtime/child.ts'
import { execute } from '../../runtime/engine.ts'
import type { Execution } from '../../runtime/execution.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { restrictCommand } from '../opening/client-escapes.ts'
import { OutputGate, SentOutput } from '../output/sent-output.ts'
import { type Blocked, blockedLine } from '../policy/guardrails.ts'
import { programSearch } from '../policy/owner-policy.ts'
import { RefusedError } from '../refused.ts'
import {
  type CommandEnd,
  endingBlocked,
  endingOf,
  endingOfRefusal,
  endingRefused,
  endingUnstarted,
  INTERNAL_ERROR,
  NEVER_LATE,
  type TerminationReason,
  UNAWAITED,
} from './ending.ts'
import { ExecutionGroup, type LogSubject } from './execution-group.ts'
import { filtersOf, type Job, judged, prepared, preparedCommand, type Start } from './job.ts'
import type { CommandServices } from './services.ts'

/**
 * Limit for bytes that are typed, or pasted, while the terminal is being started. Equal to the limit for a
 * program that does not read.
 */
const MAX_EARLY_BYTES = 4 * 1024 * 1024
/**
 * Wait for the window size. hoop's client sends it within a millisecond of the key that starts the terminal
 * (protocol.md 4.3).
 */
const SIZE_MS = 50

/**
 * The typed input of a terminal's client, and its window size. Both may arrive before the terminal exists.
 */
class Keyboard {
  #size: WindowSize = { cols: 80, rows: 24 }
  #execution: Execution | undefined
  readonly #early: Buffer[] = []
  #earlyBytes = 0
  readonly #sized = new AbortController()

  get size(): WindowSize {
    return this.#size
  }

  /** Waits a moment for the client's window size, so that the program sees the right one from the start. */
  async sized(): Promise<void> {
    await delay(SIZE_MS, undefined, { signal: this.#sized.signal }).catch(() => undefined)
  }

  /** Connects the terminal, and passes on the earlier input. */
  attach(execution: Execution): void {
    this.#execution = execution
    execution.resize(this.#size)
    for (const data of this.#early.splice(0)) execution.type(data)
  }

  /** @returns false when the input is lost, since no program reads it */
  type(data: Buffer): boolean {
    if (this.#execution !== undefined) return this.#execution.type(data)
    this.#earlyBytes += data.length
    if (this.#earlyBytes > MAX_EARLY_BYTES) return false
    this.#early.push(data)
    return true
  }

  resize(size: WindowSize): void {
    this.#size = size
    this.#sized.abort()
    this.#execution?.resize(size)
  }
}

/** Takes a piece of output. The next one is read when the promise settles. */
type TakeOutput = (chunk: Chunk) => Promise<void> | void

/**
 * One command, from its start to its end. A session, a system request or this program itself (`--local`) runs
 * it.
 */
export class RunningCommand {
  readonly sid: SessionId
  /** Pauses the output while the client does not read. */
  readonly gate = new OutputGate()
  readonly #services: CommandServices
  readonly #keyboard = new Keyboard()
  readonly #over = new AbortController()
  /** Aborted when the output is not worth a wait any more. */
  readonly #unawaited = new AbortController()
  /** Names the command in log lines. */
  #subject: LogSubject
  /** The job until it runs, and no longer: a script may be large, and variables secret. */
  #job: Job | undefined
  #execution: Execution | undefined
  #output: SentOutput | undefined
  #reason: TerminationReason | undefined
  #stopped: OutputStopped | undefined

  constructor(sid: SessionId, services: CommandServices) {
    this.sid = sid
    this.#subject = { sid }
    this.#services = services
  }

  /** Why the command was ended; undefined while nothing has ended it. */
  get reason(): TerminationReason | undefined {
    return this.#reason
  }

  /** Aborts when the command is ended, also before it has started. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /**
   * Starts the command, once, and passes its output to `take`. Settles after the last output, when processes
   * and secret files are gone and the slot is free. Never rejects.
   */
  run(job: Job, take: TakeOutput): Promise<CommandEnd> {
    // Kept in a field, not in a frame that lives as long as the command: a script may be large, and variables
    // secret.
    this.#job = job
    this.#subject = { sid: this.sid, connection: job.request.connection }
    return this.#run(take)
  }

  /** Returns the end of a command that does not run: it was ended before, or this error refuses it. */
  notRun(error?: Error): CommandEnd {
    const reason = this.#reason
    if (error === undefined || error === this.#over.signal.reason)
      return { ...endingUnstarted(reason ?? 'closed-by-gateway'), reason }
    if (error instanceof ConnectError) return { ...endingUnstarted('gateway-lost'), reason }
    const refused = endingOfRefusal(error)
    if (refused !== undefined) return { ...refused, reason: reason ?? refused.reason }
    const fields = { ...this.#subject, error: error.message, stack: error.stack }
    this.#services.log.error(fields, 'execution failed: this is a bug')
    return { ...endingRefused(INTERNAL_ERROR, 'failed'), reason }
  }

  /** @returns false when the input is lost, since no program reads it */
  type(data: Buffer): boolean {
    return this.#keyboard.type(data)
  }

  resize(size: WindowSize): void {
    this.#keyboard.resize(size)
  }

  /** Drops further output, which nobody takes any more. It is still read, so that the command can end. */
  abandonOutput(): void {
    this.#output?.abandon()
  }

  /** Ends the command, also before it has started. The first reason wins. */
  end(reason: TerminationReason): void {
    const isLate = this.#execution?.hasEnded === true
    if (!isLate || !NEVER_LATE.has(reason)) this.#reason ??= reason
    // The last output of a command that ended by itself may be waiting at the gate, too.
    this.gate.openForGood()
    this.#over.abort()
    if (UNAWAITED.has(reason)) this.#unawaited.abort()
    this.#execution?.terminate()
  }

  /**
   * Notes that a policy has stopped the output, and ends the command. The policy's reason is reported even if
   * something else had ended the command before.
   */
  #stop(cause: OutputStopped): void {
    this.#stopped ??= cause
    this.end(cause.reason)
  }

  async #run(take: TakeOutput): Promise<CommandEnd> {
    try {
      return await this.#start(take)
    } catch (error) {
      return this.notRun(error as Error)
    }
  }

  /**
   * Takes the command's resources, starts the command and passes its output on. This frame lives as long as
   * the command, so it keeps nothing that only the start needs.
   * @throws RefusedError, EnvvarError or SetUpError when it cannot be started
   */
  async #start(take: TakeOutput): Promise<CommandEnd> {
    if (this.#job === undefined) return this.notRun()
    this.#job = prepared(this.#job)
    const { slots } = this.#services
    using slot = slots?.take()
    if (slots !== undefined && slot === undefined) throw new RefusedError(slots.full)
    await using held = await this.#hold(this.#job)
    await using group = new ExecutionGroup(this.#subject, this.#services)
    const started = await this.#launch(this.#job, held.environment, group)
    if (started === undefined) return this.notRun()
    const { kind } = this.#job.start
    if ('rule' in started) return await this.#refuse(started, kind, take)
    await using execution = started
    await group.add(execution.pid)
    using output = this.#sentOutput(execution, this.#job)
    this.#job = undefined
    return await this.#passOutput(output, execution, { group, kind, take })
  }

  /** Tells the user which rule forbids the command. */
  async #refuse(blocked: Blocked, kind: Start['kind'], take: TakeOutput): Promise<CommandEnd> {
    await take(blockedChunk(blockedLine(blocked), kind))
    return { ...endingBlocked(blocked), reason: this.#reason ?? 'guardrails' }
  }

  /** Makes the environment and its secret files. Disposing removes the files. */
  async #hold({ request }: Job): Promise<AsyncDisposable & { readonly environment: Environment }> {
    const { folder, inherited, log } = this.#services
    // Checked again: the machine may have changed since the session was opened.
    request.policy?.checkProgram(request.argv[0] ?? '', programSearch(this.#services))
    const environment = await Environment.create({
      entries: request.entries,
      inherited,
      folder,
      sessionId: this.sid,
    })
    // A success must not become a failure because a file could not be removed. The agent tries again when it
    // ends.
    const complain = ({ message: error }: Error) =>
      log.error({ ...this.#subject, error }, 'cannot remove the secret files of a session')
    return {
      environment,
      [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose]().catch(complain),
    }
  }

  /**
   * @returns the execution; the rule that the command breaks; or undefined when the command is not wanted any
   * more
   */
  async #launch(
    job: Job,
    environment: Environment,
    group: ExecutionGroup,
  ): Promise<Execution | Blocked | undefined> {
    const { request, start } = job
    const expanded = preparedCommand(environment.expand(request.argv), environment, start, this.#services)
    const blocked = await judged(job, expanded, this.#over.signal)
    if (blocked !== undefined) return blocked
    const command = await restrictCommand(request.restricted, expanded, this.sid, this.#services)
    if (this.#reason !== undefined) return undefined
    const execution = await this.#execute(command, start.kind === 'terminal', group)
    environment.forget()
    const { pid } = execution
    if (pid !== undefined) this.#recordStart(pid, command, job)
    return execution
  }

  async #execute(command: Command, terminal: boolean, group: ExecutionGroup): Promise<Execution> {
    const { engine, folder, settings } = this.#services
    if (terminal) await this.#keyboard.sized()
    const execution = await execute(engine, command, {
      graceMs: settings.killGraceMs,
      background: settings.background,
      instance: folder.instance,
      marker: `HOOP_SESSION_ID=${this.sid}`,
      signal: this.#over.signal,
      here: group.isThere,
      ...(terminal && { terminal: this.#keyboard.size }),
    })
    this.#execution = execution
    this.#keyboard.attach(execution)
    // `end` may have been called while the program was being started.
    if (this.#reason !== undefined) execution.terminate()
    return execution
  }

  #recordStart(pid: number, command: Command, { request, start }: Job): void {
    const { sid } = this
    const terminal = start.kind === 'terminal'
    this.#services.log.info({ ...this.#subject, pid, terminal }, 'execution started')
    const counts = { argumentCount: command.argv.length - 1, inputBytes: command.stdin.length }
    this.#services.record?.({ event: 'started', sid, pid, program: request.program, ...counts, terminal })
  }

  #sentOutput(execution: Execution, { request, start }: Job): SentOutput {
    const { secrets, captured } = request
    const { settings, redactions } = this.#services
    return (this.#output = new SentOutput(execution.output, {
      cap: captured ? this.#cap() : undefined,
      gate: this.gate,
      filters: filtersOf(request, start, this.#unawaited),
      redaction: captured ? redactions?.of(secrets) : undefined,
      stopped: (cause) => this.#stop(cause),
      isUnwanted: () => this.#stopped !== undefined || this.#reason === 'closed-by-gateway',
      overflowed: () => (settings.onCap === 'kill' ? this.end('output-limit') : undefined),
    }))
  }

  /** Passes the output on until the command has ended. @returns how it ended */
  async #passOutput(
    output: SentOutput,
    execution: Execution,
    { group, kind, take }: Passing,
  ): Promise<CommandEnd> {
    const from = performance.now()
    using limit = timeLimit(this.#services.settings.maxDurationMs, () => this.end('timeout'))
    for await (const chunk of output) await take(chunk)
    limit[Symbol.dispose]()
    const ending = await this.#endOf(execution, group)
    if (ending.blocked !== undefined)
      await take(blockedChunk(output.onOwnLine(blockedLine(ending.blocked)), kind))
    const durationMs = Math.round(performance.now() - from)
    return { ...ending, message: output.onOwnLine(ending.message), durationMs, bytes: output.bytes }
  }

  #cap() {
    const { settings, tails } = this.#services
    return tails && settings.outputCapBytes ? { bytes: settings.outputCapBytes, tails } : undefined
  }

  async #endOf(execution: Execution, group: ExecutionGroup): Promise<ReturnType<typeof endingOf>> {
    const status = await execution.exit
    const { processesEnded } = execution
    const told = { ...this.#subject, processes: processesEnded }
    if (processesEnded > 0) this.#services.log.info(told, 'background processes ended')
    if (this.#reason === undefined && this.#services.settings.background === 'leave') group.leaveRest()
    const end = {
      status,
      reason: this.#reason,
      stopped: this.#stopped,
      processesEnded,
    }
    return endingOf({ ...end, outOfMemory: group.outOfMemory(end) })
  }
}

interface Passing {
  readonly group: ExecutionGroup
  readonly kind: Start['kind']
  readonly take: TakeOutput
}

/** hoop's `connect` shows no stderr, and its terminal is raw (protocol.md 4.3). */
function blockedChunk(line: string, kind: Start['kind']): Chunk {
  return kind === 'terminal'
    ? { stream: 'stdout', data: Buffer.from(line.replaceAll('\n', '\r\n')) }
    : { stream: 'stderr', data: Buffer.from(line) }
}

function timeLimit(ms: number | undefined, reached: () => void): Disposable {
  const timer = ms === undefined ? undefined : setTimeout(reached, ms)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
