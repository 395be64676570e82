import { setTimeout as delay } from 'node:timers/promises'
import { ConnectError } from '../../dial/connect-error.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { SystemReply } from '../../wire/messages/system-reply.ts'
import type { SystemRequest } from '../../wire/messages/system-request.ts'
import type { TerminationReason } from '../running/ending.ts'
import type { RunningCommand } from '../running/running-command.ts'
import type { Send } from '../running/services.ts'
import { accountEnd, accountOpening } from './accounts.ts'
import { commandFor, type SystemServices } from './execute.ts'
import { MAX_HELD, MAX_UNSENT_LENGTH, REPLY_AFTER_MS } from './limits.ts'
import { systemNameOf } from './answer.ts'
import { executed, hasCommand, refusedRequest } from './outcome.ts'

/**
 * The gateway's own requests on one stream. Each gets one answer, unless the gateway takes none, and leaves nothing
 * behind.
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

  /** Never waits. Ignores a second request with an unanswered one's id, by which answers are told apart. */
  receive(sid: SessionId, request: SystemRequest): void {
    if (this.#running.has(sid) || this.#running.size >= MAX_HELD) {
      const fields = { sid, request: systemNameOf(request) }
      return this.#system.services.log.warn(fields, 'a system request was ignored: too many, or twice')
    }
    const command =
      hasCommand(request) && this.#accepts(request.kind) ? commandFor(request, sid, this.#system) : undefined
    const over = this.#serve(request, sid, command).finally(() => this.#running.delete(sid))
    this.#running.set(sid, { command, over })
  }

  /** Takes only hooks from now on: they belong to sessions, which may finish. */
  drain(): void {
    if (this.#state === 'open') this.#state = 'draining'
  }

  /** Ends what runs, and takes nothing new. */
  end(reason: TerminationReason): void {
    this.#state = 'ending'
    for (const { command } of this.#running.values()) command?.end(reason)
  }

  /** Settles when no request is left. */
  async over(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ over }) => over))
  }

  async #serve(request: SystemRequest, sid: SessionId, command: RunningCommand | undefined): Promise<void> {
    const from = performance.now()
    const { services } = this.#system
    accountOpening(request, sid, services)
    const { ending, reply } =
      hasCommand(request) && command !== undefined
        ? await executed(request, command)
        : refusedRequest(request)
    await delay(Math.max(0, from + REPLY_AFTER_MS - performance.now()))
    accountEnd(request, sid, { ending, answerSent: await this.#answer(sid, reply) }, services)
  }

  #accepts(kind: 'hook' | 'bare-exec'): boolean {
    return this.#state === 'open' || (this.#state === 'draining' && kind === 'hook')
  }

  /** @returns false when the stream has ended, or too much waits for a gateway that takes nothing */
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
