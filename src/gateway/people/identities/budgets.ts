import type { History } from '../../history/history.ts'
import type { Budget } from '../../identity.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'
import type { SpentRow } from './budget-rows.ts'
import type { Users } from './users.ts'

/** A machine has used up its budget. Nothing has begun. */
export class BudgetSpent extends RequestRefused {
  override readonly name = 'BudgetSpent'

  constructor(message: string) {
    super('budget-spent', message)
  }
}

const HOUR_MS = 60 * 60 * 1000

/**
 * Holds machines to their budgets, by what the history has: a restart loses nothing. It is looked at when a session
 * begins, so the last one may go beyond.
 */
export class Budgets {
  readonly #users: Pick<Users, 'named'>
  readonly #history: History
  readonly #watched = new Set<string>()

  constructor(users: Pick<Users, 'named'>, history: History) {
    this.#users = users
    this.#history = history
  }

  /** @throws BudgetSpent when one more session may not begin, HistoryError */
  check(name: string): void {
    const budget = this.#users.named(name)?.budget
    if (budget === undefined) return
    this.#watch(name)
    const now = Date.now()
    const spent = this.#history.read(({ budgets }) => budgets.spent(name, now - budget.perMs, now))
    const found = limitsOf(budget).flatMap(({ limit, what, of }) => {
      const at = roomAt(spent, limit, of)
      return at === undefined ? [] : [{ what, at }]
    })
    const [last] = found.toSorted((one, other) => other.at - one.at)
    if (last === undefined) return
    const time = new Date(Math.max(now, last.at + budget.perMs)).toISOString()
    throw new BudgetSpent(
      `${name} has used up its budget of ${last.what} in ${spanText(budget.perMs)}: there is room again at ${time}`,
    )
  }

  /** Before its first session, so that no removal is missed. */
  #watch(name: string): void {
    if (this.#watched.has(name)) return
    this.#history.write(({ budgets }) => budgets.watch(name))
    this.#watched.add(name)
  }
}

interface Limit {
  readonly limit: number
  readonly what: string
  readonly of: (row: SpentRow) => number
}

function limitsOf({ runs, bytes, runningMs }: Budget): Limit[] {
  return [
    { limit: runs, what: `${runs} runs`, of: () => 1 },
    ...(bytes === undefined
      ? []
      : [{ limit: bytes, what: `${bytes} bytes`, of: (row: SpentRow) => row.bytes }]),
    ...(runningMs === undefined
      ? []
      : [{ limit: runningMs, what: `${runningMs / HOUR_MS} hours`, of: (row: SpentRow) => row.runningMs }]),
  ]
}

/** The beginning of the session that has to be forgotten before there is room; undefined when there is room now. */
function roomAt(spent: readonly SpentRow[], limit: number, of: Limit['of']): number | undefined {
  let left = spent.reduce((sum, row) => sum + of(row), 0)
  let at: number | undefined
  for (const row of spent) {
    if (left < limit) break
    left -= of(row)
    at = row.startedAt
  }
  return at
}

function spanText(ms: number): string {
  const [length, unit] = [
    [24 * HOUR_MS, 'd'],
    [HOUR_MS, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ].find(([size]) => ms % (size as number) === 0) ?? [1, 'ms']
  return `${ms / (length as number)}${unit as string}`
}
