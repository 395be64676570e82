import type { History } from '../history/history.ts'
import { nextTime } from '../settings/due-times.ts'
import type { ScheduleSettings } from '../settings/schedules.ts'
import type { ScheduleState } from './schedule-rows.ts'

/** States of the schedules, in memory and in the history. */
export class ScheduleStates {
  readonly #history: History
  readonly #now: () => number
  readonly #states = new Map<string, ScheduleState>()
  /** Next due time of each state for which it was computed. */
  readonly #next = new WeakMap<ScheduleState, number>()
  #synced: readonly ScheduleSettings[] | undefined

  constructor(history: History, now: () => number) {
    this.#history = history
    this.#now = now
  }

  /**
   * Starts new schedules, and schedules whose rule has changed. Removes the states of schedules that are
   * gone.
   * @throws HistoryError
   */
  sync(wanted: readonly ScheduleSettings[]): void {
    if (this.#synced === wanted) return
    const known = new Map(
      this.#history.read(({ schedules }) => schedules.states()).map((one) => [one.name, one]),
    )
    const states = wanted.map((schedule) => this.#stateOf(schedule, known.get(schedule.name)))
    const gone = [...known.keys()].filter((name) => !wanted.some((one) => one.name === name))
    const changed = states.filter((state) => known.get(state.name) !== state)
    if (gone.length + changed.length > 0)
      this.#history.write(({ schedules }) => {
        for (const name of gone) schedules.forget(name)
        for (const state of changed) schedules.setState(state)
      })
    this.#states.clear()
    for (const state of states) this.#states.set(state.name, state)
    this.#synced = wanted
  }

  get(name: string): ScheduleState | undefined {
    return this.#states.get(name)
  }

  /** Replaces the state in memory. The history already has this state. */
  set(state: ScheduleState): void {
    this.#states.set(state.name, state)
  }

  /**
   * Returns the first unchecked due time. Returns undefined while the schedule is paused or disabled, or if
   * no due time follows.
   */
  next(schedule: ScheduleSettings): number | undefined {
    const state = this.#states.get(schedule.name)
    if (state === undefined || !schedule.enabled || state.pausedAt !== null) return undefined
    const next = this.#next.get(state) ?? nextTime(schedule, state.doneUntil) ?? Infinity
    this.#next.set(state, next)
    return next === Infinity ? undefined : next
  }

  /** @param by user who pauses the schedule, or null to resume it @throws HistoryError */
  pause(name: string, by: string | null): void {
    const state = this.#states.get(name)
    if (state === undefined || (state.pausedAt === null) === (by === null)) return
    const now = this.#now()
    const pausedAt = by === null ? null : now
    const after = { ...state, pausedAt, pausedBy: by, doneUntil: Math.max(state.doneUntil, now) }
    this.#history.write(({ schedules }) => schedules.setState(after))
    this.#states.set(name, after)
  }

  #stateOf(
    { name, cron, timezone, enabled }: ScheduleSettings,
    known: ScheduleState | undefined,
  ): ScheduleState {
    const rule = JSON.stringify([cron, timezone, enabled])
    if (known?.rule === rule) return known
    const { pausedAt = null, pausedBy = null } = known ?? {}
    return { name, rule, doneUntil: this.#now(), pausedAt, pausedBy }
  }
}
