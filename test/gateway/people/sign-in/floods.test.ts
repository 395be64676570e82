import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { OidcServer } from '../../../support/scripted/oidc-provider.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

// What strangers without a token can do to others who want to sign in: each has an address of its own.

const ADA = '10.0.0.1'
const STRANGER = '10.0.0.2'

let provider: OidcServer
let gateway: RunningGateway
beforeAll(async () => {
  provider = await OidcServer.start()
  gateway = await started()
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
const usual = new Map<string, ReturnType<OidcServer['rest']['scriptOf']>>()
afterEach(() => {
  for (const [place, script] of usual) provider.rest.on(place, script)
})

function started(): Promise<RunningGateway> {
  return RunningGateway.start({}, { more: provider.settings(), listen: 'trusted-proxies: [127.0.0.1]' })
}

/** Lets the provider answer none of these until it is told to. */
function hold(place: string, isHeld: (body: unknown) => boolean = () => true): () => void {
  const script = provider.rest.scriptOf(place)
  usual.set(place, script)
  const release: (() => void)[] = []
  provider.rest.on(place, (received, response) => {
    if (isHeld(received.body)) release.push(() => script(received, response))
    else script(received, response)
  })
  return () => {
    for (const one of release) one()
  }
}

interface Asking extends RequestInit {
  readonly headers?: Record<string, string>
}

function ask(from: string, path: string, init: Asking = {}, at = gateway): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...init.headers }
  return fetch(`${at.gateway.http}${path}`, {
    ...{ redirect: 'manual', ...init },
    headers: { 'x-forwarded-for': from, connection: 'close', ...headers },
  })
}

/** The path of the callback to which the provider sends who begins now. */
async function returning(from: string, at = gateway): Promise<string> {
  const { login_url: address } = (await (await ask(from, '/api/login', {}, at)).json()) as {
    login_url: string
  }
  const { pathname, search } = new URL(provider.authorize(address))
  return pathname + search
}

/** With a code that the provider does not know. */
async function forged(from: string): Promise<string> {
  return (await returning(from)).replace(/code=[^&]*/, 'code=forged')
}

async function isSignedIn(answer: Response): Promise<boolean> {
  await answer.arrayBuffer()
  return new URL(answer.headers.get('location') ?? 'none:').searchParams.has('token')
}

const lines = (what: RegExp) => gateway.log.filter((line) => what.test(line)).length

it('a flood of callbacks with an error keeps nobody from signing in, and is not a line of the log for each', async () => {
  for (let round = 0; round < 30; round++)
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const path = (await returning(STRANGER)).replace(/code=[^&]*/, 'error=access_denied')
        const answer = await ask(STRANGER, path)
        expect(new URL(answer.headers.get('location') ?? 'none:').searchParams.has('error')).toBe(true)
      }),
    )
  // Two lines a minute, and 300 are no minute's work.
  expect(lines(/no usable answer from the sign-in provider: the sign-in/)).toBeLessThan(30)
  expect(await isSignedIn(await ask(ADA, await returning(ADA)))).toBe(true)
})

it('a sign-in that has failed can be tried again, and one that went well cannot', async () => {
  const path = await returning(ADA)
  await ask(ADA, path.replace(/code=[^&]*/, 'error=access_denied'))
  expect(await isSignedIn(await ask(ADA, path))).toBe(true)
  expect((await ask(ADA, path)).status).toBe(410)
})

it('a question that a slow provider does not answer takes a place of its own address alone', async () => {
  const paths = await Promise.all(Array.from({ length: 40 }, () => forged(STRANGER)))
  const release = hold('POST /token', (body) => String(body).includes('forged'))
  const held = provider.rest.asked('POST /token').length
  const strangers = paths.map((path) => ask(STRANGER, path))
  const statuses: number[] = []
  for (const stranger of strangers) void stranger.then(({ status }) => statuses.push(status))
  await waitFor(() => provider.rest.asked('POST /token').length - held === 16 && statuses.length === 24)
  expect(await isSignedIn(await ask(ADA, await returning(ADA)))).toBe(true)
  release()
  const refused = (await Promise.all(strangers)).map((answer) =>
    new URL(answer.headers.get('location') ?? 'none:').searchParams.get('error'),
  )
  expect(refused.filter((text) => text?.startsWith('too many sign-ins at once'))).toHaveLength(24)
})

it('sign-ins that begin while the provider is slow wait together, for one question', async () => {
  await using own = await started()
  const asked = provider.rest.asked('GET /.well-known/openid-configuration').length
  const release = hold('GET /.well-known/openid-configuration')
  const strangers = Array.from({ length: 300 }, () => ask(STRANGER, '/api/login', {}, own))
  const path = returning(ADA, own)
  // Answered behind what came before.
  for (let i = 0; i < 10; i++) await (await ask(STRANGER, '/api/healthz', {}, own)).arrayBuffer()
  await waitFor(() => provider.rest.asked('GET /.well-known/openid-configuration').length > asked)
  release()
  expect((await Promise.all(strangers)).filter(({ status }) => status !== 200)).toEqual([])
  expect(provider.rest.asked('GET /.well-known/openid-configuration')).toHaveLength(asked + 1)
  expect(await isSignedIn(await ask(ADA, await path, {}, own))).toBe(true)
})

it('wrong codes and many command lines that wait keep nobody from the code that is right', async () => {
  const begin = async (from: string) => {
    const answer = await ask(from, '/api/login/device', { method: 'POST', body: '{}' })
    return [answer.status, ((await answer.json()) as { user_code?: string }).user_code ?? ''] as const
  }
  const look = async (from: string, code: string) =>
    (await ask(from, `/api/login/device?code=${code}`)).status
  const [, code] = await begin(ADA)
  for (let i = 0; i < 100; i++) await look(STRANGER, 'BBBB-BBBB')
  expect([await look(STRANGER, code), await look(ADA, code)]).toEqual([429, 200])
  for (let network = 0; network < 50; network++)
    await Promise.all(Array.from({ length: 20 }, () => begin(`10.1.${network}.1`)))
  expect((await begin('10.1.49.1'))[0]).toBe(429)
  const [status, later] = await begin(ADA)
  expect([status, await look(ADA, later), await look(ADA, code)]).toEqual([200, 200, 200])
})

it('a person in two hundred groups with long names allows a command line', async () => {
  const before = provider.claims
  provider.claims = { ...before, groups: Array.from({ length: 200 }, (_, at) => `${at}-`.padEnd(100, 'g')) }
  try {
    const begun = await ask(ADA, '/api/login/device', { method: 'POST', body: '{}' })
    const { user_code: code } = (await begun.json()) as { user_code: string }
    const start = await ask(ADA, `/api/login/device/start?code=${code}`)
    const back = new URL(provider.authorize(start.headers.get('location') ?? ''))
    const page = await (await ask(ADA, back.pathname + back.search)).text()
    const confirmation = /name="confirmation" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const decided = await ask(ADA, '/api/login/device/decide', {
      method: 'POST',
      body: new URLSearchParams({ confirmation, decision: 'allow' }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(decided.status).toBe(200)
  } finally {
    provider.claims = before
  }
})
