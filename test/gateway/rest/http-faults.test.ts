import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GATEWAY_CODES } from '../../../src/wire/gateway-codes.ts'
import { rawAnswers, type RawAnswer } from '../../support/scripted/raw-http.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'

// What the layers below the routes answer, on real sockets: in the form of all other answers, the token first.

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { limits: '{ body: 64KiB }' })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const TOKEN = 'Authorization: Bearer a-token-for-tests-0123456789\r\n'
const CLOSE = 'Host: x\r\nConnection: close\r\n'

async function ask(...pieces: (string | Buffer)[]): Promise<[number, string]> {
  const [answer] = await rawAnswers(gateway.gateway.http, ...pieces)
  if (answer === undefined) throw new Error('no answer')
  return [answer.status, messageOf(answer)]
}

/** @throws when it is not `{"message": text, "code": one of ours}` and nothing else */
function messageOf({ body, headers }: RawAnswer): string {
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  const parsed = JSON.parse(body) as Record<string, unknown>
  expect(Object.keys(parsed)).toEqual(['message', 'code'])
  expect(GATEWAY_CODES).toContain(parsed['code'])
  expect(typeof parsed['message']).toBe('string')
  return String(parsed['message'])
}

describe('what no route sees', () => {
  const badPath = 'GET /api/sessions/%zz HTTP/1.1\r\n'
  const longName = `GET /api/connections/${'x'.repeat(600)} HTTP/1.1\r\n`
  const expecting = 'POST /api/sessions HTTP/1.1\r\nExpect: a-miracle\r\n'
  const noHost = `GET /api/sessions HTTP/1.1\r\nConnection: close\r\n`
  it.each([
    ['a path that is no URL encoding', `${badPath}${CLOSE}`, 400, 'path: is not valid URL encoding'],
    [
      'a name that is too long',
      `${longName}${CLOSE}`,
      404,
      'no such endpoint: a name in the path is too long',
    ],
    ['an expectation', `${expecting}${CLOSE}`, 417, 'Expect: only 100-continue is supported'],
    ['no Host', noHost, 400, 'Host: is required'],
    [
      'a tunnel',
      `CONNECT a.test:443 HTTP/1.1\r\n${CLOSE}`,
      404,
      'no such endpoint: CONNECT (this gateway is not a proxy)',
    ],
    [
      'a method of WebDAV',
      `PROPFIND /api/sessions HTTP/1.1\r\n${CLOSE}`,
      404,
      'no such endpoint: PROPFIND /api/sessions',
    ],
    [
      'the method TRACE',
      `TRACE /api/sessions HTTP/1.1\r\n${CLOSE}`,
      404,
      'no such endpoint: TRACE /api/sessions',
    ],
  ])('is refused without a token first, and then with its own text: %s', async (_, head, status, text) => {
    expect(await ask(`${head}\r\n`)).toEqual([401, 'access denied'])
    expect(await ask(`${head}${TOKEN}\r\n`)).toEqual([status, text])
  })

  it.each([
    [
      'the preface of HTTP/2',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      400,
      'this address speaks HTTP/1.1, not HTTP/2: gRPC is served on listen.grpc',
    ],
    [
      'a method nobody knows',
      'FETCH / HTTP/1.1\r\n\r\n',
      400,
      'malformed HTTP request: Invalid method encountered',
    ],
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'malformed HTTP request: '],
    ['the beginning of TLS', Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0]), 400, 'malformed HTTP request: '],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
      431,
      'the headers are too large',
    ],
    [
      'a length and chunks',
      `POST /api/sessions HTTP/1.1\r\n${CLOSE}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
      'malformed HTTP request: ',
    ],
    [
      'a header with a control character',
      `GET / HTTP/1.1\r\n${CLOSE}X: a\x01b\r\n\r\n`,
      400,
      'malformed HTTP request: ',
    ],
  ])('is refused in our form: %s', async (_, bytes, status, text) => {
    expect(await ask(bytes)).toEqual([status, expect.stringContaining(text)])
  })

  it('a body that breaks off in its form is refused, and without a token as such', async () => {
    const head = `POST /api/sessions HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n`
    expect(await ask(`${head}${TOKEN}\r\nno length\r\n`)).toEqual([
      400,
      expect.stringContaining('malformed HTTP'),
    ])
    expect(await ask(`${head}\r\nno length\r\n`)).toEqual([401, 'access denied'])
  })

  it('a whole request before it is still answered', async () => {
    const whole = `GET /api/connections/bash HTTP/1.1\r\nHost: x\r\n${TOKEN}\r\n`
    const [answer, ...more] = await rawAnswers(gateway.gateway.http, `${whole}and then this\r\n\r\n`)
    expect([answer?.status, JSON.parse(answer?.body ?? '')]).toMatchObject([200, { name: 'bash' }])
    // A fault behind it may be told, in the same form.
    for (const fault of more) messageOf(fault)
  })

  it.each([0, 200_000, 3_000_000])(
    'a body of %i bytes that nobody reads keeps no long answer back',
    async (size) => {
      const head = `GET /api/openapiv3.json HTTP/1.1\r\n${CLOSE}${TOKEN}Content-Length: ${size}\r\n\r\n`
      const [answer] = await rawAnswers(gateway.gateway.http, head, 'x'.repeat(size))
      expect(answer?.status).toBe(200)
      expect(Object.keys(JSON.parse(answer?.body ?? '') as object)).toContain('paths')
    },
  )

  it('without a token nobody waits for a body that does not come', async () => {
    const head = `GET /api/sessions HTTP/1.1\r\n${CLOSE}Content-Length: 5\r\n\r\n`
    expect(await ask(head)).toEqual([401, 'access denied'])
  })

  it('what is asked for without a body happens at once, also when one was told and does not come', async () => {
    const head = `DELETE /api/users/nobody HTTP/1.1\r\n${CLOSE}${TOKEN}Content-Length: 5\r\n\r\n`
    expect((await ask(head))[0]).toBe(404)
  })

  it('what goes on for long behind a request whose answer is due is told once, and the answer comes', async () => {
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const head = `POST /api/sessions HTTP/1.1\r\nHost: x\r\n${TOKEN}Content-Type: application/json\r\n`
    const body = JSON.stringify({ connection: 'bash', script: 'true' })
    const whole = `${head}Content-Length: ${body.length}\r\n\r\n${body}`
    const { hostname, port } = new URL(gateway.gateway.http)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    socket.write(whole)
    for (let piece = 0; piece < 40; piece += 1) {
      await new Promise((resolve) => socket.write('and then this\r\n\r\n', resolve))
      // The piece has been read when what comes behind it is answered.
      await rawAnswers(gateway.gateway.http, 'GET /api/healthz HTTP/1.0\r\n\r\n')
    }
    socket.destroy()
    process.off('warning', note)
    expect(warnings).toEqual([])
  })

  it('HTTP/1.0 needs no Host', async () => {
    expect((await rawAnswers(gateway.gateway.http, 'GET /api/healthz HTTP/1.0\r\n\r\n'))[0]?.body).toBe(
      '{"liveness":"OK"}',
    )
  })
})

/** Requests of which most are wrong somewhere. */
const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'OPTIONS', 'QUERY', 'PRI', 'CONNECT', 'get', ''),
  path: fc.oneof(
    fc.constantFrom(
      '/api/sessions',
      '/api/runbooks/exec',
      '/api/localauth/login',
      '*',
      '',
      '//',
      '/api/../etc',
    ),
    fc.string({ maxLength: 30 }).map((text) => `/api/${text.replace(/[\r\n ]/g, '')}`),
    fc.constantFrom('%', '%2', '%zz', '%00', '%2F', '%ff', '%c3%28').map((text) => `/api/sessions/${text}`),
  ),
  version: fc.constantFrom(
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/2.0',
    'HTTP/9',
    'HTTPS/1.1',
    '',
  ),
  headers: fc.array(
    fc.constantFrom(
      'Host: x',
      TOKEN.trim(),
      'Authorization: Bearer nobody',
      'Api-Key: ',
      'Content-Type: application/json',
      'Content-Type: ;;;',
      'Content-Type: multipart/form-data',
      'Content-Length: 5',
      'Content-Length: -1',
      'Content-Length: 99999999999999999999',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: gzip',
      'Expect: 100-continue',
      'Expect: 200-ok',
      'Upgrade: websocket\r\nConnection: upgrade',
      'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
      'Accept-Version: 9',
      'X-HTTP-Method-Override: DELETE',
      'Broken',
      ': empty',
    ),
    { maxLength: 6 },
  ),
  body: fc.constantFrom(
    '',
    '{}',
    'null',
    '[]',
    '{"a":',
    '5\r\nhello\r\n0\r\n\r\n',
    'zz\r\n',
    '{"__proto__":1}',
    '\0',
  ),
})

it('500 requests that are wrong anywhere get no 5xx, and no answer of a shape that is not ours', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, path, version, headers, body }) => {
      const head = [`${method} ${path} ${version}`, ...headers, 'Connection: close'].join('\r\n')
      // Whatever the server still waits for, this is not it: it closes.
      const answers = await rawAnswers(
        gateway.gateway.http,
        `${head}\r\n\r\n${body}`,
        'xxxxx no more\r\n\r\n',
      )
      for (const answer of answers) {
        if (answer.status === 100) continue
        expect(answer.status).toBeLessThan(500)
        if (answer.status >= 400) messageOf(answer)
      }
    }),
    { numRuns: 500 },
  )
}, 120_000)
