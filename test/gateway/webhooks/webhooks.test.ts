import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Secret } from '../../../src/basics/secret.ts'
import type { History } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import type { WebhookSettings } from '../../../src/gateway/settings/webhooks.ts'
import type { Review } from '../../../src/gateway/reviews/review.ts'
import { Webhooks } from '../../../src/gateway/webhooks/webhooks.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { waitFor } from '../../support/wait.ts'

const quick = { pollMs: 5, firstMs: 5, longestMs: 20, ageMs: 3_600_000, attempts: 3, most: 10_000 }
const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

let server: ScriptedRest
let folder: string
let history: History
let log: string[]
let current: { value: { webhooks: readonly WebhookSettings[] } }
let webhooks: Webhooks | undefined
beforeEach(async () => {
  server = await ScriptedRest.start()
  server.on('POST /hook', json(200, {}))
  folder = mkdtempSync(join(tmpdir(), 'webhooks-'))
  history = open()
  log = []
  current = { value: { webhooks: [hook()] } }
})
afterEach(async () => {
  vi.useRealTimers()
  await webhooks?.close()
  webhooks = undefined
  history.close()
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const open = () => openHistory(join(folder, 'history.sqlite'), { flushAfterMs: 5 })

function hook(more: Partial<WebhookSettings> = {}): WebhookSettings {
  return {
    ...{ name: 'hook', url: new Secret(`${server.url}/hook`), secret: new Secret(KEY), template: 'standard' },
    ...{ events: ['session.finished', 'session.failed'], authorities: () => [], proxy: undefined },
    ...more,
  }
}

function start(timing = quick): Webhooks {
  const write = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`)
  const logger = { debug: write, info: write, warn: write, error: write }
  webhooks = new Webhooks(
    { history, settings: current, linkTo: (sid) => `https://gw/sessions/${sid}`, log: logger },
    timing,
  )
  return webhooks
}

/** Runs and ends. */
function session(id: string, exitCode = 0, connection = 'pg'): void {
  history.begin({
    ...{ id, origin: 'client-api-runbooks', verb: 'exec', connection, connectionType: 'custom', user: 'ann' },
    ...{ script: Buffer.from('secret script'), metadata: { note: 'private' }, startedAt: new Date() },
    labels: { runbookFile: 'ops/a.sh', runbookParameters: '{"p":"value"}' },
  })
  history.append(id, 'o', Buffer.from('secret output'), 0)
  history.finish(id, { exitCode, truncatedBytes: 0, endedAt: new Date() })
}

function begin(id: string): void {
  history.begin({
    ...{ id, origin: 'client-api', verb: 'exec', connection: 'pg', connectionType: 'custom', user: 'ann' },
    ...{ script: Buffer.alloc(0), metadata: {}, labels: {}, startedAt: new Date() },
  })
}

function review(sid: string, status: 'PENDING' | 'APPROVED' | 'REJECTED', by?: string): Review {
  const decided = by === undefined ? {} : { reviewedBy: by, reviewedAt: Date.now() }
  return {
    ...{ id: `r-${sid}`, sessionId: sid, connection: 'pg', owner: 'ann', type: 'onetime', status },
    ...{ accessMs: 0, createdAt: Date.now(), expiresAt: Date.now() + 3_600_000, minimum: 1 },
    groups: [{ id: 'g', group: 'dba', status, forced: false, ...decided }],
    ...{ forceGroups: [], selfApproval: false, rejectionReason: 'not on Friday' },
    shown: { scriptDigest: { kind: 'sha256', hex: '00' }, clientArgs: [], envVars: [] },
  }
}

const asked = () => server.asked('POST /hook')
const waiting = () => history.read(({ webhooks: rows }) => rows.count('hook'))
const state = () => history.read(({ webhooks: rows }) => rows.states().find(({ name }) => name === 'hook'))

const HOUR_MS = 3_600_000

describe('Webhooks', () => {
  it('tells of each end once, signed, and says neither script nor output', async () => {
    start()
    session('s1')
    session('s2', 3)
    await waitFor(() => asked().length === 2 && waiting() === 0)
    const bodies = asked().map(({ body }) => body)
    expect(bodies).toMatchObject([
      { type: 'session.finished', data: { id: 's1', user_id: 'ann', runbook: 'ops/a.sh', exit_code: 0 } },
      { type: 'session.failed', data: { id: 's2', exit_code: 3, url: 'https://gw/sessions/s2' } },
    ])
    expect(JSON.stringify(bodies)).not.toMatch(/secret|private|"p"/)
    for (const { headers, body } of asked())
      expect(new Webhook(KEY).verify(JSON.stringify(body), headers as Record<string, string>)).toEqual(body)
    expect(state()).toMatchObject({ delivered: 2, dropped: 0 })
  })

  it('tells why a session was asked for, at its end and while it waits', async () => {
    current.value = { webhooks: [hook({ events: ['review.waiting', 'session.finished'] })] }
    start()
    for (const [id, reason] of [
      ['s1', 'ticket 7'],
      ['s2', undefined],
    ] as const) {
      history.begin({
        ...{
          id,
          origin: 'client-api',
          verb: 'exec',
          connection: 'pg',
          connectionType: 'custom',
          user: 'ann',
        },
        ...{
          script: Buffer.alloc(0),
          metadata: { note: 'x'.repeat(9000) },
          labels: {},
          startedAt: new Date(),
        },
        ...(reason !== undefined && { reason }),
      })
      history.write(({ reviews }) => reviews.insert(review(id, 'PENDING'), null))
      history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
    }
    await waitFor(() => asked().length === 4 && waiting() === 0)
    const said = asked().map(({ body }) => body as { type: string; data: { id: string; reason: unknown } })
    expect(said.map(({ type, data }) => `${type} ${data.id} ${String(data.reason)}`).toSorted()).toEqual([
      'review.waiting s1 ticket 7',
      'review.waiting s2 null',
      'session.finished s1 ticket 7',
      'session.finished s2 null',
    ])
  })

  it('tells of a review that waits and of its decision; what was rejected has not failed', async () => {
    current.value = {
      webhooks: [
        hook({ events: ['review.waiting', 'review.approved', 'review.rejected', 'session.failed'] }),
      ],
    }
    start()
    for (const id of ['s1', 's2']) {
      begin(id)
      history.write(({ reviews }) => reviews.insert(review(id, 'PENDING'), null))
    }
    history.write(({ reviews }) => reviews.update(review('s1', 'APPROVED', 'bea'), 'PENDING'))
    history.write(({ reviews }) => reviews.update(review('s2', 'REJECTED', 'cid'), 'PENDING'))
    history.finish('s2', { exitCode: 254, truncatedBytes: 0, endedAt: new Date() })
    await waitFor(() => asked().length === 4 && waiting() === 0)
    const said = asked().map(({ body }) => body as { type: string; data: { id: string; review: object } })
    expect(said.map(({ type, data }) => `${type} ${data.id}`).toSorted()).toEqual([
      'review.approved s1',
      'review.rejected s2',
      'review.waiting s1',
      'review.waiting s2',
    ])
    expect(said.find(({ type }) => type === 'review.rejected')?.data.review).toMatchObject({
      ...{ status: 'REJECTED', owner_email: 'ann', reason: 'not on Friday' },
      groups: [{ group: 'dba', status: 'REJECTED', reviewed_by: 'cid' }],
    })
  })

  it('says who has stopped a session, and on which connections a batch would run', async () => {
    current.value = { webhooks: [hook({ events: ['review.waiting', 'session.failed'] })] }
    start()
    begin('s1')
    const batch = { id: 'b', waves: [['web-01'], ['web-02', 'web-03']], parallel: 2, threshold: 1 }
    history.write(({ reviews }) => reviews.insert({ ...review('s1', 'PENDING'), batch }, null))
    begin('s2')
    const cause = { code: 'session-killed', by: 'bea' }
    history.finish('s2', { exitCode: 254, truncatedBytes: 0, endedAt: new Date(), cause })
    await waitFor(() => asked().length === 2 && waiting() === 0)
    const said = asked().map(({ body }) => body as { type: string; data: object })
    expect(said.find(({ type }) => type === 'review.waiting')?.data).toMatchObject({
      review: { batch: { id: 'b', connections: ['web-01', 'web-02', 'web-03'] } },
    })
    expect(said.find(({ type }) => type === 'session.failed')?.data).toMatchObject({
      state: { name: 'stopped', text: 'stopped by bea', by: 'bea' },
    })
  })

  it('names every connection and the beginning of the reason of a review that is stored in two forms', async () => {
    current.value = { webhooks: [hook({ events: ['review.waiting', 'review.rejected'] })] }
    start()
    const connections = Array.from({ length: 500 }, (_, at) => `connection-${at}`)
    const batch = {
      id: 'b',
      waves: [connections.slice(0, 1), connections.slice(1)],
      parallel: 2,
      threshold: 1,
    }
    begin('s1')
    history.write(({ reviews }) => reviews.insert({ ...review('s1', 'PENDING'), batch }, null))
    await waitFor(() => asked().length === 1 && waiting() === 0)
    const rejected = { ...review('s1', 'REJECTED', 'cid'), batch, rejectionReason: 'r'.repeat(600) }
    history.write(({ reviews }) => reviews.update(rejected, 'PENDING'))
    await waitFor(() => asked().length === 2 && waiting() === 0)
    const said = asked().map(({ body }) => (body as { data: { review: object } }).data.review)
    expect(said).toMatchObject([
      { status: 'PENDING', batch: { id: 'b', connections } },
      { status: 'REJECTED', batch: { id: 'b', connections }, reason: 'r'.repeat(500) },
    ])
  })

  it('writes nothing for what nobody wants to hear', () => {
    current.value = { webhooks: [hook({ events: ['session.failed'], connections: ['other'] })] }
    start({ ...quick, pollMs: 3_600_000 })
    session('s1')
    session('s2', 1)
    expect(waiting()).toBe(0)
    session('s3', 1, 'other')
    expect(waiting()).toBe(1)
  })

  it('tells of what ended while no gateway was there, by the settings of the one before', async () => {
    const before = start({ ...quick, pollMs: 3_600_000 })
    begin('s1')
    await before.close()
    history.close()
    history = open()
    start()
    await waitFor(() => asked().length === 1)
    expect(asked()[0]?.body).toMatchObject({ type: 'session.failed', data: { id: 's1', exit_code: 254 } })
  })

  it('tries again under the same id, says so meanwhile, and survives the end of the process', async () => {
    server.on('POST /hook', json(503, {}))
    const before = start()
    session('s1')
    await waitFor(() => asked().length >= 3 && before.warning !== undefined)
    expect(before.warning).toBe('webhook hook does not accept its messages: see the log')
    expect(log.filter((line) => line.includes('will retry'))).toHaveLength(1)
    await before.close()
    history.close()
    history = open()
    server.on('POST /hook', json(204, {}))
    start()
    await waitFor(() => waiting() === 0)
    expect(new Set(asked().map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(state()).toMatchObject({ delivered: 1, error: 'the receiver answered 503' })
  })

  it.each([
    ['a redirect', 302, 'the receiver answered 302, a redirect, which is not followed'],
    ['a refusal', 400, 'the receiver answered 400'],
  ])('does not take %s for a delivery', async (_, status, error) => {
    server.on('POST /hook', (__, response) => response.writeHead(status, { location: '/other' }).end())
    start()
    session('s1')
    await waitFor(() => state()?.error === error)
    expect(server.asked('POST /other')).toEqual([])
    expect(waiting()).toBe(1)
  })

  it('does not wait for a receiver that switches protocols, not even to stop', async () => {
    const upgrade = 'HTTP/1.1 101 Go on\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'
    server.on('POST /hook', (_, response) => void response.socket?.write(upgrade))
    start()
    session('s1')
    await waitFor(() => typeof state()?.error === 'string')
    await webhooks?.close()
    expect(waiting()).toBe(1)
  })

  it('asks a receiver that fails for one message at a time', async () => {
    server.on('POST /hook', json(500, {}))
    start({ ...quick, firstMs: 3_600_000, longestMs: 3_600_000 })
    for (let count = 0; count < 30; count++) session(`s${count}`)
    await waitFor(() => state()?.error !== null)
    await webhooks?.close()
    expect(asked().length).toBeLessThanOrEqual(8)
    expect(waiting()).toBe(30)
  })

  it('waits as long as Retry-After says', async () => {
    server.on('POST /hook', (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end())
    start({ ...quick, longestMs: 7_200_000 })
    session('s1')
    await waitFor(() => state()?.error === 'the receiver answered 429')
    server.on('POST /hook', json(200, {}))
    session('s2')
    for (let count = 0; count < 5; count++) webhooks?.tick()
    expect([asked().length, waiting()]).toEqual([1, 2])
  })

  it('disables one that answers 410, until it takes a test message or has another url', async () => {
    server.on('POST /hook', json(410, {}))
    const one = start()
    session('s1')
    await waitFor(() => one.warning === 'webhook hook is disabled: see the log')
    session('s2')
    expect([waiting(), state()?.dropped]).toEqual([0, 1])
    expect(await one.test(hook())).toMatchObject({ outcome: 'gone' })
    server.on('POST /hook', json(200, {}))
    expect(await one.test(hook())).toEqual({ outcome: 'delivered', status: 200 })
    expect(asked().at(-1)?.body).toMatchObject({ type: 'webhook.test' })
    session('s3')
    await waitFor(() => asked().some(({ body }) => JSON.stringify(body).includes('"s3"')))
  })

  it('keeps so many messages of a receiver that is dead, the newest', async () => {
    const most = 20
    server.on('POST /hook', json(500, {}))
    const one = start({ ...quick, pollMs: 3_600_000, firstMs: 3_600_000, longestMs: 3_600_000, most })
    for (let count = 0; count < 30; count++) session(`s${count}`)
    one.tick()
    await waitFor(() => state()?.error !== null)
    expect([waiting(), state()?.dropped]).toEqual([most, 10])
    expect(asked().map(({ body }) => (body as { data: { id: string } }).data.id)).toContain('s10')
    expect(log.join()).toContain('messages given up')
  })

  it('does not let one that is dead hold up others', async () => {
    server.on('POST /dead', () => undefined)
    current.value = { webhooks: [hook({ name: 'dead', url: new Secret(`${server.url}/dead`) }), hook()] }
    start()
    for (let count = 0; count < 20; count++) session(`s${count}`)
    await waitFor(() => asked().length === 20 && waiting() === 0)
  })

  it('forgets one that is gone from gateway.yaml, with its messages', async () => {
    server.on('POST /hook', json(500, {}))
    start()
    session('s1')
    await waitFor(() => asked().length > 0)
    current.value = { webhooks: [] }
    await waitFor(() => state() === undefined)
    session('s2')
    expect(waiting()).toBe(0)
  })

  it('sends nothing more to an address that the settings do not have any more', async () => {
    server.on('POST /hook', (...args) => {
      current.value = { webhooks: [hook({ url: new Secret(`${server.url}/new`) })] }
      return json(200, {})(...args)
    })
    server.on('POST /new', json(200, {}))
    for (let at = 0; at < 30; at++) session(`before-${at}`)
    start({ ...quick, pollMs: 3_600_000 })
    for (let at = 0; at < 30; at++) session(`s${at}`)
    webhooks?.tick()
    await waitFor(() => asked().length > 0 && (webhooks?.tick(), waiting() === 0))
    expect(asked().length).toBeLessThanOrEqual(8)
    expect(asked().length + server.asked('POST /new').length).toBe(30)
  })

  it('waits for no time that lies further ahead than it ever waits: the clock was wrong', async () => {
    start({ ...quick, pollMs: 3_600_000 })
    session('s1')
    const [message] = history.read(({ webhooks: rows }) => rows.waiting('hook', 1))
    const nextYear = Date.now() + 365 * 24 * 3_600_000
    history.write(({ webhooks: rows }) => rows.retry('hook', message?.id ?? '', nextYear, 'x', Date.now()))
    webhooks?.tick()
    await waitFor(() => asked().length === 1 && waiting() === 0)
  })

  it.each([
    ['seconds', () => '86400'],
    ['a date', () => new Date(Date.now() + 24 * HOUR_MS).toUTCString()],
  ])('waits for an hour at most, whatever Retry-After says in %s', async (_, retryAfter) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    server.on('POST /hook', (__, response) => response.writeHead(503, { 'retry-after': retryAfter() }).end())
    // The longest pause is a week, so that no horizon ends the wait.
    const one = start({ ...quick, pollMs: HOUR_MS, longestMs: 168 * HOUR_MS })
    session('s1')
    one.tick()
    await waitFor(() => one.isFailing('hook'))
    server.on('POST /hook', json(200, {}))
    vi.setSystemTime(Date.now() + HOUR_MS - 60_000)
    one.tick()
    expect(asked()).toHaveLength(1)
    vi.setSystemTime(Date.now() + 61_000)
    one.tick()
    await waitFor(() => waiting() === 0)
    expect(asked()).toHaveLength(2)
  })

  it('lets a receiver rest no longer than it may when the clock, which was ahead, is right again', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    server.on('POST /hook', json(503, {}))
    const one = start({ ...quick, pollMs: HOUR_MS, longestMs: HOUR_MS })
    const rightTime = Date.now()
    vi.setSystemTime(rightTime + 365 * 24 * HOUR_MS)
    session('s1')
    one.tick()
    await waitFor(() => one.isFailing('hook'))
    server.on('POST /hook', json(200, {}))
    vi.setSystemTime(rightTime)
    one.tick()
    await waitFor(() => waiting() === 0)
  })

  it('gives a message up when it is old and was tried often: neither alone is enough', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    server.on('POST /hook', json(500, {}))
    const one = start({ ...quick, pollMs: HOUR_MS, attempts: 3, ageMs: HOUR_MS })
    const triedAfter = async (ms: number) => {
      const before = asked().length
      vi.setSystemTime(Date.now() + ms)
      one.tick()
      await waitFor(() => asked().length > before && state()?.errorAt === Date.now())
      return [waiting(), state()?.dropped]
    }
    session('old')
    expect(await triedAfter(2 * HOUR_MS)).toEqual([1, 0])
    expect(await triedAfter(2 * HOUR_MS)).toEqual([1, 0])
    expect(await triedAfter(2 * HOUR_MS)).toEqual([0, 1])
    session('new')
    for (let count = 0; count < 5; count++) expect(await triedAfter(60_000)).toEqual([1, 1])
  })
})
