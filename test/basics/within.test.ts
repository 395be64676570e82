import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { within } from '../../src/basics/abort.ts'

const never = new Promise<void>(() => undefined)

it('is true for work that is done in time', async () => {
  expect(await within(delay(1), 60_000)).toBe(true)
})

it('is false for work that takes longer', async () => {
  expect(await within(never, 5)).toBe(false)
  expect(await within(never, -5)).toBe(false)
})

it('throws what the work throws in time, and ignores what it throws later', async () => {
  await expect(within(Promise.reject(new Error('broken')), 60_000)).rejects.toThrow('broken')
  let fail = (_: Error): void => undefined
  const late = new Promise<void>((_, reject) => (fail = reject))
  expect(await within(late, 1)).toBe(false)
  fail(new Error('too late'))
  await expect(late).rejects.toThrow('too late')
})

it('counts what was done while the event loop was blocked as in time', async () => {
  const outcome = within(delay(5), 10)
  const end = performance.now() + 50
  while (performance.now() < end);
  expect(await outcome).toBe(true)
})
