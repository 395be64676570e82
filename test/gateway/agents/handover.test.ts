import { beforeEach, describe, expect, it } from 'vitest'
import { Handover } from '../../../src/gateway/agents/agent-stream.ts'

let over: AbortController
let handover: Handover<number>

beforeEach(() => {
  over = new AbortController()
  handover = new Handover(over.signal)
})

describe('a handover', () => {
  it('passes things on in order, each when the reader is done with the one before', async () => {
    const happened: string[] = []
    for (const item of [1, 2]) void handover.give(item).then(() => happened.push(`taken ${item}`))
    for await (const item of handover) {
      happened.push(`read ${item}`)
      await Promise.resolve()
      if (item === 2) over.abort()
    }
    await Promise.resolve()
    expect(happened).toEqual(['read 1', 'taken 1', 'read 2', 'taken 2'])
  })

  it('wakes a reader that waits', async () => {
    const next = handover[Symbol.asyncIterator]().next()
    void handover.give(7)
    expect(await next).toEqual({ done: false, value: 7 })
  })

  it('fails behind what was given before', async () => {
    void handover.give(1)
    handover.fail(new Error('first'))
    handover.fail(new Error('second'))
    const read: number[] = []
    const reading = async () => {
      for await (const item of handover) read.push(item)
    }
    await expect(reading()).rejects.toThrow('first')
    expect(read).toEqual([1])
  })

  it.each([
    ['is over', () => over.abort()],
    ['has left', () => undefined],
  ])('lets nobody wait for a reader that %s', async (_, leave) => {
    const given = Promise.all([handover.give(1), handover.give(2)])
    for await (const item of handover) {
      expect(item).toBe(1)
      leave()
      break
    }
    await given
  })

  it('lets nobody wait for a reader that has left before', async () => {
    void handover.give(1)
    for await (const item of handover) {
      expect(item).toBe(1)
      break
    }
    await handover.give(2)
  })

  it('lets nobody wait for a reader that was over before', async () => {
    over.abort()
    await handover.give(1)
    for await (const item of handover) expect.unreachable(`read ${item}`)
  })
})
