import { onAbort, patience } from '../../basics/abort.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import type { Current } from '../settings/current-settings.ts'
import { lockNames } from './lock-rules.ts'
import type { LockObstacle } from '../sessions/session-state.ts'
import type { LockQueue } from '../sessions/sessions.ts'
import { obstacleText, type Locks, type LockTurn } from './locks.ts'

/** Which sessions need a lock, and how long they wait for it. */
export class SessionLocks implements LockQueue {
  readonly #locks: Locks
  readonly #current: Current<'locks' | 'schedules' | 'limits'>
  readonly #turns = new Map<string, LockTurn>()

  constructor(locks: Locks, current: Current<'locks' | 'schedules' | 'limits'>) {
    this.#locks = locks
    this.#current = current
  }

  /** @throws LockBusy: then it must not begin */
  checkRoom(request: SessionRequest): void {
    this.#locks.checkRoom(this.#namesFor(request), request.user)
  }

  /** From now on the session waits for its locks, or has them, until it leaves. */
  enter(sid: SessionId, request: SessionRequest): void {
    const names = this.#namesFor(request)
    if (names.length > 0) this.#turns.set(sid, this.#locks.enter({ sid, user: request.user }, names))
  }

  /**
   * Settles when the session has its locks or is over.
   * @returns what was in its way for `limits.lock-wait`; undefined when it may run
   */
  async reached(sid: SessionId, over: AbortSignal): Promise<string | undefined> {
    const turn = this.#turns.get(sid)
    if (turn?.obstacle() === undefined) return undefined
    const signal = patience(this.#current.value.limits.lockWaitMs, over)
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    using _ = onAbort(signal, end)
    await Promise.race([turn.reached, ended])
    const obstacle = turn.obstacle()
    return obstacle === undefined || over.aborted ? undefined : obstacleText(obstacle)
  }

  /** What a session waits for at this moment. */
  obstacle(sid: string): LockObstacle | undefined {
    return this.#turns.get(sid)?.obstacle()
  }

  leave(sid: string): void {
    this.#turns.get(sid)?.leave()
    this.#turns.delete(sid)
  }

  #namesFor(request: SessionRequest): readonly string[] {
    return lockNames(this.#current.value, request)
  }
}
