import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { HistoryDatabase } from '../../../../src/gateway/history/database.ts'
import { ROOMS } from '../../../../src/gateway/rooms.ts'
import { OPERATIONS } from '../../../../src/gateway/rest/resources.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { Workplace } from '../../../support/sites/workplace.ts'
import { Browsing } from './browsing.ts'

// What a browser is signed in with, who else can use it, and how it ends.

let gateway: RunningGateway
let http: string
beforeAll(async () => {
  const connections = '\n  - { name: asked, agent: local, command: [bash], review: { groups: [admin] } }'
  gateway = await RunningGateway.start({}, { connections })
  http = gateway.gateway.http
})
afterAll(() => gateway[Symbol.asyncDispose]())

describe('the cookie', () => {
  it('is what no script reads, no other site sends, and no other gateway of the host replaces', async () => {
    const { status, headers, body } = await new Browsing(http).signIn({ token: otherToken })
    expect(status).toBe(200)
    expect(body).toMatchObject({ name: 'other', is_admin: false, next: null, token: { kind: 'sign-in' } })
    const [cookie = ''] = headers.getSetCookie()
    const { port } = new URL(http)
    expect(cookie).toMatch(new RegExp(`^runbook_sign_in_${port}=rba_[\\w-]{43}; `))
    const attributes = cookie.split('; ').slice(1)
    expect(attributes).toEqual(['Max-Age=43200', 'Path=/api', 'HttpOnly', 'SameSite=Strict'])
    expect(JSON.stringify(body)).not.toContain('rba_')
  })

  it('is sent by TLS alone where the browser came by TLS', async () => {
    const origin = http.replace('http:', 'https:')
    const { headers } = await new Browsing(http).ask(
      'POST',
      '/api/page/sign-in',
      { token: otherToken },
      { origin },
    )
    expect(headers.getSetCookie()[0]).toContain('; Secure')
  })

  it('signs requests in that say nothing else of who asks', async () => {
    const browsing = await Browsing.signedIn(http, otherToken)
    expect((await browsing.ask('GET', '/api/userinfo')).body).toMatchObject({ name: 'other' })
    const authorization = `Bearer ${userToken}`
    expect((await browsing.ask('GET', '/api/userinfo', undefined, { authorization })).body).toMatchObject({
      name: 'admin',
    })
    const wrong = await browsing.ask('GET', '/api/userinfo', undefined, { authorization: 'Bearer nothing' })
    expect(wrong.status).toBe(401)
  })

  it('is nobody when the browser sends two: another port or name of the host may have set one', async () => {
    const [own, others] = [
      await Browsing.signedIn(http, otherToken),
      await Browsing.signedIn(http, userToken),
    ]
    own.cookie = `${others.cookie}; ${own.cookie}`
    const refused = await own.ask('GET', '/api/userinfo')
    expect(refused).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
    expect(refused.body['message']).toContain('two sign-in cookies')
    own.cookie = `${others.cookie}; ${others.cookie}`
    expect((await own.ask('GET', '/api/userinfo')).status).toBe(200)
  })

  it('has a text that is accepted nowhere else, and no cookie takes a token of another kind', async () => {
    const browsing = await Browsing.signedIn(http, otherToken)
    const [name = '', text = ''] = browsing.cookie?.split('=') ?? []
    const refused = {
      status: 401,
      body: { message: expect.stringContaining('only as a cookie') as string },
    }
    const authorization = `Bearer ${text}`
    expect(await gateway.request('GET', '/api/userinfo', undefined, { authorization })).toMatchObject(refused)
    expect(await new Browsing(http).signIn({ token: text })).toMatchObject(refused)
    browsing.cookie = `${name}=${otherToken}`
    expect((await browsing.ask('GET', '/api/userinfo')).status).toBe(401)
  })

  it('makes no key and no backup, however fresh it is', async () => {
    const browsing = await Browsing.signedIn(http, userToken)
    const refused = Object.entries(OPERATIONS).filter(([, { byCookie }]) => byCookie === 'refused')
    expect(refused.map(([name]) => name)).toContain('POST /api/backup')
    for (const [operation] of refused) {
      const [method = '', path = ''] = operation.split(' ')
      const { status, body } = await browsing.ask(method, path.replace(/:\w+/, 'x'), {})
      expect([operation, status, body['code']]).toEqual([operation, 403, 'not-permitted'])
    }
    const changes = Object.entries(OPERATIONS).filter(
      ([name, { tag }]) => tag === 'Users' && !name.startsWith('GET '),
    )
    expect(changes.filter(([, { byCookie }]) => byCookie === undefined)).toEqual([])
  })
})

describe('users and tokens', () => {
  const FRESH = Object.entries(OPERATIONS)
    .filter(([, { byCookie }]) => byCookie === 'fresh')
    .map(([name]) => name)
  const MINUTE = 60_000

  afterEach(() => void vi.useRealTimers())

  /** Signs in, and lets time pass. The gateway's own time never goes back, so it is asked when that was. */
  async function signedInBefore(minutes: number, token = userToken): Promise<Browsing> {
    const browsing = await Browsing.signedIn(http, token)
    const { body } = await browsing.ask('GET', '/api/tokens')
    const own = (body as unknown as { kind: string; current?: true; created_at: string }[]).find(
      ({ kind, current }) => kind === 'sign-in' && current === true,
    )
    const now = Date.parse(own?.created_at ?? '') + minutes * MINUTE
    vi.useFakeTimers({ toFake: ['Date'], now })
    return browsing
  }

  /** The codes of the answers to each change of users and tokens. */
  async function answersTo(browsing: Browsing): Promise<Set<unknown>> {
    const answers = FRESH.map(async (operation) => {
      const [method = '', path = ''] = operation.split(' ')
      return (await browsing.ask(method, path.replace(/:\w+/, 'x'), {})).body['code']
    })
    return new Set(await Promise.all(answers))
  }

  it('are changed by a browser that has signed in less than ten minutes ago; the audit log names it', async () => {
    const browsing = await signedInBefore(9)
    const user = await browsing.ask('POST', '/api/users', { email: 'made-by-page' })
    expect(user.status).toBe(201)
    const token = await browsing.ask('POST', '/api/tokens', { name: 'one', user: 'made-by-page' })
    expect(token.status).toBe(201)
    expect((await browsing.ask('DELETE', `/api/tokens/${String(token.body['id'])}`)).status).toBe(204)
    expect((await browsing.ask('DELETE', '/api/users/made-by-page')).status).toBe(204)
    const { body } = await gateway.request('GET', '/api/audit/logs?page_size=100')
    const entries = (body['data'] as Record<string, unknown>[]).filter(({ token_name: name }) =>
      String(name).startsWith('page-'),
    )
    const done = entries.map(({ actor, action, resource_type: type }) => [actor, action, type].join(' '))
    for (const what of ['create users', 'create tokens', 'delete tokens', 'delete users'])
      expect(done).toContain(`admin ${what}`)
    expect(JSON.stringify(body)).not.toContain(String(token.body['token']))
  })

  it('are not changed after a sign-in of the future: the clock was ahead then, and was reset', async () => {
    using place = new Workplace()
    const state = place.at('state')
    const cookie = await (async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60 * MINUTE })
      await using ahead = await RunningGateway.start({}, { state })
      const browsing = await Browsing.signedIn(ahead.gateway.http, userToken)
      expect((await browsing.ask('POST', '/api/users', { email: 'fresh' })).status).toBe(201)
      return browsing.cookie?.split('=')[1]
    })()
    vi.useRealTimers()
    const database = new HistoryDatabase(path.join(state, 'history.sqlite'), ROOMS, undefined)
    database.resetLatestTime()
    database.close()
    await using now = await RunningGateway.start({}, { state })
    const browsing = await Browsing.signedIn(now.gateway.http, userToken)
    browsing.cookie = `${browsing.cookie?.split('=')[0]}=${cookie}`
    expect((await browsing.ask('GET', '/api/userinfo')).status).toBe(200)
    const { status, body } = await browsing.ask('POST', '/api/users', { email: 'late' })
    expect([status, body['code']]).toEqual([403, 'sign-in-again'])
  })

  it('are not changed later, nor when the clock is set back then, until the browser has signed in again', async () => {
    const browsing = await signedInBefore(10)
    expect(FRESH).toContain('POST /api/tokens/:id/rotate')
    expect([...(await answersTo(browsing))]).toEqual(['sign-in-again'])
    vi.setSystemTime(Date.now() - 60 * MINUTE)
    expect([...(await answersTo(browsing))]).toEqual(['sign-in-again'])
    const { body: read } = await browsing.ask('GET', '/api/userinfo')
    expect(read).toMatchObject({ name: 'admin' })
    const { id } = read['token'] as { readonly id: string }
    await browsing.signIn({ token: userToken })
    expect([...(await answersTo(browsing))]).not.toContain('sign-in-again')
    const { body } = await gateway.request('GET', '/api/audit/logs?page_size=100')
    const refused = (body['data'] as Record<string, unknown>[]).filter(
      ({ token_id: by, http_status: status }) => by === id && status === 403,
    )
    expect(
      refused.map(({ http_method: method, http_path: path }) => `${String(method)} ${String(path)}`),
    ).toEqual(expect.arrayContaining(['POST /api/users', 'POST /api/tokens', 'DELETE /api/tokens/x']))
  })

  it('are not for those who may not, with a fresh sign-in or an old one', async () => {
    const { body } = await gateway.request('POST', '/api/users', { email: 'reader', groups: ['auditor'] })
    expect(body['name']).toBe('reader')
    const { body: made } = await gateway.request('POST', '/api/tokens', { name: 'x', user: 'reader' })
    for (const [token, minutes] of [
      [otherToken, 0],
      [otherToken, 11],
      [String(made['token']), 0],
      [String(made['token']), 11],
    ] as const) {
      vi.useRealTimers()
      const browsing = await signedInBefore(minutes, token)
      for (const [method, path] of [
        ['POST', '/api/users'],
        ['PUT', '/api/users/admin'],
        ['DELETE', '/api/users/admin'],
      ] as const) {
        const answer = await browsing.ask(method, path, { email: 'x', groups: ['admin'] })
        expect(answer).toMatchObject({
          status: 403,
          body: { code: 'not-permitted', message: 'access denied' },
        })
      }
      const others = await browsing.ask('POST', '/api/tokens', { name: 'y', user: 'admin' })
      expect(others.body['code']).toBe(minutes === 0 ? 'not-permitted' : 'sign-in-again')
    }
  })

  it('are not for the browser of a machine that is an admin', async () => {
    await gateway.request('POST', '/api/users', { email: 'robot', kind: 'machine', groups: ['admin'] })
    const { body } = await gateway.request('POST', '/api/tokens', { name: 'x', user: 'robot' })
    const browsing = await Browsing.signedIn(http, String(body['token']))
    for (const [method, path] of [
      ['POST', '/api/users'],
      ['POST', '/api/tokens'],
      ['PUT', '/api/users/other'],
    ] as const)
      expect(await browsing.ask(method, path, { email: 'x', name: 'x' })).toMatchObject({
        status: 403,
        body: { code: 'not-permitted' },
      })
  })

  it.each([
    ['without the header of the page', { 'x-runbook-page': undefined }],
    ['from another site', { 'sec-fetch-site': 'cross-site', origin: undefined }],
    ['from another port of this host', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:1' }],
  ])('are not changed %s', async (_, headers) => {
    const browsing = await Browsing.signedIn(http, userToken)
    for (const [method, path] of [
      ['POST', '/api/tokens'],
      ['POST', '/api/users'],
      ['DELETE', '/api/users/other'],
    ] as const)
      expect(await browsing.ask(method, path, { name: 'forged', email: 'forged' }, headers)).toMatchObject({
        status: 403,
        body: { code: 'foreign-page' },
      })
    const { body } = await gateway.request('GET', '/api/users')
    expect(JSON.stringify(body)).not.toContain('forged')
  })

  it('are out of reach once the token is revoked that the browser was signed in with', async () => {
    const { body } = await gateway.request('POST', '/api/tokens', { name: 'lent-to-browser' })
    const browsing = await Browsing.signedIn(http, String(body['token']))
    const { body: list } = await browsing.ask('GET', '/api/tokens?user=admin')
    const current = (list as unknown as Record<string, unknown>[]).filter(
      (token) => token['current'] === true,
    )
    expect(current.map(({ kind }) => kind).sort()).toEqual(['personal', 'sign-in'])
    expect(current.map(({ id }) => id)).toContain(body['id'])
    await gateway.request('DELETE', `/api/tokens/${String(body['id'])}`)
    expect((await browsing.ask('POST', '/api/tokens', { name: 'after' })).status).toBe(401)
  })

  it('do not make a browser signed in for longer', async () => {
    const browsing = await Browsing.signedIn(http, userToken)
    const { body } = await browsing.ask('GET', '/api/userinfo')
    const { id } = body['token'] as { readonly id: string }
    const asked = { expires_in: 3600 * 24 * 365 }
    expect(await browsing.ask('POST', `/api/tokens/${id}/rotate`, asked)).toMatchObject({
      status: 409,
      body: { code: 'not-rotatable' },
    })
  })
})

describe('a sign-in with a wrong token', () => {
  it('is refused with the words for any wrong token, and sets nothing', async () => {
    const { status, headers, body } = await new Browsing(http).signIn({ token: 'wrong' })
    const elsewhere = await gateway.request('GET', '/api/userinfo', undefined, {
      authorization: 'Bearer wrong',
    })
    expect({ status, body }).toEqual(elsewhere)
    expect(headers.getSetCookie()).toEqual([])
  })

  it.each([{}, { token: '' }, { token: 'a', code: 'b' }, { token: 1 }])(
    'has to say %j better',
    async (words) => {
      expect((await new Browsing(http).signIn(words)).status).toBe(400)
    },
  )
})

describe('a request by the cookie', () => {
  const FOREIGN = { status: 403, body: { code: 'foreign-page' } }

  it.each([
    ['has no header that only a script can set', { 'x-runbook-page': undefined }],
    ['comes from another site', { 'sec-fetch-site': 'cross-site', origin: undefined }],
    ['comes from another port or name of this site', { 'sec-fetch-site': 'same-site', origin: undefined }],
    ['was typed by somebody', { 'sec-fetch-site': 'none', origin: undefined }],
    ['has another origin', { 'sec-fetch-site': undefined, origin: 'http://127.0.0.1:1' }],
    ['has no origin that is one', { 'sec-fetch-site': undefined, origin: 'null' }],
  ])('that changes something is refused when it %s', async (_, headers) => {
    const browsing = await Browsing.signedIn(http, otherToken)
    const asked = { connection: 'bash', script: 'true' }
    expect(await browsing.ask('POST', '/api/sessions', asked, headers)).toMatchObject(FOREIGN)
    const { body } = await gateway.request('GET', '/api/sessions?user=other')
    expect(body['data']).toEqual([])
  })

  it.each([
    ['comes from another site', { 'sec-fetch-site': 'cross-site' }],
    ['comes from another port or name of this site', { 'sec-fetch-site': 'same-site' }],
    ['has another origin', { origin: 'http://evil.example.test' }],
  ])('that reads is refused when it %s', async (_, headers) => {
    const browsing = await Browsing.signedIn(http, otherToken)
    expect(await browsing.ask('GET', '/api/userinfo', undefined, headers)).toMatchObject(FOREIGN)
  })

  it('may come from a browser that says little, and from an address that a person has typed', async () => {
    const browsing = await Browsing.signedIn(http, otherToken)
    for (const site of [undefined, 'none'])
      expect((await browsing.ask('GET', '/api/userinfo', undefined, { 'sec-fetch-site': site })).status).toBe(
        200,
      )
  })

  it('may come from the public address, where a proxy in front changes the host', async () => {
    await using own = await RunningGateway.start()
    const browsing = await Browsing.signedIn(own.gateway.http, otherToken)
    const origin = 'https://runbooks.example.test'
    const asked = () => browsing.ask('POST', '/api/sessions/x/kill', undefined, { origin })
    expect(await asked()).toMatchObject(FOREIGN)
    const settings = readFileSync(own.settingsFile, 'utf8')
    writeFileSync(own.settingsFile, settings.replace('listen: {', `listen: { public-url: '${origin}',`))
    await own.gateway.reload()
    expect(await asked()).toMatchObject({ status: 404, body: { code: 'session-not-found' } })
  })

  it('is not there in a sign-in or sign-out from elsewhere, which is refused, too', async () => {
    const origin = 'http://evil.example.test'
    for (const path of ['/api/page/sign-in', '/api/page/sign-out'])
      expect(await new Browsing(http).ask('POST', path, { token: otherToken }, { origin })).toMatchObject(
        FOREIGN,
      )
  })
})

describe('a sign-in ends', () => {
  it('when the browser signs out, and no other browser does', async () => {
    const [one, two] = [await Browsing.signedIn(http, otherToken), await Browsing.signedIn(http, otherToken)]
    const { cookie } = one
    const { body, headers } = await one.ask('POST', '/api/page/sign-out')
    expect(body).toEqual({ ended: true })
    expect(headers.getSetCookie()[0]).toMatch(/=; Max-Age=0; Path=\/api;/)
    one.cookie = cookie
    expect(await one.ask('GET', '/api/userinfo')).toMatchObject({
      status: 401,
      body: { message: expect.stringContaining('access denied: the token expired at ') as string },
    })
    expect((await two.ask('GET', '/api/userinfo')).status).toBe(200)
    expect((await one.ask('POST', '/api/page/sign-out')).body).toEqual({ ended: false })
  })

  it('with the token that it was made with, and what it streams ends, too', async () => {
    const { body } = await gateway.request('POST', '/api/tokens', { name: 'lent', user: 'other' })
    const browsing = await Browsing.signedIn(http, String(body['token']))
    const asked = await browsing.ask('POST', '/api/sessions', { connection: 'asked', script: 'true' })
    const stream = await browsing.open(
      'GET',
      `/api/sessions/${String(asked.body['session_id'])}/stream`,
      undefined,
      {
        connection: undefined,
      },
    )
    expect(stream.status).toBe(200)
    const over = stream.text().then(
      () => 'ended',
      () => 'cut off',
    )
    await gateway.request('DELETE', `/api/tokens/${String(body['id'])}`)
    expect(await over).toBe('cut off')
    expect((await browsing.ask('GET', '/api/userinfo')).status).toBe(401)
  })

  it('when somebody revokes it in the list of tokens', async () => {
    const browsing = await Browsing.signedIn(http, otherToken)
    const { body } = await browsing.ask('GET', '/api/userinfo')
    const { id } = body['token'] as { readonly id: string }
    expect((await gateway.request('DELETE', `/api/tokens/${id}`)).status).toBe(204)
    expect((await browsing.ask('GET', '/api/userinfo')).status).toBe(401)
  })

  it('when twenty browsers have signed in after it', async () => {
    await using own = await RunningGateway.start()
    const first = await Browsing.signedIn(own.gateway.http, otherToken)
    for (let others = 0; others < 19; others += 1) await Browsing.signedIn(own.gateway.http, otherToken)
    expect((await first.ask('GET', '/api/userinfo')).status).toBe(200)
    await Browsing.signedIn(own.gateway.http, otherToken)
    expect((await first.ask('GET', '/api/userinfo')).status).toBe(401)
  })

  it('not with the gateway: a browser is signed in when it is back', async () => {
    const state = mkdtempSync(path.join(tmpdir(), 'state-'))
    try {
      const first = await RunningGateway.start({}, { state })
      const { cookie } = await Browsing.signedIn(first.gateway.http, otherToken)
      await first[Symbol.asyncDispose]()
      await using again = await RunningGateway.start({}, { state })
      const browsing = new Browsing(again.gateway.http)
      // The port is another one here.
      browsing.cookie = cookie?.replace(/_\d+=/, `_${new URL(again.gateway.http).port}=`)
      expect((await browsing.ask('GET', '/api/userinfo')).body).toMatchObject({ name: 'other' })
    } finally {
      rmSync(state, { recursive: true })
    }
  })

  it('when gateway.yaml has another text for the token of the same name', async () => {
    await using own = await RunningGateway.start()
    const browsing = await Browsing.signedIn(own.gateway.http, otherToken)
    const settings = readFileSync(own.settingsFile, 'utf8')
    writeFileSync(own.settingsFile, settings.replace(otherToken, 'a-newer-token-of-other-0123456789'))
    await own.gateway.reload()
    expect(await browsing.ask('GET', '/api/userinfo')).toMatchObject({
      status: 401,
      body: { message: 'access denied: the token of this sign-in was removed' },
    })
  })
})

describe('a link', () => {
  it('signs in once, and leads to where it was made for', async () => {
    const link = new URL(gateway.gateway.signInLink({ token: userToken, next: '/runbooks/x' }))
    expect(link.origin + link.pathname + link.search).toBe(`${http}/sign-in`)
    const code = link.hash.replace('#code=', '')
    const browsing = new Browsing(http)
    expect((await browsing.signIn({ code })).body).toMatchObject({ name: 'admin', next: '/runbooks/x' })
    expect((await browsing.ask('GET', '/api/userinfo')).body).toMatchObject({ name: 'admin' })
    expect(await new Browsing(http).signIn({ code })).toMatchObject({
      status: 410,
      body: { code: 'sign-in-expired', message: expect.stringContaining('press Enter') as string },
    })
  })
})
