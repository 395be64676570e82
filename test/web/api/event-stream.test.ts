import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { followEvents, type StreamState } from '../../../web/src/api/event-stream.ts'

beforeEach(() => {
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }))
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')))
})
afterEach(() => void vi.unstubAllGlobals())

it('a view that is left in the moment in which its stream is lost waits for nothing', async () => {
  vi.useFakeTimers()
  const left = new AbortController()
  const states: StreamState[] = []
  const state = (now: StreamState) => {
    states.push(now)
    if (now === 'lost') left.abort()
  }
  try {
    // No timer ends: only a look at the signal does.
    await followEvents({ path: '/api/changes', take: () => Promise.resolve(false), state }, left.signal)
  } finally {
    vi.useRealTimers()
  }
  expect(states).toEqual(['connecting', 'lost'])
})
