import { setTimeout as delay } from 'node:timers/promises'
import { ConnectError } from '../../dial/connect-error.ts'
import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type {
  BareExecRequest,
  HookRequest,
  SystemReply,
  SystemRequest,
} from '../../wire/messages/system-request.ts'
import { Captured } from '../output/captured.ts'
import {
  endedEntry,
  type CommandEnd,
  endingRefused,
  hasRun,
  ruleOf,
  type TerminationReason,
} from '../running/ending.ts'
import { RunningCommand } from '../running/running-command.ts'
import type { Send, SessionServices, Slots } from '../running/services.ts'
import {
  hasCommand,
  HOOK_OUTPUT_BYTES,
  jobOf,
  MAX_HELD,
  MAX_UNSENT_LENGTH,
  REPLY_AFTER_MS,
  servicesFor,
} from './command.ts'

interface SystemEnd {
  readonly ending: CommandEnd
  readonly reply: SystemReply
}

/** The exit code of a hook that did not run (protocol.md 3.6). */
const HOOK_ERROR_CODE = -2

/** Answers to requests that this agent does not serve. Only an agent with database drivers can serve them. */
const UNSERVED = {
  provision: 'this agent does not provision database roles: use an agent that does',
  pgmanager: 'this agent does not manage database roles: use an agent that does',
} as const

function endOf(request: HookRequest | BareExecRequest, ending: CommandEnd, captured: Captured): SystemEnd {
  // The line about a broken rule was sent as output, so the end has no text.
  const reason = ending.blocked === undefined ? ending.message : captured.text().trim()
  if (!hasRun(ending) && ending.exitCode === NO_EXIT_CODE) return refused(request, reason, ending)
  const reply = hasRun(ending) ? answerOf(request, ending, captured) : refusedAnswer(request, ending.message)
  return { ending, reply }
}

function refusedRequest(request: SystemRequest): SystemEnd {
  switch (request.kind) {
    case 'malformed':
      return refused(request, request.reason)
    case 'provision':
    case 'pgmanager':
      return refused(request, UNSERVED[request.kind])
    case 'hook':
    case 'bare-exec':
      return refused(request, 'this agent is stopping')
  }
}

function refused(request: SystemRequest, reason: string, ending = endingRefused(reason)): SystemEnd {
  const told = systemNameOf(request) === 'hook' ? { ...ending, exitCode: HOOK_ERROR_CODE } : ending
  return { ending: told, reply: refusedAnswer(request, reason) }
}

function answerOf(
  { kind }: HookRequest | BareExecRequest,
  { exitCode, message, durationMs }: CommandEnd,
  captured: Captured,
): SystemReply {
  captured.add(Buffer.from(message))
  const output = captured.text()
  if (kind === 'bare-exec') return { kind, succeeded: exitCode === 0, output }
  const { leftOut } = captured
  const cut = leftOut > 0 ? ` [truncated ${leftOut} byte(s)]` : ''
  return { kind, exitCode, output: output + cut, seconds: Math.floor(durationMs / 1000) }
}

function refusedAnswer(request: SystemRequest, reason: string): SystemReply {
  switch (request.kind) {
    case 'hook':
      return hookError(`failed executing runbook hook, reason=${reason}`)
    case 'bare-exec':
      return bareExecError(reason)
    case 'malformed':
      return request.of === 'hook' ? hookError(`unable to decode payload: ${reason}`) : bareExecError(reason)
    case 'provision':
    case 'pgmanager':
      return { kind: request.kind, message: reason }
  }
}

function hookError(output: string): SystemReply {
  return { kind: 'hook', exitCode: HOOK_ERROR_CODE, output, seconds: 0 }
}

/** hoop's agent has this text for all failures before the command runs. */
function bareExecError(reason: string): SystemReply {
  return { kind: 'bare-exec', succeeded: false, output: `unable to decode payload: ${reason}` }
}

/** The name in log and journal. A malformed request has the name of its intended kind. */
function systemNameOf(request: SystemRequest) {
  return request.kind === 'malformed' ? request.of : request.kind
}

/** Shared by all system requests of an agent. */
interface SystemServices {
  readonly services: SessionServices
  /** Slots for system requests only: sessions cannot use them up. */
  readonly slots: Slots
}

/**
 * Serves the gateway's own requests on one stream. Each request gets one answer, if the gateway reads
 * answers. After the request, no process or file of it is left.
 */
export class SystemRequests {
  readonly #system: SystemServices
  readonly #send: Send
  readonly #running = new Map<
    SessionId,
    { readonly command: RunningCommand | undefined; readonly over: Promise<void> }
  >()
  /** Length of the texts of all answers that wait to be sent. */
  #unsentLength = 0
  #state: 'open' | 'draining' | 'ending' = 'open'

  constructor(system: SystemServices, send: Send) {
    this.#system = system
    this.#send = send
  }

  get size(): number {
    return this.#running.size
  }

  /** Ignores a request with the id of an unanswered request: the gateway identifies answers by the id. */
  receive(sid: SessionId, request: SystemRequest): void {
    if (this.#running.has(sid) || this.#running.size >= MAX_HELD) {
      const fields = { sid, request: systemNameOf(request) }
      return this.#system.services.log.warn(
        fields,
        'a system request was ignored: too many requests are running, or a request with this id is running',
      )
    }
    const { services, slots } = this.#system
    const command =
      hasCommand(request) && this.#accepts(request.kind)
        ? new RunningCommand(sid, servicesFor(request, services, slots))
        : undefined
    const over = this.#serveRequest(request, sid, command).finally(() => this.#running.delete(sid))
    this.#running.set(sid, { command, over })
  }

  /** Still accepts hooks: they belong to sessions, and running sessions may finish. */
  drain(): void {
    if (this.#state === 'open') this.#state = 'draining'
  }

  end(reason: TerminationReason): void {
    this.#state = 'ending'
    for (const { command } of this.#running.values()) command?.end(reason)
  }

  async over(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ over }) => over))
  }

  async #serveRequest(
    request: SystemRequest,
    sid: SessionId,
    command: RunningCommand | undefined,
  ): Promise<void> {
    const from = performance.now()
    const { services } = this.#system
    accountOpening(request, sid, services)
    const { ending, reply } =
      hasCommand(request) && command !== undefined
        ? await this.#executed(request, command)
        : refusedRequest(request)
    await delay(Math.max(0, from + REPLY_AFTER_MS - performance.now()))
    accountEnd(request, sid, { ending, answerSent: await this.#answer(sid, reply) }, services)
  }

  /** Never rejects. */
  async #executed(request: HookRequest | BareExecRequest, command: RunningCommand): Promise<SystemEnd> {
    const captured = new Captured(request.kind === 'hook' ? HOOK_OUTPUT_BYTES : Infinity)
    const ending = await this.#run(request, command, captured).catch((error: unknown) =>
      command.notRun(error as Error),
    )
    return endOf(request, ending, captured)
  }

  async #run(
    request: HookRequest | BareExecRequest,
    command: RunningCommand,
    captured: Captured,
  ): Promise<CommandEnd> {
    const job = jobOf(request, command.sid, this.#system.services)
    return command.run(job, ({ data }) => captured.add(Buffer.from(data)))
  }

  #accepts(kind: 'hook' | 'bare-exec'): boolean {
    return this.#state === 'open' || (this.#state === 'draining' && kind === 'hook')
  }

  /**
   * Returns false if the answer was not sent: the stream has ended, or too many answers wait because the
   * gateway reads nothing.
   */
  async #answer(sid: SessionId, reply: SystemReply): Promise<boolean> {
    const { length } = 'output' in reply ? reply.output : reply.message
    if (this.#unsentLength > 0 && this.#unsentLength + length > MAX_UNSENT_LENGTH) return false
    this.#unsentLength += length
    try {
      await this.#send({ kind: 'system-reply', sid, reply })
      return true
    } catch (error) {
      if (error instanceof ConnectError) return false
      throw error
    } finally {
      this.#unsentLength -= length
    }
  }
}

type Accounts = Pick<SessionServices, 'log' | 'record'>

/** The fields of a request that names no session. */
const NO_SESSION = { session: '', connection: '', connectionType: '', userEmail: '' }

function accountOpening(request: SystemRequest, sid: SessionId, { log, record }: Accounts): void {
  const name = systemNameOf(request)
  const known = request.kind === 'hook' ? request : NO_SESSION
  const { session, connection, connectionType: type, userEmail } = known
  const of = session === '' ? {} : { session }
  log.info({ sid, request: name, ...of }, 'system request')
  const nobody = { origin: 'gateway', verb: name, userId: '' }
  record({ event: 'opened', sid, request: name, ...of, connection, type, userEmail, ...nobody })
}

/** Call after all resources of the request are released. */
function accountEnd(
  request: SystemRequest,
  sid: SessionId,
  { ending, answerSent }: { readonly ending: CommandEnd; readonly answerSent: boolean },
  { log, record }: Accounts,
): void {
  const name = systemNameOf(request)
  record({ ...endedEntry(sid, ending, answerSent), request: name })
  const { outcome, exitCode, durationMs, reason } = ending
  const rule = ruleOf(ending)
  const fields = { sid, request: name, outcome, exitCode, durationMs, reason, ...(rule && { rule }) }
  if (!answerSent) log.warn(fields, 'system request ended; its answer was not sent')
  else log[outcome === 'exited' ? 'info' : 'warn'](fields, 'system request answered')
}
