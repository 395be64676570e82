import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkDescribed } from '../../../support/described-answer.ts'
import { OidcServer } from '../../../support/scripted/oidc-provider.ts'
import { json } from '../../../support/scripted/scripted-rest.ts'
import { RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

const LOCAL = 'http://127.0.0.1:1/cb'
const EVE = { email: 'eve@example.test', email_verified: true, groups: [] }
const USERS = `
  - { name: boss@example.test, token: token-of-boss-0123456789, groups: [admin] }
  - { name: linked@example.test, oidc: true, groups: [lead] }`

let provider: OidcServer
let gateway: RunningGateway
beforeAll(async () => {
  provider = await OidcServer.start()
  gateway = await started(provider)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => {
  provider.claims = {
    sub: 'ada-1',
    email: 'ada@example.test',
    email_verified: true,
    groups: ['dba', 'admin', 'auditor'],
  }
  provider.userInfo = {}
  provider.forge = (claims) => claims
  provider.signature = 'right'
})

function started(of: OidcServer, more?: string): Promise<RunningGateway> {
  return RunningGateway.start({}, { users: USERS, more: of.settings(more) })
}

describe('sign-in with an account elsewhere', () => {
  it('is announced in the words of hoop', async () => {
    const { body } = await gateway.request('GET', '/api/publicserverinfo', undefined, { authorization: '' })
    expect(body).toEqual({ auth_method: 'oidc', setup_required: false, sign_in: ['browser', 'device'] })
  })

  it('sends the browser to the port of hoop login, with a token of the person', async () => {
    const to = await signIn()
    expect(to.origin + to.pathname).toBe('http://127.0.0.1:3587/callback')
    const user = await userOf(to.searchParams.get('token'))
    expect(user).toMatchObject({ name: 'ada@example.test', groups: ['dba'], is_admin: false })
  })

  it('takes the groups anew at each sign-in, for tokens from before, too', async () => {
    const first = (await signIn()).searchParams.get('token')
    provider.claims = { ...provider.claims, groups: ['sre'] }
    await signIn()
    expect(await userOf(first)).toMatchObject({ groups: ['sre'] })
    provider.claims = { ...provider.claims, groups: undefined }
    await signIn()
    expect(await userOf(first)).toMatchObject({ groups: [] })
  })

  it('asks for the user where the id token has no groups', async () => {
    provider.claims = { ...provider.claims, groups: undefined }
    provider.userInfo = { groups: ['from-userinfo'] }
    const to = await signIn()
    expect(await userOf(to.searchParams.get('token'))).toMatchObject({ groups: ['from-userinfo'] })
  })

  it('stays the same user when the name at the provider changes', async () => {
    await signIn()
    provider.claims = { ...provider.claims, email: 'ada.new@example.test' }
    const to = await signIn()
    expect(await userOf(to.searchParams.get('token'))).toMatchObject({ name: 'ada@example.test' })
  })

  it('gives a token for a code, once, and to whoever knows the verifier alone', async () => {
    const verifier = 'the-verifier-of-this-test-0123456789'
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const code = (await signIn({ redirect: LOCAL, challenge })).searchParams.get('code')
    const take = (words: object) => gateway.request('POST', '/api/login/token', words, { authorization: '' })
    const { body } = await take({ code, verifier })
    expect(await userOf(body['token'])).toMatchObject({ name: 'ada@example.test' })
    expect(await take({ code, verifier })).toMatchObject({ status: 410, body: { code: 'sign-in-expired' } })
    const other = (await signIn({ redirect: LOCAL, challenge })).searchParams.get('code')
    expect(await take({ code: other, verifier: 'another' })).toMatchObject({ status: 410 })
    expect(await take({ code: other, verifier })).toMatchObject({ status: 410 })
  })

  it('ends with logout, and leaves tokens of the settings alone', async () => {
    const token = (await signIn()).searchParams.get('token') ?? ''
    const logout = (by: string) =>
      gateway.request('POST', '/api/logout', undefined, { authorization: `Bearer ${by}` })
    expect((await logout(token)).body).toEqual({ ended: true })
    expect(await logout(token)).toMatchObject({ status: 401 })
    expect((await logout(userToken)).body).toEqual({ ended: false })
    expect((await gateway.request('GET', '/api/userinfo')).status).toBe(200)
  })

  it.each([
    'https://evil.test/',
    'http://evil.test/',
    'http://127.0.0.1@evil.test/',
    'http://127.0.0.1.evil.test/',
    'http://localhost.evil.test/',
    'file:///etc/passwd',
    'x',
  ])('sends no browser to %s', async (redirect) => {
    const query = new URLSearchParams({ redirect }).toString()
    const answer = await gateway.request('GET', `/api/login?${query}`, undefined, { authorization: '' })
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
  })
})

describe('nobody becomes somebody else', () => {
  it.each([
    ['a user of the settings', 'boss@example.test', /user boss@example.test exists already/],
    ['another account', 'ada@example.test', /user ada@example.test exists already/],
  ])('by the name of %s', async (_, email, reason) => {
    await signIn()
    provider.claims = { sub: 'mallory', email, email_verified: true, groups: ['dba'] }
    expect((await signIn()).searchParams.get('error')).toMatch(reason)
  })

  it('by the name of a user who was deleted, and whose sessions are there', async () => {
    const limits = '{ agent-wait: 0s }'
    await using own = await RunningGateway.start({}, { more: provider.settings(), limits })
    const { searchParams } = await signIn({}, own)
    const as = { authorization: `Bearer ${searchParams.get('token')}` }
    await own.request('POST', '/api/sessions', { connection: 'bash', script: 'x' }, as)
    expect(await own.request('DELETE', '/api/users/ada@example.test')).toMatchObject({ status: 204 })
    provider.claims = { ...provider.claims, sub: 'mallory' }
    const stranger = (await signIn({}, own)).searchParams
    expect(stranger.get('error')).toMatch(/of an earlier user are recorded under ada@example\.test/)
    provider.claims = { ...provider.claims, sub: 'ada-1' }
    const token = (await signIn({}, own)).searchParams.get('token')
    expect(await userOf(token, own)).toMatchObject({ name: 'ada@example.test' })
  })

  it('by a sign-in that the audit log has as one that went well', async () => {
    await using own = await started(provider)
    provider.claims = { sub: 'eve' }
    expect((await signIn({}, own)).searchParams.get('error')).toMatch(/verified/)
    await signIn({}, own)
    const { body } = await own.request('GET', '/api/audit/logs?action=sign-in')
    expect(body['data']).toMatchObject([
      {
        ...{ actor: '', outcome: false, http_path: '/api/callback', http_status: 302 },
        error_message: expect.stringMatching(/verified/) as string,
      },
    ])
  })

  it('by a name that differs from another in its case alone', async () => {
    await signIn()
    provider.claims = { ...provider.claims, sub: 'mallory', email: 'ADA@example.test' }
    expect((await signIn()).searchParams.get('error')).toMatch(/user ada@example.test exists already/)
  })

  it('by tokens from before the settings had somebody of the name', async () => {
    await using own = await started(provider)
    const token = (await signIn({}, own)).searchParams.get('token')
    const as = { authorization: `Bearer ${token}` }
    const made = await own.request('POST', '/api/tokens', { name: 'kept' }, as)
    own.configure({
      users: `\n  - { name: ada@example.test, token: token-of-the-new-ada-0123, groups: [admin] }`,
      more: provider.settings(),
    })
    expect(await own.request('POST', '/api/reload')).toMatchObject({ status: 200 })
    for (const text of [token, made.body['token']]) {
      const answer = await own.request('GET', '/api/userinfo', undefined, {
        authorization: `Bearer ${String(text)}`,
      })
      expect(answer).toMatchObject({
        status: 401,
        body: { message: expect.stringMatching(/gateway\.yaml/) as string },
      })
    }
    const more = { name: 'more', user: 'ada@example.test' }
    expect(await own.request('POST', '/api/tokens', more)).toMatchObject({ status: 409 })
    expect(await own.request('DELETE', '/api/users/ada@example.test')).toMatchObject({ status: 204 })
    const { body } = await own.request('POST', '/api/tokens', more)
    expect(await userOf(body['token'], own)).toMatchObject({ name: 'ada@example.test', is_admin: true })
  })

  it('but a user of the settings that says so, with the groups that it has there', async () => {
    provider.claims = {
      sub: 'l',
      email: 'linked@example.test',
      email_verified: true,
      groups: ['admin', 'dba'],
    }
    const to = await signIn()
    expect(await userOf(to.searchParams.get('token'))).toMatchObject({ groups: ['lead'] })
  })

  it.each([
    ['an email that is not verified', { email: 'eve@example.test', email_verified: false }],
    ['an email of which it is not known', { email: 'eve@example.test' }],
    ['no email', {}],
    ['a name with a line break', { email: 'eve@example.test\nadmin', email_verified: true }],
    ['a name with a slash', { email: '../admin', email_verified: true }],
    ['a name that is a list', { email: ['eve@example.test'], email_verified: true }],
    ['an empty account', { ...EVE, sub: '' }],
    ['an account of spaces', { ...EVE, sub: '  ' }],
    ['an account with spaces around it', { ...EVE, sub: ' eve' }],
    ['an account with a line break', { ...EVE, sub: 'eve\n' }],
    ['an account with a zero', { ...EVE, sub: 'eve\0' }],
    ['an account in letters that look like others', { ...EVE, sub: '\u0435ve' }],
    ['an account of 256 letters', { ...EVE, sub: 'e'.repeat(256) }],
    ['a name of 200 letters', { email: `${'e'.repeat(200)}@example.test`, email_verified: true }],
  ])('by %s', async (_, claims) => {
    provider.claims = { sub: 'eve', ...claims }
    const to = await signIn()
    expect(to.searchParams.get('token')).toBeNull()
    expect(to.searchParams.get('error')).toMatch(
      /the provider (?:sends no|has not verified)|cannot be the name of a user/,
    )
  })

  it('unless the provider and the settings let him: groups, domains, and names of groups here', async () => {
    await using limited = await started(
      provider,
      "allowed-groups: [staff], allowed-domains: [example.test], groups: { 'team dba': dba, bosses: admin }",
    )
    const errorOf = async (claims: object) => {
      provider.claims = { sub: 'x', email: 'x@example.test', email_verified: true, ...claims }
      return (await signIn({}, limited)).searchParams.get('error')
    }
    expect(await errorOf({ groups: ['others'] })).toMatch(/may not sign in here/)
    expect(await errorOf({ groups: ['staff'], email: 'x@example.test.evil.test' })).toMatch(/may not/)
    expect(await errorOf({})).toMatch(/may not/)
    provider.claims = { ...provider.claims, groups: ['staff', 'team dba', 'bosses', 'admin'] }
    const token = (await signIn({}, limited)).searchParams.get('token')
    expect(await userOf(token, limited)).toMatchObject({ groups: ['admin', 'dba'], is_admin: true })
  })
})

describe('a token of the provider', () => {
  it.each<[string, (server: OidcServer) => void]>([
    ['with another nonce', (server) => (server.forge = (claims) => ({ ...claims, nonce: 'other' }))],
    ['without a nonce', (server) => (server.forge = (claims) => ({ ...claims, nonce: undefined }))],
    ['of another issuer', (server) => (server.forge = (claims) => ({ ...claims, iss: 'https://evil.test' }))],
    ['for another client', (server) => (server.forge = (claims) => ({ ...claims, aud: 'other' }))],
    ['that has expired', (server) => (server.forge = (claims) => ({ ...claims, exp: 1_000_000 }))],
    ['without a signature', (server) => (server.signature = 'none')],
    ['signed by another key', (server) => (server.signature = 'other')],
  ])('%s signs nobody in', async (_, spoil) => {
    spoil(provider)
    const to = await signIn()
    expect(to.searchParams.get('token')).toBeNull()
    expect(to.searchParams.get('error')).toMatch(/no usable answer from the sign-in provider/)
    expect(gateway.log.join('\n')).toMatch(/no usable answer from the sign-in provider: the sign-in/)
  })

  it('and the state of a sign-in are good for one', async () => {
    const back = await returning()
    expect((await browse(back)).status).toBe(302)
    const again = await browse(back)
    expect(again.status).toBe(410)
    expect(await again.text()).toMatch(/or used already/)
  })

  it('is good for one, too, where two browsers come back with one state at the same moment', async () => {
    const { body } = await gateway.request('GET', '/api/login', undefined, { authorization: '' })
    const address = String(body['login_url'])
    const asked = () => provider.rest.asked('POST /token').length
    const before = asked()
    const both = new AbortController()
    provider.tokensFrom = once(both.signal, 'abort').then(() => undefined)
    // Two codes, both of which the provider accepts.
    const browsers = [provider.authorize(address), provider.authorize(address)].map((back) => browse(back))
    await waitFor(() => asked() === before + 2)
    both.abort()
    const came = (await Promise.all(browsers)).map(({ headers }) => new URL(headers.get('location') ?? ''))
    expect(came.filter(({ searchParams }) => searchParams.has('token'))).toHaveLength(1)
    const errors = came.flatMap(({ searchParams }) => searchParams.get('error') ?? [])
    expect(errors).toEqual([expect.stringContaining('used already')])
  })

  it.each(['', '?state=x', '?state=x&code=y', `?state=${'A'.repeat(200)}&code=y`])(
    'is not asked for with a state that is none of ours: %s',
    async (query) => {
      const asked = provider.rest.received.length
      const answer = await browse(`${gateway.gateway.http}/api/callback${query}`)
      expect(answer.status).toBe(410)
      expect(provider.rest.received).toHaveLength(asked)
    },
  )

  it('is asked for at a provider that is down: said without its inside, in the log with it', async () => {
    await using other = await OidcServer.start()
    await using lost = await started(other)
    other.rest.on('GET /.well-known/openid-configuration', json(500, { secret: 'inside' }))
    const login = () => lost.request('GET', '/api/login', undefined, { authorization: '' })
    const answer = await login()
    expect(answer).toMatchObject({ status: 502, body: { code: 'sign-in-failed' } })
    expect(JSON.stringify(answer.body)).not.toMatch(/inside|127\.0\.0\.1/)
    expect(lost.log.join('\n')).toMatch(/unexpected HTTP response status code/)
    other.rest.on('GET /.well-known/openid-configuration', json(200, { issuer: 'https://evil.test' }))
    expect((await login()).status).toBe(502)
  })
})

describe('a command line without a browser', () => {
  const ask = (method: string, path: string, body?: object) =>
    gateway.request(method, path, body, { authorization: '' })

  it('gets a token when a person has signed in elsewhere and confirmed its code', async () => {
    const { body } = await ask('POST', '/api/login/device', { says: 'ada on <b>build-7</b>' })
    const token = () => ask('POST', '/api/login/device/token', { device_code: body['device_code'] })
    expect(await token()).toEqual({ status: 202, body: { status: 'waiting' } })
    const start = await page(String(body['verification_uri_complete']))
    expect(start).toContain(String(body['user_code']))
    expect(start).toContain('ada on &lt;b&gt;build-7&lt;/b&gt;')
    const confirm = await (
      await browse(await returning(`${devicePath('start')}?code=${String(body['user_code'])}`))
    ).text()
    expect(confirm).toContain('as ada@example.test')
    const confirmation = /name="confirmation" value="([^"]+)"/.exec(confirm)?.[1] ?? ''
    const allowed = await decide(confirmation, 'allow')
    expect([allowed.status, await allowed.text()]).toEqual([
      200,
      expect.stringContaining('signs in as ada@example.test now'),
    ])
    const { body: log } = await gateway.request('GET', '/api/audit/logs?http_path=/api/login/device/decide')
    expect((log['data'] as unknown[])[0]).toMatchObject({ actor: 'ada@example.test', outcome: true })
    expect((await decide(confirmation, 'allow')).status).toBe(410)
    const granted = await untilSlow(token)
    expect(await userOf(granted.body['token'])).toMatchObject({ name: 'ada@example.test' })
    expect(await token()).toMatchObject({ status: 410 })
  })

  it('is decided by at most 64 KiB, which are read without a token', async () => {
    const KIB = 1024
    expect((await decide('x'.repeat(63 * KIB), 'allow')).status).toBe(410)
    const refused = await fetch(devicePath('decide'), decision('x'.repeat(64 * KIB), 'allow'))
    expect([refused.status, await refused.json()]).toMatchObject([413, { code: 'too-large' }])
  })

  it('gets nothing when the person refuses', async () => {
    const { body } = await ask('POST', '/api/login/device', {})
    const confirm = await (
      await browse(await returning(`${devicePath('start')}?code=${String(body['user_code'])}`))
    ).text()
    const confirmation = /name="confirmation" value="([^"]+)"/.exec(confirm)?.[1] ?? ''
    expect(await (await decide(confirmation, 'refuse')).text()).toMatch(/Refused/)
    const answer = await ask('POST', '/api/login/device/token', { device_code: body['device_code'] })
    expect(answer).toMatchObject({ status: 403, body: { code: 'sign-in-refused' } })
  })

  it('is asked about on pages without scripts, in nobody frame, with codes as people type them', async () => {
    const { body } = await ask('POST', '/api/login/device', {})
    const typed = String(body['user_code']).toLowerCase().replace('-', ' ')
    const response = await browse(`${devicePath()}?code=${encodeURIComponent(typed)}`)
    expect(response.status).toBe(200)
    const policy = response.headers.get('content-security-policy')
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-.*form-action 'self'.*frame-ancestors 'none'$/,
    )
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect((await browse(`${devicePath()}?code=BBBB-BBBB`)).status).toBe(410)
    expect(await page(devicePath())).toMatch(/Enter the code/)
  })

  it('waits with twenty others of its address at most', async () => {
    await using other = await started(provider)
    const begin = () => other.request('POST', '/api/login/device', {}, { authorization: '' })
    for (let count = 0; count < 20; count++) expect((await begin()).status).toBe(200)
    expect(await begin()).toMatchObject({ status: 429, body: { code: 'too-much-at-once' } })
  })
})

it('sign-in with an account elsewhere is not there without a provider', async () => {
  await using plain = await RunningGateway.start()
  for (const [method, path] of [
    ['GET', '/api/login'],
    ['POST', '/api/login/device'],
  ] as const) {
    const answer = await plain.request(method, path, method === 'POST' ? {} : undefined, {
      authorization: '',
    })
    expect(answer).toMatchObject({ status: 403, body: { message: 'OIDC provider not configured' } })
  }
})

/** Follows the browser's way. @returns where it comes to in the end */
async function signIn(options: Record<string, string> = {}, at = gateway): Promise<URL> {
  const query = new URLSearchParams(options).toString()
  const { body } = await at.request('GET', `/api/login?${query}`, undefined, { authorization: '' })
  const response = await browse(provider.authorize(String(body['login_url'])))
  return new URL(response.headers.get('location') ?? '')
}

/** The address by which the provider sends the browser back. @param begins a page that leads to the provider */
async function returning(begins?: string): Promise<string> {
  if (begins !== undefined) return provider.authorize((await browse(begins)).headers.get('location') ?? '')
  const { body } = await gateway.request('GET', '/api/login', undefined, { authorization: '' })
  return provider.authorize(String(body['login_url']))
}

async function browse(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { redirect: 'manual', headers: { connection: 'close' }, ...init })
  const { pathname, search } = new URL(url)
  checkDescribed(init.method ?? 'GET', pathname + search, response.status, await response.clone().text())
  return response
}

async function page(url: string): Promise<string> {
  return (await browse(url)).text()
}

function devicePath(step = ''): string {
  return `${gateway.gateway.http}/api/login/device${step === '' ? '' : `/${step}`}`
}

function decide(confirmation: string, verdict: string): Promise<Response> {
  return browse(devicePath('decide'), decision(confirmation, verdict))
}

function decision(confirmation: string, verdict: string): RequestInit {
  return {
    method: 'POST',
    body: new URLSearchParams({ confirmation, decision: verdict }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', connection: 'close' },
  }
}

/** Asks again while the gateway says that it was asked too soon. */
async function untilSlow<T extends { readonly status: number }>(asked: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await asked()
    if (answer.status !== 429) return answer
  }
}

async function userOf(token: unknown, at = gateway): Promise<object> {
  const headers = { authorization: `Bearer ${String(token)}` }
  const { status, body } = await at.request('GET', '/api/userinfo', undefined, headers)
  if (status !== 200) throw new Error(`answered ${status}`)
  return body
}

describe('a provider without TLS', () => {
  const signInAt = async (of: RunningGateway, at: OidcServer) => {
    const { body } = await of.request('GET', '/api/login', undefined, { authorization: '' })
    return browse(at.authorize(String(body['login_url'])))
  }

  it('is taken on this machine', async () => {
    await using plain = await OidcServer.start({ isPlain: true })
    await using of = await started(plain)
    const location = (await signInAt(of, plain)).headers.get('location')
    expect(location).toMatch(/^http:\/\/127\.0\.0\.1:3587\/callback\?token=/)
  })

  it.each([
    [
      'on this machine, by a provider with TLS',
      false,
      'http://127.0.0.1:1/token',
      'only requests to HTTPS are allowed',
    ],
    [
      'elsewhere, by a provider on this machine',
      true,
      'http://provider.test/token',
      'the provider names an address without TLS',
    ],
  ])('is not asked %s', async (_, isPlain, token_endpoint, reason) => {
    await using other = await OidcServer.start({ isPlain })
    const { issuer } = other
    const endpoints = { issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint }
    other.rest.on('GET /.well-known/openid-configuration', json(200, endpoints))
    await using of = await started(other)
    await signInAt(of, other)
    expect(of.log.join('\n')).toContain(`"reason":"${reason}`)
  })
})
