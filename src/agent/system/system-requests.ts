import { setTimeout as delay } from 'node:timers/promises'
import { ConnectError } from '../../dial/connect-error.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { SystemReply } from '../../wire/messages/system-reply.ts'
import type { SystemRequest } from '../../wire/messages/system-request.ts'
import type { TerminationReason } from '../session/closing.ts'
import type { Send } from '../session/session-services.ts'
import { accountEnd, accountOpening } from './accounts.ts'
import type { SystemServices } from './execute.ts'
import { MAX_HELD, REPLY_AFTER_MS } from './limits.ts'
import { systemNameOf } from './answer.ts'
import { outcomeOf } from './outcome.ts'
import { SystemOwner } from './system-owner.ts'

/** The gateway's own requests on one stream: each gets one answer, and nothing of it is left behind. */
export class SystemRequests {
  readonly #system: SystemServices
  readonly #send: Send
  readonly #running = new Map<SessionId, { readonly owner: SystemOwner; readonly over: Promise<void> }>()
  #state: 'open' | 'draining' | 'ending' = 'open'

  constructor(system: SystemServices, send: Send) {
    this.#system = system
    this.#send = send
  }

  get size(): number {
    return this.#running.size
  }

  /** Never waits. A second request of an id that has no answer yet is ignored: by the id alone the answer is found. */
  receive(sid: SessionId, request: SystemRequest): void {
    if (this.#running.has(sid) || this.#running.size >= MAX_HELD) {
      const fields = { sid, request: systemNameOf(request) }
      return this.#system.services.log.warn(fields, 'a system request was ignored: too many, or twice')
    }
    const owner = new SystemOwner(sid)
    const over = this.#serve(request, owner).finally(() => this.#running.delete(sid))
    this.#running.set(sid, { owner, over })
  }

  /** Hooks are still run: they belong to sessions, which may finish. */
  drain(): void {
    if (this.#state === 'open') this.#state = 'draining'
  }

  /** Ends what runs; nothing new from now on. */
  end(reason: TerminationReason): void {
    this.#state = 'ending'
    for (const { owner } of this.#running.values()) owner.end(reason)
  }

  /** Settles when none is left. */
  async over(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ over }) => over))
  }

  async #serve(request: SystemRequest, owner: SystemOwner): Promise<void> {
    const from = performance.now()
    const { services } = this.#system
    accountOpening(request, owner, services)
    const { ended, reply } = await outcomeOf(request, owner, this.#system, this.#refuses(request))
    await delay(Math.max(0, from + REPLY_AFTER_MS - performance.now()))
    accountEnd(request, owner, { ended, answerSent: await this.#answer(owner.sid, reply) }, services)
  }

  #refuses({ kind }: SystemRequest): boolean {
    return this.#state === 'ending' || (this.#state === 'draining' && kind !== 'hook')
  }

  /** False when the stream has ended. */
  async #answer(sid: SessionId, reply: SystemReply): Promise<boolean> {
    try {
      await this.#send({ kind: 'system-reply', sid, reply })
      return true
    } catch (error) {
      if (error instanceof ConnectError) return false
      throw error
    }
  }
}
