import { setImmediate as otherWork } from 'node:timers/promises'

/** Work that can pause at each `yield`, every few milliseconds. */
export type Work<Result> = Generator<undefined, Result, undefined>

/** Maximum time of a turn; other work can run after each turn. */
const TURN_MS = 10

export function done<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Returns undefined when the work is not done yet. */
function turn<Result extends object>(work: Work<Result>): Result | undefined {
  const end = performance.now() + TURN_MS
  do {
    const step = work.next()
    if (step.done === true) return step.value
  } while (performance.now() < end)
  return undefined
}

/** Does the work in turns, with other work between them. Returns no promise if the first turn is enough. */
export function inTurns<Result extends object>(work: Work<Result>): Result | Promise<Result> {
  return turn(work) ?? furtherTurns(work)
}

async function furtherTurns<Result extends object>(work: Work<Result>): Promise<Result> {
  for (;;) {
    await otherWork()
    const result = turn(work)
    if (result !== undefined) return result
  }
}

export const TOO_LONG = Symbol('too long')

/** Ends the work with `TOO_LONG` after `ms`. The time between turns does not count. */
export function* limited<Result>(work: Work<Result>, ms: number): Work<Result | typeof TOO_LONG> {
  let used = 0
  for (;;) {
    const from = performance.now()
    const step = work.next()
    if (step.done === true) return step.value
    used += performance.now() - from
    if (used > ms) return TOO_LONG
    yield
  }
}

/** Maximum number of items that are sorted between two pauses. Sorting them takes about a millisecond. */
const SORTED_AT_ONCE = 2_000

/** Sorts as `toSorted` does, with pauses. */
export function* ordered<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): Work<Item[]> {
  if (items.length <= SORTED_AT_ONCE) return items.toSorted(compare)
  let runs: Item[][] = []
  for (let at = 0; at < items.length; at += SORTED_AT_ONCE) {
    runs.push(items.slice(at, at + SORTED_AT_ONCE).sort(compare))
    yield
  }
  while (runs.length > 1) {
    const merged: Item[][] = []
    for (let at = 0; at < runs.length; at += 2)
      merged.push(yield* joined(runs[at] ?? [], runs[at + 1] ?? [], compare))
    runs = merged
  }
  return runs[0] ?? []
}

function* joined<Item>(left: Item[], right: Item[], compare: (a: Item, b: Item) => number): Work<Item[]> {
  if (right.length === 0) return left
  const both: Item[] = []
  let [a, b] = [0, 0]
  while (a < left.length && b < right.length) {
    const [first, second] = [left[a] as Item, right[b] as Item]
    if (compare(first, second) <= 0) both[a++ + b] = first
    else both[a + b++] = second
    if ((a + b) % SORTED_AT_ONCE === 0) yield
  }
  while (a < left.length) both.push(left[a++] as Item)
  while (b < right.length) both.push(right[b++] as Item)
  return both
}
