import { describe, expect, it } from 'vitest'
import { Wakeup } from '../../src/basics/wakeup.ts'

const never = new AbortController().signal

describe('a wake-up', () => {
  it('wakes the reader that waits', async () => {
    const wakeup = new Wakeup()
    const woken = wakeup.woken()
    wakeup.wake()
    await expect(woken).resolves.toBeUndefined()
  })

  it('is not kept while nobody waits', async () => {
    const wakeup = new Wakeup()
    wakeup.wake()
    let isWoken = false
    const woken = wakeup.woken().then(() => (isWoken = true))
    await new Promise(setImmediate)
    expect(isWoken).toBe(false)
    wakeup.wake()
    await woken
  })

  it('refuses a second reader, and still wakes the first', async () => {
    const wakeup = new Wakeup()
    const first = wakeup.woken()
    expect(() => wakeup.woken()).toThrow('two readers')
    wakeup.wake()
    await first
  })

  it('lets the reader that it has woken wait again at once', async () => {
    const wakeup = new Wakeup()
    const twice = wakeup.woken().then(() => wakeup.woken())
    wakeup.wake()
    await new Promise(setImmediate)
    wakeup.wake()
    await twice
  })

  it('has no reader left after its time and after an abort', async () => {
    const wakeup = new Wakeup()
    await wakeup.wokenWithin(1, never)
    const leaving = new AbortController()
    const aborted = wakeup.wokenWithin(60_000, leaving.signal)
    leaving.abort()
    await aborted
    await wakeup.wokenWithin(60_000, AbortSignal.abort())
    const woken = wakeup.wokenWithin(60_000, never)
    wakeup.wake()
    await woken
  })
})
