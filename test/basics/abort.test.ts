import { getEventListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { onAbort, patience, within } from '../../src/basics/abort.ts'
import { Agents } from '../../src/gateway/agents/agents.ts'
import { Followers, SessionFollower } from '../../src/gateway/history/follower.ts'
import { Locks, SessionLocks } from '../../src/gateway/locks/locks.ts'
import { SignInAttempts } from '../../src/gateway/people/identities/sign-in-attempts.ts'
import { ChangeFeed } from '../../src/gateway/rest/page/changes.ts'
import { Waiters } from '../../src/gateway/reviews/reviews.ts'
import { fetchInto } from '../../src/gateway/runbooks/git/fetch.ts'
import type { SessionRequest } from '../../src/gateway/sessions/session-request.ts'
import { PathPattern } from '../../src/gateway/settings/words.ts'
import type { SessionId } from '../../src/wire/messages/message.ts'
import { Workplace } from '../support/sites/workplace.ts'

describe('who listens for an abort', () => {
  it('is called once when it comes, and at once when it has come before', () => {
    const life = new AbortController()
    const called: string[] = []
    onAbort(life.signal, () => called.push('before'))
    expect(called).toEqual([])
    life.abort()
    onAbort(life.signal, () => called.push('after'))
    expect(called).toEqual(['before', 'after'])
  })

  it('is told nothing else: what waits for a value would take the event for it', () => {
    const life = new AbortController()
    const told: unknown[][] = []
    onAbort(life.signal, (...args: unknown[]) => told.push(args))
    life.abort()
    expect(told).toEqual([[]])
  })

  it('is forgotten when it listens no more', () => {
    const { signal } = new AbortController()
    const listening = onAbort(signal, () => expect.unreachable())
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    listening[Symbol.dispose]()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})

describe('an abort that came before it was waited for ends at once', () => {
  const over = AbortSignal.abort(new Error('over'))
  const longMs = 2 ** 30

  it('the waiting for a decision', async () => {
    expect(await new Waiters().wait('s', over)).toBeUndefined()
  })

  it('the waiting for an agent', async () => {
    const agents = new Agents(
      { value: { agents: [] } },
      new SignInAttempts({ most: () => 1, told: () => undefined }),
    )
    expect(await agents.waitFor('local', longMs, over)).toBeUndefined()
  })

  it('the waiting for changes', async () => {
    const feed = new ChangeFeed(
      { changes: { sessions: 0, reviews: 0, batches: 0, schedules: 0 } },
      { names: [], state: () => 'never' },
      { stopsAt: undefined },
    )
    using listener = feed.listen()
    expect(await listener.next(longMs, over)).toEqual([])
  })

  it('the waiting for more of a session', async () => {
    const read = { read: () => [], progression: () => undefined }
    using follower = new SessionFollower('s', 0, new Followers(() => undefined), read)
    expect(await follower.changed(longMs, over)).toBe(false)
  })

  it('the waiting for a lock', async () => {
    const locks = [{ name: 'one', runbooks: [PathPattern.from('a.sh')], connections: undefined }]
    const settings = { locks, schedules: [], limits: { lockWaitMs: longMs } }
    const sessions = new SessionLocks(new Locks(), { value: settings as never })
    const asked = { origin: 'client-api-runbooks', labels: { runbookFile: 'a.sh' } }
    const request = { ...asked, connection: { name: 'pg' }, user: 'ann' } as unknown as SessionRequest
    for (const sid of ['holds', 'waits']) sessions.enter(sid as SessionId, request)
    expect(sessions.obstacle('waits')).toMatchObject({ lock: 'one' })
    expect(await sessions.reached('waits' as SessionId, over)).toBeUndefined()
  })

  it('a fetch, before git is run', async () => {
    using place = new Workplace()
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: () => undefined,
    }
    const fetched = fetchInto(place.path, {
      ...{ name: 'rb', branch: undefined, timeoutMs: longMs, maxBytes: 1, closing: over, log },
      ...{ outerEnv: { PATH: '/none' }, remote: { kind: 'https', url: 'https://127.0.0.1:1/rb' } as never },
    })
    await expect(fetched).rejects.toThrow('over')
  })
})

const never = new Promise<void>(() => undefined)

describe('within', () => {
  it('is true for work that is done in time', async () => {
    expect(await within(delay(1), 60_000)).toBe(true)
  })

  it('is false for work that takes longer', async () => {
    expect(await within(never, 5)).toBe(false)
    expect(await within(never, -5)).toBe(false)
  })

  it('throws what the work throws in time, and ignores what it throws later', async () => {
    await expect(within(Promise.reject(new Error('broken')), 60_000)).rejects.toThrow('broken')
    let fail: (error: Error) => void = () => undefined
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
})

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
}

describe('patience', () => {
  it('ends by itself, also when the garbage is collected meanwhile', async () => {
    const ended = new Promise((resolve) =>
      patience(20, new AbortController().signal).addEventListener('abort', resolve),
    )
    collectGarbage()
    await ended
  })

  it('ends with the signal around it', () => {
    const outer = new AbortController()
    const wait = patience(60_000, outer.signal)
    outer.abort()
    expect(wait.aborted).toBe(true)
  })
})
