import { setTimeout as delay } from 'node:timers/promises'

/** Half of what a test may take: a busy machine is no failure. */
const LONG_MS = 60_000

/**
 * To look may cost a request or some processes: a wait is a tenth longer at most, or four looks longer, and takes a
 * fifth of a core at most.
 */
const PAUSE = { ofWaited: 0.1, shortestMs: 5, longestMs: 50, ofLook: 4, longestAfterLookMs: 250 }

/** Waits until a condition holds, looking every 5 ms at first; fails after `withinMs`. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  withinMs = LONG_MS,
): Promise<void> {
  const begin = performance.now()
  for (let waited = 0; waited < withinMs; waited = performance.now() - begin) {
    const looked = performance.now()
    if (await condition()) return
    await delay(pauseMs(waited, performance.now() - looked))
  }
  throw new Error(`the condition did not hold within ${withinMs} ms: ${condition.toString()}`)
}

function pauseMs(waited: number, look: number): number {
  const usual = Math.min(Math.max(waited * PAUSE.ofWaited, PAUSE.shortestMs), PAUSE.longestMs)
  return Math.max(usual, Math.min(look * PAUSE.ofLook, PAUSE.longestAfterLookMs))
}

/** Waits until there is a value. */
export async function found<T>(look: () => T | undefined, withinMs = LONG_MS): Promise<T> {
  let value: T | undefined
  await waitFor(() => (value = look()) !== undefined, withinMs)
  if (value === undefined) throw new Error('unreachable: waitFor throws')
  return value
}

/** The first match in what a terminal shows, as soon as it is there. */
export async function shown(output: () => Buffer, pattern: RegExp): Promise<RegExpExecArray> {
  const text = () => output().toString('latin1')
  return await found(() => pattern.exec(text()) ?? undefined).catch(() => {
    throw new Error(`waited in vain for ${String(pattern)}:\n${text()}`)
  })
}
