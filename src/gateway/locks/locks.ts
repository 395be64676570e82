import { patience, untilAbort } from '../../basics/abort.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { refused } from '../refusals/request-refused.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import type { LockObstacle, LockSession } from '../sessions/session-state.ts'
import type { LockQueue } from '../sessions/sessions.ts'
import { isOn, type LockSettings } from '../settings/locks.ts'
import { SCHEDULE_LABEL, type ScheduleSettings } from '../settings/schedules.ts'
import type { Current } from '../settings/settings.ts'
import { deferred } from '../../basics/deferred.ts'

interface Waiter extends LockSession {
  readonly names: readonly string[]
  readonly run: () => void
}

/** Maximum number of sessions that wait for one lock. These sessions are kept in memory. */
const MAX_WAITING_SESSIONS = 100
/**
 * Maximum number of one user's sessions that wait for one lock. The limit keeps one user from taking all
 * places. By default, a batch may run 50 sessions in parallel.
 */
const MAX_SESSIONS_PER_USER = 50

/**
 * Gives locks to sessions in the order in which they began to wait. A session gets all of its locks at once,
 * and has no lock while it waits. This prevents deadlocks. Locks are only in memory, because no running
 * session survives the gateway.
 */
export class Locks {
  readonly #holders = new Map<string, LockSession>()
  readonly #queue = new Set<Waiter>()

  /** Number of waiting sessions. */
  get length(): number {
    return this.#queue.size
  }

  /**
   * @throws RequestRefused if too many sessions wait for one of these locks, or too many sessions of this
   * user
   */
  checkRoom(names: readonly string[], user: string): void {
    for (const name of names) {
      const waiting = this.waiting(name)
      const own = waiting.filter((one) => one.user === user).length
      if (waiting.length < MAX_WAITING_SESSIONS && own < MAX_SESSIONS_PER_USER) continue
      const obstacle = obstacleText(this.#obstacleOf(name, waiting))
      throw own < MAX_SESSIONS_PER_USER
        ? refused('lock-busy/all', { most: MAX_WAITING_SESSIONS, obstacle })
        : refused('lock-busy/user', { user, most: MAX_SESSIONS_PER_USER, obstacle })
    }
  }

  /** Adds the session to the queue. The caller has to call `leave` of the returned turn. */
  enter(session: Pick<LockSession, 'sid' | 'user'>, names: readonly string[]): LockTurn {
    const reached = deferred()
    const waiter = { ...session, since: Date.now(), names: [...new Set(names)], run: reached.resolve }
    this.#queue.add(waiter)
    this.#grant()
    return {
      reached: reached.promise,
      obstacle: () => this.#obstacle(waiter),
      leave: () => this.#leave(waiter),
    }
  }

  holder(name: string): LockSession | undefined {
    return this.#holders.get(name)
  }

  /** Returns the sessions that wait for the lock. The first one gets the lock next. */
  waiting(name: string): readonly LockSession[] {
    return [...this.#queue].filter(({ names }) => names.includes(name))
  }

  /**
   * Gives locks to all sessions that can have them. A session never overtakes another session that waits for
   * the same lock.
   */
  #grant(): void {
    const wanted = new Set<string>()
    for (const waiter of this.#queue) {
      const { sid, user, names } = waiter
      const isFree = names.every((name) => !this.#holders.has(name) && !wanted.has(name))
      for (const name of names) wanted.add(name)
      if (!isFree) continue
      this.#queue.delete(waiter)
      for (const name of names) this.#holders.set(name, { sid, user, since: Date.now() })
      waiter.run()
    }
  }

  #leave(waiter: Waiter): void {
    this.#queue.delete(waiter)
    for (const name of waiter.names)
      if (this.#holders.get(name)?.sid === waiter.sid) this.#holders.delete(name)
    this.#grant()
  }

  #obstacle(waiter: Waiter): LockObstacle | undefined {
    if (!this.#queue.has(waiter)) return undefined
    const before = [...this.#queue].slice(0, [...this.#queue].indexOf(waiter))
    const obstacles = waiter.names.map((name) =>
      this.#obstacleOf(
        name,
        before.filter(({ names }) => names.includes(name)),
      ),
    )
    return obstacles.find(({ holder }) => holder !== undefined) ?? obstacles.find(({ ahead }) => ahead > 0)
  }

  #obstacleOf(lock: string, before: readonly LockSession[]): LockObstacle {
    return { lock, holder: this.#holders.get(lock), ahead: before.length }
  }
}

/** A session's place in the queue. Later, the same turn holds the session's locks. */
export interface LockTurn {
  /** Settles when the session has its locks. Never settles if the session leaves before. */
  readonly reached: Promise<void>
  /** Returns the lock that the session waits for. Returns undefined if the session has its locks. */
  readonly obstacle: () => LockObstacle | undefined
  /** Leaves the queue or releases the locks. */
  readonly leave: () => void
}

export function obstacleText({ lock, holder, ahead }: LockObstacle): string {
  const others = ahead === 0 ? '' : `; sessions ahead in the queue: ${ahead}`
  if (holder === undefined) return `lock ${lock} is free${others}`
  const since = new Date(holder.since).toISOString()
  return `lock ${lock} is held by session ${holder.sid} of ${holder.user} since ${since}${others}`
}

export class SessionLocks implements LockQueue {
  readonly #locks: Locks
  readonly #settings: Current<'locks' | 'schedules' | 'limits'>
  readonly #turns = new Map<string, LockTurn>()

  constructor(locks: Locks, settings: Current<'locks' | 'schedules' | 'limits'>) {
    this.#locks = locks
    this.#settings = settings
  }

  /** @throws RequestRefused if too many sessions wait already. After an error, the session must not begin. */
  checkRoom(request: SessionRequest): void {
    this.#locks.checkRoom(this.#namesFor(request), request.user)
  }

  /**
   * Adds the session to the queues of its locks. The session keeps its place, and later its locks, until
   * `leave`.
   */
  enter(sid: SessionId, request: SessionRequest): void {
    const names = this.#namesFor(request)
    if (names.length > 0) this.#turns.set(sid, this.#locks.enter({ sid, user: request.user }, names))
  }

  /**
   * Settles when the session has its locks, the session is over, or `limits.lock-wait` has passed.
   * @returns after `limits.lock-wait`, a text about the lock for which the session still waits
   */
  async reached(sid: SessionId, over: AbortSignal): Promise<string | undefined> {
    const turn = this.#turns.get(sid)
    if (turn?.obstacle() === undefined) return undefined
    await untilAbort(turn.reached, patience(this.#settings.value.limits.lockWaitMs, over))
    const obstacle = turn.obstacle()
    return obstacle === undefined || over.aborted ? undefined : obstacleText(obstacle)
  }

  obstacle(sid: string): LockObstacle | undefined {
    return this.#turns.get(sid)?.obstacle()
  }

  leave(sid: string): void {
    this.#turns.get(sid)?.leave()
    this.#turns.delete(sid)
  }

  #namesFor(request: SessionRequest): readonly string[] {
    return lockNames(this.#settings.value, request)
  }
}

interface LockedSettings {
  readonly locks: readonly LockSettings[]
  readonly schedules: readonly ScheduleSettings[]
}

/** Returns the locks of the session's runbook and connection, and the lock of its schedule. */
export function lockNames({ locks, schedules }: LockedSettings, request: SessionRequest): readonly string[] {
  const { origin, connection, labels, isList } = request
  const file = labels['runbookFile']
  if (origin !== 'client-api-runbooks' || file === undefined || isList === true) return []
  const isFor = (lock: LockSettings) =>
    isOn(lock, connection.name) && lock.runbooks.some((pattern) => pattern.isFor(file))
  const schedule = schedules.find(({ name }) => name === labels[SCHEDULE_LABEL])
  const own = schedule?.lock === undefined ? [] : [schedule.lock]
  return [...locks.filter(isFor).map(({ name }) => name), ...own]
}
