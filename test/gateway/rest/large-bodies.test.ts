import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import fastify from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readBodiesInTurns, hasMoreElements } from '../../../src/gateway/rest/body.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { limits: '{ agent-wait: 0s }' })
})
afterAll(() => gateway[Symbol.asyncDispose]())

/** What JSON writes with `,`, `[` and `{`. */
function elementsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const members = Object.values(value)
  return members.reduce<number>((sum, one) => sum + elementsOf(one), 1 + Math.max(0, members.length - 1))
}

it('the elements of a body are counted as they are written, whatever stands in texts', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = Buffer.from(JSON.stringify(value))
      const elements = elementsOf(value)
      expect([hasMoreElements(json, elements), hasMoreElements(json, elements - 1)]).toEqual([
        false,
        elements > 0,
      ])
    }),
  )
})

it.each([
  ['metadata', []],
  ['env_vars', ''],
  ['labels', ''],
])('more elements than a body may have are refused before they are parsed: %s', async (field, value) => {
  const map = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`k${i}`, value] as const))
  const answer = await gateway.request('POST', '/api/sessions', { connection: 'bash', [field]: map })
  expect([answer.status, answer.body]).toEqual([
    422,
    { message: 'request body: must not have more than 100000 elements', code: 'too-large' },
  ])
})

/** Sends a head, and what comes back is its answer. The connection is closed then, whatever was still to be sent. */
async function answerTo(head: string): Promise<string> {
  const { port } = new URL(gateway.gateway.http)
  const socket = connect({ host: '127.0.0.1', port: Number(port) })
  try {
    socket.write(`${head}\r\nHost: x\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return String(answer).split('\r\n')[0] ?? ''
  } finally {
    socket.destroy()
  }
}

it('an answer that comes before the body gives the turn back', async () => {
  const asAdmin = 'Authorization: Bearer a-token-for-tests-0123456789\r\nContent-Type: application/json'
  for (let i = 0; i < 5; i += 1)
    expect(await answerTo(`POST /api/sessions HTTP/1.1\r\n${asAdmin}\r\nContent-Length: 20000000`)).toMatch(
      / 413 /,
    )
  const large = { connection: 'bash', script: 'x'.repeat(100_000) }
  expect((await gateway.request('POST', '/api/sessions', large)).status).toBe(200)
})

it('whoever asks whether the gateway is there may announce a body, which nobody reads', async () => {
  expect(await answerTo('GET /api/healthz HTTP/1.1\r\nContent-Length: 100000')).toMatch(/ 200 /)
})

const BODY = 'x'.repeat(100_000)

/** The hook alone: who asks stands in a header, and arrivals are counted. */
async function reading() {
  const app = fastify()
  const state = { arrivals: 0 }
  app.addHook('onRequest', (request, _, done) => {
    state.arrivals += 1
    request.user = { name: String(request.headers['x-user']) } as typeof request.user
    done()
  })
  readBodiesInTurns(app)
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_, body: string, done) => done(null, body))
  app.post<{ Body: string }>('/', ({ body }) => `read ${body.length}`)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { state, url, [Symbol.asyncDispose]: () => app.close() }
}

/** Sends everything but the body. */
function begin(url: string, user: string): Socket {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const head = `POST / HTTP/1.1\r\nHost: x\r\nX-User: ${user}\r\nContent-Type: text/plain\r\n`
  socket.write(`${head}Content-Length: ${BODY.length}\r\n\r\n`)
  return socket
}

async function send(url: string, user: string, body = BODY): Promise<string> {
  const headers = { 'x-user': user, 'content-type': 'text/plain', connection: 'close' }
  return (await fetch(url, { method: 'POST', headers, body })).text()
}

it('large bodies of one user are read four at a time, those of others and small ones meanwhile', async () => {
  await using app = await reading()
  const slow = Array.from({ length: 4 }, () => begin(app.url, 'ann'))
  try {
    await waitFor(() => app.state.arrivals === 4)
    const late = ['fifth', 'sixth'].map(() => send(app.url, 'ann'))
    await waitFor(() => app.state.arrivals === 6)
    let answered = 0
    for (const one of late) void one.then(() => (answered += 1))
    expect(await send(app.url, 'ann', 'small')).toBe('read 5')
    expect(await send(app.url, 'bob')).toBe('read 100000')
    expect(answered).toBe(0)
    slow[0]?.write(BODY)
    expect(await late[0]).toBe('read 100000')
    // Whoever goes gives his place back too.
    for (const socket of slow) socket.destroy()
    expect(await late[1]).toBe('read 100000')
  } finally {
    for (const socket of slow) socket.destroy()
  }
})
