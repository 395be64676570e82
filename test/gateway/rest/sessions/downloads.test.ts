import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { DownloadTokens } from '../../../../src/gateway/rest/sessions/downloads.ts'
import type { AccessToken } from '../../../../src/gateway/identity.ts'
import { otherToken, RunningGateway } from '../../../support/sites/running-gateway.ts'

// A session is downloaded in two steps: a link for one request, and the file.

const STARTED = new Date(Date.UTC(2026, 10, 26, 10, 4, 5))
const HOSTILE = 'a"; filename=/etc/passwd\r\nX: ü'

function fill(state: string): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  const begin = (id: string, connection: string, began?: Date) => {
    const request = { id, user: 'admin', connection, connectionType: 'custom', startedAt: STARTED }
    const script = Buffer.from('select\t1')
    history.begin({ ...request, origin: 'client-api', verb: 'exec', labels: {}, metadata: {}, script })
    if (began !== undefined) history.begun(id, began)
    history.append(id, 'i', script, 0)
    history.append(id, 'o', Buffer.from('a\tb\n1\t2\n'), 1)
    history.append(id, 'e', Buffer.from('reason'), 61)
    history.finish(id, { exitCode: 0, truncatedBytes: 0, endedAt: STARTED })
  }
  begin('s1', 'bash')
  begin('late', 'bash', new Date(STARTED.getTime() + 600_000))
  begin('s3', 'opened')
  begin('s2', HOSTILE)
  history.close()
}

const opened = (sessions: string) =>
  `\n  - { name: opened, agent: local, command: [bash], sessions: ${sessions} }`

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { prepare: fill, connections: opened('all') })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const asOther = { authorization: `Bearer ${otherToken}` }

async function link(query: string, id = 's1', headers = {}): Promise<string> {
  const { status, body } = await gateway.request('GET', `/api/sessions/${id}?${query}`, undefined, headers)
  expect([status, Object.keys(body)]).toEqual([200, ['download_url', 'expire_at']])
  return String(body['download_url'])
}

/** Without the token of a user. */
async function fetched(url: string): Promise<Response> {
  return fetch(url, { headers: { connection: 'close' } })
}

describe('a download', () => {
  it.each([
    ['extension=txt', 'txt', 'a\tb\n1\t2\nreason'],
    ['extension=csv', 'csv', 'a,b\n1,2\nreason'],
    ['extension=txt&events=o&newline=1', 'txt', 'a\tb\n1\t2\n\n'],
    ['extension=log&events=e&event-time=1', 'log', '2026-11-26T10:05:06Z reason'],
    ['blob-type=session_input&extension=sql', 'sql', 'select\t1'],
    ['extension=../../x%0d%0a;y', 'xy', 'a\tb\n1\t2\nreason'],
  ])('with %s is a file of that form', async (query, extension, content) => {
    const response = await fetched(await link(query))
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename=bash-s1-20261126-100405.${extension}`,
    )
    expect(await response.text()).toBe(content)
  })

  it('as JSON has each event with its time', async () => {
    expect(await (await fetched(await link('extension=json&events=i,o,e'))).json()).toEqual([
      { stream: 'select\t1', time: '2026-11-26T10:04:05Z', type: 'i' },
      { stream: 'a\tb\n1\t2\n', time: '2026-11-26T10:04:06Z', type: 'o' },
      { stream: 'reason', time: '2026-11-26T10:05:06Z', type: 'e' },
    ])
    expect(await (await fetched(await link('extension=json&events=r'))).json()).toHaveLength(2)
    // The command of this session began ten minutes after its request.
    expect(await (await fetched(await link('extension=json&events=o', 'late'))).json()).toEqual([
      { stream: 'a\tb\n1\t2\n', time: '2026-11-26T10:14:06Z', type: 'o' },
    ])
  })

  it('has a name that says nothing to a header or a file system', async () => {
    const response = await fetched(await link('extension=txt', 's2'))
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename=[A-Za-z0-9_.-]+-s2-20261126-100405\.txt$/,
    )
    expect(response.headers.get('x')).toBeNull()
  })

  it('is for one request, and a wrong token uses the right one up', async () => {
    const missing = { status: 404, message: 'not found', code: 'session-not-found' }
    const url = await link('extension=txt')
    expect((await fetched(url)).status).toBe(200)
    expect(await (await fetched(url)).json()).toEqual(missing)
    const next = await link('extension=txt')
    const wrong = await fetched(next.replace(/token=\w+/, 'token=0'))
    expect([wrong.status, await wrong.json()]).toEqual([
      401,
      { status: 401, message: 'unauthorized', code: 'unauthenticated' },
    ])
    expect(await (await fetched(next)).json()).toEqual(missing)
    const superseded = await link('extension=txt')
    const last = await link('extension=txt')
    expect((await fetched(superseded)).status).toBe(401)
    expect((await fetched(last)).status).toBe(404)
    expect((await fetched(last.replace('/s1/', '/nope/'))).status).toBe(404)
  })

  it('has to be begun within five minutes', async () => {
    const url = await link('extension=txt')
    const now = Date.now()
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 5 * 60 * 1000 + 1)
    const response = await fetched(url).finally(() => clock.mockRestore())
    expect([response.status, await response.json()]).toEqual([
      410,
      { status: 410, message: 'session download link expired', code: 'download-expired' },
    ])
  })

  it('lasts five minutes also when the clock is set back meanwhile', async () => {
    const url = await link('extension=txt')
    const now = Date.now()
    const elapsed = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5 * 60 * 1000 + 1)
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now - 60 * 60 * 1000)
    const response = await fetched(url).finally(() => {
      clock.mockRestore()
      elapsed.mockRestore()
    })
    expect(response.status).toBe(410)
  })

  it('of a session of somebody else cannot be asked for', async () => {
    const answer = await gateway.request('GET', '/api/sessions/s1?extension=txt', undefined, asOther)
    expect(answer).toEqual({ status: 404, body: { message: 'not found', code: 'session-not-found' } })
  })

  it('is refused once the token that has asked for it is revoked', async () => {
    const token = await gateway.request('POST', '/api/tokens', { name: 'short' })
    const { id, token: text } = token.body
    const url = await link('extension=txt', 's1', { authorization: `Bearer ${String(text)}` })
    expect(await gateway.request('DELETE', `/api/tokens/${String(id)}`)).toMatchObject({ status: 204 })
    const response = await fetched(url)
    expect([response.status, await response.json()]).toEqual([
      401,
      { status: 401, message: 'unauthorized', code: 'unauthenticated' },
    ])
  })

  it('is refused once the user may no longer see the session', async () => {
    const query = 'extension=txt&blob-type=session_input'
    expect((await fetched(await link(query, 's3', asOther))).status).toBe(200)
    const url = await link(query, 's3', asOther)
    gateway.configure({ connections: opened('own') })
    expect((await gateway.request('POST', '/api/reload')).status).toBe(200)
    const response = await fetched(url)
    expect([response.status, await response.json()]).toEqual([
      404,
      { status: 404, message: 'not found', code: 'session-not-found' },
    ])
  })
})

describe('tokens of downloads', () => {
  it('are bounded: who asks for more than a hundred loses the oldest, and nobody else does', () => {
    const tokens = new DownloadTokens(() => Date.now())
    const by = (user: string): AccessToken => ({
      ...{ id: user, name: user, user, kind: 'personal', sha256: Buffer.alloc(32), isDeclared: true },
    })
    const [ann, ben] = [by('ann'), by('ben')]
    const theirs = tokens.issue('theirs', ben).token
    const own = Array.from({ length: 101 }, (_, i) => tokens.issue(`s${i}`, ann).token)
    expect(tokens.redeem('s0', own[0] ?? '').outcome).toBe('none')
    expect(tokens.redeem('s1', own[1] ?? '').outcome).toBe('valid')
    expect(tokens.redeem('theirs', theirs)).toEqual({ outcome: 'valid', by: ben })
  })
})
