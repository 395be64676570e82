import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { rawAnswers } from '../../../support/scripted/raw-http.ts'

// The page as anybody gets it, from what `npm run build` has made.

const folder = fileURLToPath(new URL('../../../../dist/web', import.meta.url))
const script = readdirSync(`${folder}/assets`).find((name) => name.endsWith('.js')) ?? ''

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start()
})
afterAll(() => gateway[Symbol.asyncDispose]())

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${gateway.gateway.http}${path}`, { method, headers: { connection: 'close', ...headers } })

const routes = readFileSync(new URL('../../../../web/src/routes.tsx', import.meta.url), 'utf8')
/** Addresses of all views that the page knows. */
const views = [...routes.matchAll(/pattern: '([^']+)'/g)].map(([, pattern = '']) =>
  pattern.replace(/:\w+|\*/g, 'x'),
)

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

it.each([
  ...['/', '/sign-in', '/runbooks', '/runbooks/rb/ops/a.runbook.sh', '/sessions', '/sessions/x'],
  ...['/sessions/x/diff/y', '/approvals', '/approvals/x', '/connections', '/connections/bash/terminal'],
  ...['/batches', '/batches/x', '/schedules', '/agents', '/?a=b', '/runbooks/rb/%E2%80%AE.sh'],
  ...views,
])('%s is the page, for anybody, asked for each time and with a strict policy', async (path) => {
  const answer = await get(path)
  expect(answer.status).toBe(200)
  expect(await answer.text()).toBe(readFileSync(`${folder}/index.html`, 'utf8'))
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  })
})

it.each([
  ['br', '.br'],
  ['gzip', '.gz'],
  ['identity', ''],
])(
  'a file with a hash in its name is kept, and comes compressed in advance: %s',
  async (encoding, ending) => {
    const [answer] = await rawAnswers(
      gateway.gateway.http,
      `GET /assets/${script} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${encoding}\r\nConnection: close\r\n\r\n`,
    )
    expect(answer?.status).toBe(200)
    expect(Buffer.from(answer?.body ?? '', 'latin1')).toEqual(
      readFileSync(`${folder}/assets/${script}${ending}`),
    )
    expect(answer?.headers.get('content-encoding') ?? 'identity').toBe(encoding)
    expect(answer?.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(answer?.headers.get('content-type')).toMatch(/^(text|application)\/javascript/)
    expect(answer?.headers.get('vary')).toBe('accept-encoding')
  },
)

const HTML = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' }

describe('the page', () => {
  it('is not sent twice to a browser that has it', async () => {
    const etag = (await get('/', { 'accept-encoding': 'identity' })).headers.get('etag') ?? ''
    expect(etag).not.toBe('')
    const [answer] = await rawAnswers(
      gateway.gateway.http,
      `GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: ${etag}\r\nConnection: close\r\n\r\n`,
    )
    expect(answer?.status).toBe(304)
  })

  it('is no answer to other methods, nor at other addresses', async () => {
    expect((await get('/', {}, 'POST')).status).toBe(401)
    expect((await get('/index.html')).status).toBe(401)
    expect((await get('/somewhere')).status).toBe(401)
    expect((await get('/', {}, 'HEAD')).status).toBe(200)
  })

  it('knows a browser that opens an address by what it says of it alone', async () => {
    const [answer] = await rawAnswers(
      gateway.gateway.http,
      'GET /no-such-view HTTP/1.1\r\nHost: x\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n',
    )
    expect([answer?.status, answer?.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
  })
})

it.each([
  '/assets/missing.js',
  '/assets/',
  '/assets/../../package.json',
  '/assets/%2e%2e/%2e%2e/package.json',
  '/assets/..%2f..%2fpackage.json',
  '/assets/..%5c..%5cpackage.json',
  '/assets/%00',
  '/assets/.hidden',
])('there is nothing at %s', async (path) => {
  const [answer] = await rawAnswers(
    gateway.gateway.http,
    `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${userToken}\r\nConnection: close\r\n\r\n`,
  )
  expect([400, 404]).toContain(answer?.status)
  expect(answer?.body).toMatch(/"code":"(endpoint-not-found|malformed-http)"/)
})

it.each([
  ['/no-such-view', HTML],
  ['/sesions/x?a=b', HTML],
  ['/apidocs', HTML],
  ['/index.html', { ...HTML, authorization: 'Bearer nobody-knows-this-token' }],
])('a person who mistypes an address gets the page, which says so: %s', async (path, headers) => {
  const answer = await get(path, headers)
  expect(answer.status).toBe(404)
  expect(await answer.text()).toBe(readFileSync(`${folder}/index.html`, 'utf8'))
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
    'cache-control': 'no-cache',
    'x-frame-options': 'DENY',
  })
})

it.each([
  ['/api/nope', HTML, 'GET'],
  ['/api', HTML, 'GET'],
  ['/docs/nope', HTML, 'GET'],
  ['/no-such-view', { accept: '*/*', 'sec-fetch-mode': 'cors' }, 'GET'],
  ['/no-such-view', HTML, 'POST'],
])('a program gets JSON as ever, once it has a token: %s', async (path, headers, method) => {
  const without = await get(path, headers, method)
  expect([without.status, await without.json()]).toMatchObject([401, { code: 'unauthenticated' }])
  const answer = await get(path, { ...headers, authorization: `Bearer ${userToken}` }, method)
  expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'endpoint-not-found' }])
})
