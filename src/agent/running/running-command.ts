import type { WindowSize } from '../../basics/window-size.ts'
import { ConnectError } from '../../dial/connect-error.ts'
import { createEntry, type Entry } from '../../envvars/entry.ts'
import { Environment } from '../../envvars/environment.ts'
import type { OutputFilter, OutputStopped } from '../../policy/output-filter.ts'
import type { Chunk, Command } from '../../runtime/child.ts'
import { execute, type Execution } from '../../runtime/execution.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { NO_PAYLOAD } from '../../wire/packet.ts'
import { restrictCommand, restrictScript } from '../opening/client-escapes.ts'
import type { CommandRequest } from '../opening/request.ts'
import { OutputGate, SentOutput } from '../output/sent-output.ts'
import { type Blocked, blockedLine } from '../policy/guardrails.ts'
import { programSearch } from '../policy/owner-policy.ts'
import { RefusedError, startedBefore } from '../refused.ts'
import {
  type CommandEnd,
  endingBlocked,
  endingOf,
  endingOfRefusal,
  endingRefused,
  endingUnstarted,
  INTERNAL_ERROR,
  ONLY_WHILE_RUNNING,
  type TerminationReason,
  UNAWAITED,
} from './ending.ts'
import { ExecutionGroup, type LogSubject } from './execution-group.ts'
import { Keyboard } from './keyboard.ts'
import type { CommandServices } from './services.ts'

/** A script, or the first key on a terminal. */
export type Start = { readonly kind: 'script'; readonly stdin: Buffer } | { readonly kind: 'terminal' }

/** A checked request, and the input that starts it. */
export interface Job {
  readonly request: CommandRequest
  readonly start: Start
}

/** The next chunk is read when the promise settles. */
type TakeOutput = (chunk: Chunk) => Promise<void> | void

/**
 * One command, from its start to its end, for a session, a system request or this program itself (`--local`).
 */
export class RunningCommand {
  readonly sid: SessionId
  readonly gate = new OutputGate()
  readonly #services: CommandServices
  readonly #keyboard = new Keyboard()
  readonly #over = new AbortController()
  /** Aborted when nobody waits for the output. Filters then stop waiting. */
  readonly #unawaited = new AbortController()
  #subject: LogSubject
  /**
   * The job, until `#start` clears this field. If the job were a parameter, a large script and secrets would
   * stay in memory as long as the command runs.
   */
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

  get reason(): TerminationReason | undefined {
    return this.#reason
  }

  /** Aborts when the command is ended, also before it has started. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  /**
   * Call once. Settles after the last output, when all processes have ended, secret files are removed and the
   * slot is free. Never rejects.
   */
  run(job: Job, take: TakeOutput): Promise<CommandEnd> {
    this.#job = job
    this.#subject = { sid: this.sid, connection: job.request.connection }
    return this.#run(take)
  }

  /** @param error why the command did not run; without an error it was ended before its start */
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

  /** Returns false if the input is lost, because the program does not read. */
  type(data: Buffer): boolean {
    return this.#keyboard.type(data)
  }

  resize(size: WindowSize): void {
    this.#keyboard.resize(size)
  }

  /** Call when nobody receives the output any more. The output is still read, so that the command can end. */
  discardOutput(): void {
    this.#output?.discard()
  }

  /** Ends the command, also before it has started. The first reason wins. */
  end(reason: TerminationReason): void {
    const isTooLate = this.#execution?.hasEnded === true && ONLY_WHILE_RUNNING.has(reason)
    if (!isTooLate) this.#reason ??= reason
    // The gate opens for every reason. Even if the command has ended by itself, its last output may be
    // waiting.
    this.gate.openForGood()
    this.#over.abort()
    if (UNAWAITED.has(reason)) this.#unawaited.abort()
    this.#execution?.terminate()
  }

  /** The policy's reason is reported even if the command was ended for another reason before. */
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
   * All local variables stay in memory as long as the command runs: add none that only the start needs.
   * @throws RefusedError, EnvvarError or SetUpError if the command cannot be started
   */
  async #start(take: TakeOutput): Promise<CommandEnd> {
    if (this.#job === undefined) return this.notRun()
    this.#job = prepared(this.#job)
    const { slots } = this.#services
    using slot = slots?.take()
    if (slots !== undefined && slot === undefined) throw new RefusedError(slots.full)
    await using held = await this.#hold(this.#job)
    await using group = new ExecutionGroup(this.#subject, this.#services)
    const launched = await this.#launch(this.#job, held.environment, group)
    if (launched.kind === 'unwanted') return this.notRun()
    const { kind } = this.#job.start
    if (launched.kind === 'blocked') return await this.#refuse(launched.rule, kind, take)
    await using execution = launched.execution
    await group.add(execution.pid)
    using output = this.#sentOutput(execution, this.#job)
    this.#job = undefined
    return await this.#passOutput(output, execution, { group, kind, take })
  }

  async #refuse(blocked: Blocked, kind: Start['kind'], take: TakeOutput): Promise<CommandEnd> {
    await take(blockedChunk(blockedLine(blocked), kind))
    return { ...endingBlocked(blocked), reason: this.#reason ?? 'guardrails' }
  }

  /** Makes the environment and its secret files. Disposing removes the files. */
  async #hold({ request }: Job): Promise<AsyncDisposable & { readonly environment: Environment }> {
    const { folder, inherited, log } = this.#services
    // The program is checked again: the machine may have changed since the session was opened.
    request.policy?.checkProgram(request.argv[0] ?? '', programSearch(this.#services))
    const environment = await Environment.create({
      entries: request.entries,
      inherited,
      folder,
      sessionId: this.sid,
    })
    // If the removal fails, a success must not become a failure. The agent tries again when it ends.
    const complain = ({ message: error }: Error) =>
      log.error({ ...this.#subject, error }, 'cannot remove the secret files of a session')
    return {
      environment,
      [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose]().catch(complain),
    }
  }

  /** Starts nothing if script or arguments break a rule, or the command has been ended meanwhile. */
  async #launch(job: Job, environment: Environment, group: ExecutionGroup): Promise<Launched> {
    const { request, start } = job
    const argv = environment.expand(request.argv)
    const rule = await this.#judge(job, argv)
    if (rule !== undefined) return { kind: 'blocked', rule }
    const { path, cwd } = programSearch(this.#services)
    const stdin = start.kind === 'script' ? start.stdin : NO_PAYLOAD
    const expanded = { argv, environment: environment.block, path, cwd, stdin }
    const { restricted } = request
    const command =
      restricted === undefined
        ? expanded
        : await restrictCommand(restricted, expanded, this.sid, this.#services)
    if (this.#reason !== undefined) return { kind: 'unwanted' }
    if (this.#services.started?.begin(this.sid) === false) throw startedBefore()
    const execution = await this.#execute(command, start.kind === 'terminal', group)
    environment.forget()
    const { pid } = execution
    if (pid !== undefined) this.#recordStart(pid, command, job)
    return { kind: 'started', execution }
  }

  /** Judges script and arguments as the program would receive them. Returns the broken rule. */
  async #judge({ request, start }: Job, argv: readonly Buffer[]): Promise<Blocked | undefined> {
    if (start.kind === 'terminal') return undefined
    return request.guardrails?.judge(start.stdin, argv, request.clientArguments, this.#over.signal)
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
      onThisThread: group.exists,
      ...(terminal && { terminal: this.#keyboard.size }),
    })
    this.#execution = execution
    this.#keyboard.attach(execution)
    // `end` may have been called while the program was being started. Then the program is ended now.
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
    const { redactable, captured } = request
    const { settings, redactions } = this.#services
    return (this.#output = new SentOutput(execution.output, {
      cap: captured ? this.#cap() : undefined,
      gate: this.gate,
      filters: filtersOf(request, start, this.#unawaited),
      redaction: captured ? redactions?.of(redactable) : undefined,
      stopped: (cause) => this.#stop(cause),
      isStopped: () => this.#stopped !== undefined || this.#reason === 'closed-by-gateway',
      overflowed: () => (settings.onCap === 'kill' ? this.end('output-limit') : undefined),
    }))
  }

  async #passOutput(
    output: SentOutput,
    execution: Execution,
    { group, kind, take }: Passing,
  ): Promise<CommandEnd> {
    const from = performance.now()
    using limit = timeLimit(this.#services.settings.maxDurationMs, () => this.end('timeout'))
    for await (const chunk of output) await take(chunk)
    limit[Symbol.dispose]()
    const ending = await this.waitForEnd(execution, group)
    if (ending.blocked !== undefined)
      await take(blockedChunk(output.onOwnLine(blockedLine(ending.blocked)), kind))
    const durationMs = Math.round(performance.now() - from)
    return { ...ending, message: output.onOwnLine(ending.message), durationMs, bytes: output.bytes }
  }

  #cap() {
    const { settings, tails } = this.#services
    return tails && settings.outputCapBytes ? { bytes: settings.outputCapBytes, tails } : undefined
  }

  async waitForEnd(execution: Execution, group: ExecutionGroup): Promise<ReturnType<typeof endingOf>> {
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
    return endingOf({ ...end, agent: this.#services.agent, outOfMemory: group.outOfMemory(end) })
  }
}

type Launched =
  | { readonly kind: 'started'; readonly execution: Execution }
  /** The script or an argument breaks this rule. */
  | { readonly kind: 'blocked'; readonly rule: Blocked }
  /** The command was ended before it started. */
  | { readonly kind: 'unwanted' }

interface Passing {
  readonly group: ExecutionGroup
  readonly kind: Start['kind']
  readonly take: TakeOutput
}

/**
 * hoop's `connect` shows no stderr, so the line is sent to stdout. The terminal is raw, so the line needs a
 * carriage return (protocol.md 4.3).
 */
function blockedChunk(line: string, kind: Start['kind']): Chunk {
  return kind === 'terminal'
    ? { stream: 'stdout', data: Buffer.from(line.replaceAll('\n', '\r\n')) }
    : { stream: 'stderr', data: Buffer.from(line) }
}

function timeLimit(ms: number | undefined, reached: () => void): Disposable {
  const timer = ms === undefined ? undefined : setTimeout(reached, ms)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

/** Adds the changes that terminals and restricted programs need in script and variables. */
function prepared({ request, start }: Job): Job {
  const { entries, restricted } = request
  if (start.kind === 'terminal') return { request: { ...request, entries: onTerminal(entries) }, start }
  if (restricted === undefined) return { request, start }
  const { script, entries: handed } = restrictScript(restricted, start.stdin, entries)
  return { request: { ...request, entries: handed }, start: { kind: 'script', stdin: script } }
}

/** Overrides the connection's TERM (protocol.md 5.3). */
const TERM = createEntry('envvar:TERM', Buffer.from('xterm-256color'), 'agent')

function onTerminal(entries: readonly Entry[]): Entry[] {
  return [...entries.filter(({ name }) => name !== TERM.name), TERM]
}

/** Guardrails come before masking, because masking would hide the text that guardrails search for. */
function filtersOf(
  { guardrails, masking }: CommandRequest,
  { kind }: Start,
  unawaited: AbortController,
): (() => OutputFilter)[] {
  const rules = guardrails?.filters(kind === 'terminal', unawaited.signal) ?? []
  const mask = masking?.filter
  return mask === undefined ? rules : [...rules, () => mask(unawaited.signal)]
}
