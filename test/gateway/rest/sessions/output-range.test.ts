import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

const BIG = Buffer.alloc(3 * 1024 * 1024, 'not only text: \0\xff\n', 'latin1')

interface Range {
  readonly events: readonly { readonly place: number; readonly type: string; readonly payload: string }[]
  readonly next: number
  readonly over: boolean
  readonly missing_bytes: number
}

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: record })
})
afterAll(() => gateway[Symbol.asyncDispose]())

/** One session with much to say, and one with nothing. */
function record(state: string): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  const request = { user: 'admin', connection: 'bash', connectionType: 'custom', startedAt: new Date(0) }
  const rest = { origin: 'client', verb: 'exec', labels: {}, metadata: {} } as const
  history.begin({ ...request, ...rest, id: 'big', script: Buffer.from('true') })
  history.append('big', 'o', BIG, 1)
  history.append('big', 'e', Buffer.from('the end'), 2)
  history.finish('big', { exitCode: 0, truncatedBytes: 42, endedAt: new Date() })
  history.begin({ ...request, ...rest, id: 'silent', script: Buffer.alloc(0) })
  history.finish('silent', { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
  history.close()
}

async function range(id: string, query: string): Promise<Range> {
  const { status, body } = await gateway.request('GET', `/api/sessions/${id}/output${query}`)
  expect(status).toBe(200)
  return body as unknown as Range
}

const bytesOf = ({ events }: Range) =>
  Buffer.concat(
    events.filter(({ type }) => type === 'o').map(({ payload }) => Buffer.from(payload, 'base64')),
  )

describe('GET /api/sessions/{id}/output', () => {
  it('gives all of a record, range by range, and says when nothing comes any more', async () => {
    const ranges = [await range('big', '?bytes=300000')]
    for (let last = ranges[0]; last?.over === false; last = ranges.at(-1))
      ranges.push(await range('big', `?from=${last.next}&bytes=300000`))
    expect(ranges.length).toBeGreaterThan(9)
    for (const one of ranges) expect(bytesOf(one).length).toBeLessThan(300_000 + 64 * 1024)
    expect(Buffer.concat(ranges.map(bytesOf)).equals(BIG)).toBe(true)
    expect(ranges.at(-1)?.events.at(-1)).toMatchObject({ type: 'e' })
    expect(ranges.map(({ missing_bytes }) => missing_bytes)).toEqual(ranges.map(() => 42))
  })

  it('gives the same range again by its place, which is that of the stream', async () => {
    const first = await range('big', '?bytes=200000')
    const second = await range('big', `?from=${first.next}&bytes=200000`)
    expect(await range('big', `?from=${first.next}&bytes=200000`)).toEqual(second)
    const asked = {
      authorization: `Bearer a-token-for-tests-0123456789`,
      'last-event-id': String(first.next),
    }
    const stream = await (
      await fetch(`${gateway.gateway.http}/api/sessions/big/stream`, {
        headers: { ...asked, connection: 'close' },
      })
    ).text()
    expect(stream).toContain(`id: ${second.events[0]?.place ?? 0}\nevent: event\n`)
  })

  it('has an event at least, and none of a session that wrote nothing', async () => {
    expect((await range('big', '?bytes=1')).events).toHaveLength(1)
    expect(await range('silent', '')).toEqual({ events: [], next: 0, over: true, missing_bytes: 0 })
  })

  it.each(['?from=x', '?from=-1', '?from=999999', '?bytes=1048577', '?bytes=1e3'])(
    'refuses %s and says what is expected',
    async (query) => {
      const { status, body } = await gateway.request('GET', `/api/sessions/big/output${query}`)
      expect([status, body['code']]).toEqual([422, 'invalid-request'])
      expect(body['message']).toMatch(/^(from|bytes): /)
    },
  )
})
