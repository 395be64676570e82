import { getHeapSpaceStatistics } from 'node:v8'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { collectHeap, IdleMemory } from '../../../src/commands/start/idle-memory.ts'
import { loadEngine } from '../../../src/runtime/engine.ts'

const MiB = 1024 * 1024

let given: number
let memory: IdleMemory
beforeEach(() => {
  vi.useFakeTimers()
  given = 0
  memory = new IdleMemory(() => (given += 1))
})
afterEach(() => vi.useRealTimers())

/** Takes memory, and really. */
const taken = (bytes: number) => Buffer.alloc(bytes, 1)

describe('idle memory', () => {
  it('is given back once after the last command, when it has grown', () => {
    const busy = [taken(64 * MiB)]
    memory.running(1)
    memory.running(0)
    expect(given).toBe(0)
    vi.runAllTimers()
    expect([given, vi.getTimerCount()]).toEqual([1, 0])
    memory.running(1)
    memory.running(0)
    vi.runAllTimers()
    expect(given).toBe(1)
    busy.push(taken(64 * MiB))
    memory.running(1)
    memory.running(0)
    vi.runAllTimers()
    expect([given, busy.length]).toEqual([2, 2])
  })

  it('is given back once after the start, without any command', () => {
    vi.runAllTimers()
    expect([given, vi.getTimerCount()]).toEqual([1, 0])
  })

  it('is kept while commands run, and while they come one after the other', () => {
    const busy = taken(64 * MiB)
    memory.running(1)
    vi.runAllTimers()
    memory.running(0)
    memory.running(1)
    vi.runAllTimers()
    expect([given, busy.length]).toEqual([0, 64 * MiB])
  })

  it('is collected whole: what nobody holds is gone', async () => {
    vi.useRealTimers()
    const garbage = new WeakRef({ large: taken(MiB) })
    // A WeakRef holds what it was made with until its turn of the loop is over.
    await new Promise((resolve) => setImmediate(resolve))
    collectHeap()
    expect(garbage.deref()).toBeUndefined()
    expect((globalThis as { gc?: unknown }).gc).toBeUndefined()
  })

  it('of malloc is given back by the engine', async () => {
    const { giveBackMemory } = await loadEngine()
    expect(giveBackMemory).not.toThrow()
  })
})

it.runIf(Number(process.versions.node.split('.')[0]) >= 24)(
  'collectHeap gives the young generation its first size',
  () => {
    const youngBytes = () =>
      getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
    vi.useRealTimers()
    const kept: unknown[] = []
    while (youngBytes() < 8 * MiB) kept.push({ n: [kept.length] })
    kept.length = 0
    collectHeap()
    expect(youngBytes()).toBeLessThanOrEqual(2 * MiB)
  },
)
