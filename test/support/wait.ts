import { setTimeout as delay } from 'node:timers/promises'

/** Half of what a test may take: a busy machine is no failure. */
const LONG_MS = 60_000

/** Waits until a condition holds, looking every 5 ms; fails after `withinMs`. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  withinMs = LONG_MS,
): Promise<void> {
  const end = performance.now() + withinMs
  while (performance.now() < end) {
    if (await condition()) return
    await delay(5)
  }
  throw new Error(`the condition did not hold within ${withinMs} ms: ${condition.toString()}`)
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
