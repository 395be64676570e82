import { expect, it } from 'vitest'
import type { HealthAnswer } from '../../src/dial/channel.ts'
import { HealthWatch } from '../../src/dial/health.ts'
import { TIMING } from '../../src/agent/connection/timing.ts'

const quick = { ...TIMING, healthEveryMs: 2, healthDeadlineMs: 1 }

/** How often a gateway that answers like this is asked until it counts as silent; undefined when it never does. */
async function asked(answers: readonly HealthAnswer[]): Promise<number | undefined> {
  const over = new AbortController()
  let count = 0
  const watch = new HealthWatch(() => {
    const answer = answers[count]
    count += 1
    if (answer === undefined) over.abort()
    return Promise.resolve(answer ?? 'answered')
  }, quick)
  await watch.untilSilent(over.signal)
  return over.signal.aborted ? undefined : count
}

it('a gateway is silent when it leaves two checks in a row', async () => {
  expect(await asked(['answered', 'silent', 'answered', 'silent', 'silent', 'answered'])).toBe(5)
  expect(await asked(['silent', 'silent'])).toBe(2)
})

it('what says nothing about the gateway counts neither for it nor against it', async () => {
  expect(await asked(['silent', 'unknown', 'unknown', 'silent'])).toBe(4)
  expect(await asked(['unknown', 'unknown', 'unknown', 'unknown', 'silent'])).toBeUndefined()
})

it('a gateway that is gone is left after 50 s at most: two periods after its last answer, and a deadline', () => {
  expect(2 * TIMING.healthEveryMs + TIMING.healthDeadlineMs).toBeLessThanOrEqual(50_000)
})

it('the last answer is kept, with the time it took', async () => {
  const over = new AbortController()
  const watch = new HealthWatch(() => {
    over.abort()
    return Promise.resolve('answered')
  }, quick)
  expect(watch.latest).toBeUndefined()
  await watch.untilSilent(over.signal)
  expect(watch.latest?.roundTripMs).toBeGreaterThanOrEqual(0)
})
