import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GatewayUser } from '../../../src/gateway/identity.ts'
import { compressAnswers } from '../../../src/gateway/rest/compressed-answers.ts'
import { boundUnreadAnswers } from '../../../src/gateway/rest/unread-answers.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'

const ROWS = { rows: Array.from({ length: 200 }, (_, number) => ({ number, text: `row ${number}` })) }
const TEXT = JSON.stringify(ROWS)
/** More than is compressed. */
const HUGE = { text: 'x'.repeat(3 * 1024 * 1024) }

/** It takes long enough that others wait. */
const LARGE = { text: randomBytes(1024 * 1024).toString('base64') }

let app: FastifyInstance

beforeEach(async () => {
  app = fastify({ forceCloseConnections: true })
  app.addHook('onRequest', (asked, _, done) => {
    if (asked.headers['nobody'] === undefined)
      asked.user = { name: String(asked.headers['user'] ?? 'ada') } as GatewayUser
    done()
  })
  compressAnswers(app)
  boundUnreadAnswers(app)
  app.get('/rows', () => ROWS)
  app.get('/small', () => ({ text: 'few bytes' }))
  app.get('/huge', () => HUGE)
  app.get('/large', () => LARGE)
  app.get('/refused', (asked, reply) => reply.code(400).send({ message: asked.url.padEnd(2000) }))
  app.get('/file', (_, reply) => reply.type('application/octet-stream').send(TEXT))
  app.post('/tokens', () => ({ token: 't'.repeat(2000) }))
  await app.listen({ port: 0, host: '127.0.0.1' })
})
afterEach(() => app.close())

interface Answer {
  readonly encoding: string | undefined
  readonly length: string | undefined
  readonly vary: string | undefined
  readonly bytes: Buffer
}

function ask(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answer> {
  const { port } = app.server.address() as AddressInfo
  return asked(port, path, method, { 'accept-encoding': 'gzip, deflate, br', ...headers })
}

function asked(port: number, path: string, method: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.once('end', () => {
        const { 'content-encoding': encoding, 'content-length': length, vary } = answer.headers
        resolve({ encoding, length, vary, bytes: Buffer.concat(pieces) })
      })
    })
    sent.once('error', reject).end()
  })
}

describe('compressAnswers', () => {
  it('compresses a list, and says its length', async () => {
    const { encoding, length, vary, bytes } = await ask('/rows')
    expect([encoding, length, vary]).toEqual(['gzip', String(bytes.length), 'accept-encoding'])
    expect(bytes.length).toBeLessThan(TEXT.length / 3)
    expect(gunzipSync(bytes).toString()).toBe(TEXT)
  })

  it('answers HEAD with the headers of GET', async () => {
    const [head, get] = [await ask('/rows', 'HEAD'), await ask('/rows')]
    expect({ ...head, bytes: get.bytes }).toEqual(get)
    expect(head.bytes).toHaveLength(0)
  })

  it.each([undefined, '', 'br', 'gzip;q=0', 'gzip; q=0.000'])(
    'compresses nothing for a caller who accepts %s',
    async (accepted) => {
      const { encoding, vary, bytes } = await ask('/rows', 'GET', {
        'accept-encoding': accepted ?? 'identity',
      })
      expect([encoding, vary, bytes.toString()]).toEqual([undefined, 'accept-encoding', TEXT])
    },
  )

  it.each([
    ['small answers', '/small', 'GET', {}],
    ['answers that would keep a thread busy', '/huge', 'GET', {}],
    ['errors, which repeat what was asked', '/refused', 'GET', {}],
    ['files', '/file', 'GET', {}],
    ['new tokens', '/tokens', 'POST', {}],
    ['answers to callers without a user', '/rows', 'GET', { nobody: 'yes' }],
  ])('does not compress %s', async (_, path, method, headers) => {
    const { encoding, bytes } = await ask(path, method, headers)
    expect(encoding).toBeUndefined()
    expect(JSON.parse(bytes.toString())).toBeTypeOf('object')
  })

  it('compresses the long answers of a gateway', async () => {
    await using running = await RunningGateway.start()
    const headers = { authorization: `Bearer ${userToken}`, 'accept-encoding': 'gzip' }
    const { port } = new URL(running.gateway.http)
    const long = await asked(Number(port), '/api/settings', 'GET', headers)
    expect(long.encoding).toBe('gzip')
    expect(JSON.parse(gunzipSync(long.bytes).toString())).toBeTypeOf('object')
  })
})

it('an answer that finds many others waiting is sent as it is', async () => {
  const answers = await Promise.all(
    // Each user may have 16 answers at a time.
    Array.from({ length: 60 }, (_, index) =>
      app.inject({ url: '/large', headers: { 'accept-encoding': 'gzip', user: `user${index % 6}` } }),
    ),
  )
  const packed = answers.filter(({ headers }) => headers['content-encoding'] === 'gzip')
  expect(packed.length).toBeGreaterThan(0)
  expect(packed.length).toBeLessThan(answers.length)
  for (const { rawPayload, headers } of answers) {
    const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(rawPayload) : rawPayload
    expect(bytes.equals(Buffer.from(JSON.stringify(LARGE)))).toBe(true)
  }
})
