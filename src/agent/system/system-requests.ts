import { setTimeout as delay } from 'node:timers/promises'
import { ConnectError } from '../../dial/connect-error.ts'
import type { SessionId } from '../../wire/message.ts'
import type { SystemReply } from '../../wire/system-reply.ts'
import type { SystemRequest } from '../../wire/system-request.ts'
import { closingRefused, type TerminationReason } from '../closing.ts'
import { endedEntry, notRun, type Ended } from '../ended.ts'
import { isRefusal } from '../refusal.ts'
import type { Reply, SessionServices } from '../session-services.ts'
import { HOOK_ERROR_CODE, refusalOf } from './answer.ts'
import { executeRequest, type SystemEnd } from './execute.ts'
import { MAX_HELD, REPLY_AFTER_MS } from './limits.ts'
import { SystemOwner } from './system-owner.ts'

/** The gateway's own requests on one stream: each gets one answer, and nothing of it is left behind. */
export class SystemRequests {
  readonly #services: SessionServices
  readonly #reply: Reply
  readonly #running = new Map<SessionId, { readonly owner: SystemOwner; readonly over: Promise<void> }>()
  #draining = false
  #ending = false

  constructor(services: SessionServices, reply: Reply) {
    this.#services = services
    this.#reply = reply
  }

  get size(): number {
    return this.#running.size
  }

  /** Never waits. A second request of an id that has no answer yet is ignored: by the id alone the answer is found. */
  receive(sid: SessionId, request: SystemRequest): void {
    const name = nameOf(request)
    if (this.#running.has(sid) || this.#running.size >= MAX_HELD)
      return this.#services.log.warn(
        { sid, request: name },
        'a system request was ignored: too many, or twice',
      )
    const owner = new SystemOwner(sid)
    const over = this.#serve(request, owner).finally(() => this.#running.delete(sid))
    this.#running.set(sid, { owner, over })
  }

  /** Hooks are still run: they belong to sessions, which may finish. */
  drain(): void {
    this.#draining = true
  }

  /** Ends what runs; nothing new from now on. */
  end(reason: TerminationReason): void {
    this.#ending = true
    for (const { owner } of this.#running.values()) owner.end(reason)
  }

  /** Settles when none is left. */
  async over(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ over }) => over))
  }

  async #serve(request: SystemRequest, owner: SystemOwner): Promise<void> {
    const from = performance.now()
    this.#recordOpening(owner.sid, request)
    const { ended, reply } = await this.#outcome(request, owner)
    await delay(Math.max(0, from + REPLY_AFTER_MS - performance.now()))
    this.#account(request, owner, ended, await this.#answer(owner.sid, reply))
  }

  async #outcome(request: SystemRequest, owner: SystemOwner): Promise<SystemEnd> {
    if (request.kind === 'malformed') return refused(request, request.reason)
    if (request.kind === 'provision' || request.kind === 'pgmanager')
      return refused(request, UNSERVED[request.kind])
    if (this.#ending || (this.#draining && request.kind !== 'hook'))
      return refused(request, 'this agent is stopping')
    try {
      return await executeRequest(request, owner, this.#services)
    } catch (error) {
      return this.#failed(request, owner.sid, error as Error)
    }
  }

  #failed(request: SystemRequest, sid: SessionId, error: Error): SystemEnd {
    if (isRefusal(error)) return refused(request, error.message)
    const { message, stack } = error
    this.#services.log.error({ sid, error: message, stack }, 'system request failed: this is a bug')
    return refused(request, 'internal error of the agent, its log has more')
  }

  async #answer(sid: SessionId, reply: SystemReply): Promise<boolean> {
    try {
      await this.#reply({ kind: 'system-reply', sid, reply })
      return true
    } catch (error) {
      if (error instanceof ConnectError) return false
      throw error
    }
  }

  #recordOpening(sid: SessionId, request: SystemRequest): void {
    const name = nameOf(request)
    const known =
      request.kind === 'hook' ? request : { session: '', connection: '', connectionType: '', userEmail: '' }
    const { session, connection, connectionType: type, userEmail } = known
    const of = session === '' ? {} : { session }
    this.#services.log.info({ sid, request: name, ...of }, 'system request')
    const nobody = { origin: 'gateway', verb: name, userId: '' }
    this.#services.record({
      event: 'opened',
      sid,
      request: name,
      ...of,
      connection,
      type,
      userEmail,
      ...nobody,
    })
  }

  #account(
    request: SystemRequest,
    { sid, endReason: reason }: SystemOwner,
    ended: Ended,
    closeSent: boolean,
  ): void {
    const { record, log } = this.#services
    const name = nameOf(request)
    record({ ...endedEntry(sid, ended, { reason, closeSent }), request: name })
    const { outcome, exitCode, durationMs } = ended
    const fields = { sid, request: name, outcome, exitCode, durationMs, reason }
    if (outcome === 'exited' && closeSent) log.info(fields, 'system request answered')
    else
      log.warn(fields, closeSent ? 'system request answered' : 'system request over, its answer was not sent')
  }
}

const UNSERVED = {
  provision: 'this agent does not provision database roles: use an agent that does',
  pgmanager: 'this agent does not manage database roles: use an agent that does',
} as const

function nameOf(request: SystemRequest) {
  return request.kind === 'malformed' ? request.of : request.kind
}

function refused(request: SystemRequest, reason: string): SystemEnd {
  const closing = closingRefused(reason)
  const told = nameOf(request) === 'hook' ? { ...closing, exitCode: HOOK_ERROR_CODE } : closing
  return { ended: notRun(told, 'refused'), reply: refusalOf(request, reason) }
}
