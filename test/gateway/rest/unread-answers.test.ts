import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import type { GatewayUser } from '../../../src/gateway/identity.ts'
import type { RequestRefused } from '../../../src/gateway/refusals/request-refused.ts'
import { boundUnreadAnswers, type AnswerLimits } from '../../../src/gateway/rest/unread-answers.ts'
import { rawAnswers } from '../../support/scripted/raw-http.ts'
import { waitFor } from '../../support/wait.ts'

/** More than the system keeps for a connection that nobody reads. */
const LARGE = 'ü'.repeat(6 * 1024 * 1024)
const LARGE_BYTES = Buffer.byteLength(LARGE)
const LIMITS: AnswerLimits = {
  places: 3,
  placeMs: 60_000,
  userBytes: 2 * LARGE_BYTES,
  allBytes: 10 * LARGE_BYTES,
  pieceMs: 60_000,
  answerMs: 60_000,
  eachMs: 0,
}

/** Routes of this test only. The bound is to hold for them, although they do nothing for it. */
class Site implements AsyncDisposable {
  readonly app: FastifyInstance
  readonly #sockets: Socket[] = []
  /** Requests whose handler has begun. */
  readonly begun: string[] = []
  onBegin: () => void = () => undefined
  connections = 0

  /** @param limits `usual`: those of a gateway */
  static async start(limits: Partial<AnswerLimits> | 'usual' = {}): Promise<Site> {
    const site = new Site(limits === 'usual' ? undefined : { ...LIMITS, ...limits })
    await site.app.listen({ port: 0, host: '127.0.0.1' })
    return site
  }

  private constructor(limits: AnswerLimits | undefined) {
    this.app = fastify({ forceCloseConnections: true })
    this.app.server.on('connection', (socket: Socket) => {
      this.connections += 1
      socket.once('close', () => (this.connections -= 1))
    })
    this.app.addHook('onRequest', (request, _, done) => {
      const name = request.headers['user']
      if (typeof name === 'string') request.user = { name } as GatewayUser
      done()
    })
    this.app.addHook('onRoute', (route) => {
      if (route.url !== '/taken-away') return
      const audit = { action: 'kill', type: 'sessions', verb: 'stopped a session', takesAway: true } as const
      route.config = { operation: { role: 'user', audit } }
    })
    this.app.setErrorHandler((error: RequestRefused, _, reply) =>
      reply
        .code(error.status)
        .header('retry-after', error.extras.retryAfterSeconds)
        .send({ message: error.message, code: error.code }),
    )
    boundUnreadAnswers(this.app, limits)
    this.app.addHook('preHandler', (request, _, done) => {
      this.begun.push(request.url)
      this.onBegin()
      done()
    })
    this.app.get('/text', () => LARGE)
    this.app.get('/list', () => ({ text: LARGE }))
    this.app.post('/run', () => ({ text: LARGE }))
    this.app.post('/taken-away', () => 'gone')
    this.app.get('/small', () => 'small')
    this.app.get('/for-ever', () => new Promise(() => undefined))
    this.app.get('/left', async (_, reply) => {
      await once(reply.raw, 'close')
      return LARGE
    })
  }

  /** Asks and reads nothing. Settles when the handler has begun. */
  async unread(user: string, request: string): Promise<Socket> {
    const { port } = this.app.server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    this.#sockets.push(socket)
    const before = this.begun.length
    socket.write(written(user, request))
    await waitFor(() => this.begun.length > before)
    return socket
  }

  get url(): string {
    const { port } = this.app.server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  async answer(user: string, request: string) {
    const [answer] = await rawAnswers(this.url, written(user, request, 'Connection: close'))
    return answer
  }

  async status(user: string, request: string): Promise<number | undefined> {
    return (await this.answer(user, request))?.status
  }

  closeAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeAll()
    await this.app.close()
  }
}

function written(user: string, request: string, ...headers: string[]): string {
  const sent = request.startsWith('POST') ? ['Content-Length: 0'] : []
  const from = user === '' ? [] : [`User: ${user}`]
  return [`${request} HTTP/1.1`, 'Host: x', ...from, ...sent, ...headers, '', ''].join('\r\n')
}

let last: Site | undefined
const started = async (limits?: Parameters<typeof Site.start>[0]) => (last = await Site.start(limits))
afterEach(() => last?.[Symbol.asyncDispose]())

it('a request whose client has gone while it waited does not begin', async () => {
  const site = await started({ places: 1 })
  const first = await site.unread('ann', 'GET /for-ever')
  const { port } = site.app.server.address() as AddressInfo
  const gone = connect({ port, host: '127.0.0.1' })
  gone.write(written('ann', 'GET /list'))
  expect(await site.status('bea', 'GET /small')).toBe(200)
  gone.destroy()
  await waitFor(() => site.connections === 1)
  first.destroy()
  expect(await site.status('ann', 'GET /small')).toBe(200)
  expect(site.begun).toEqual(['/for-ever', '/small', '/small'])
})

describe('the bounds of a gateway', () => {
  it('are 16 MiB for a user', async () => {
    const site = await started('usual')
    await site.unread('ann', 'GET /text')
    expect(await site.status('ann', 'GET /small')).toBe(200)
    await site.unread('ann', 'GET /text')
    expect(await site.status('ann', 'GET /small')).toBe(429)
  })

  it('are 128 MiB for all users who have some', async () => {
    const site = await started('usual')
    const unread = async (...users: string[]) => {
      for (const user of users) await site.unread(user, 'GET /text')
      return [await site.status('ann', 'GET /small'), await site.status('bea', 'GET /small')]
    }
    expect(await unread('ann', ...['a', 'b', 'c', 'd'].flatMap((user) => [user, user]), 'e')).toEqual([
      ...[200, 200],
    ])
    expect(await unread('e')).toEqual([429, 200])
  })

  it('are 16 reading requests of a user', async () => {
    const site = await started('usual')
    for (let count = 0; count < 16; count += 1) await site.unread('ann', 'GET /for-ever')
    const waiting = site.status('ann', 'GET /for-ever').catch(() => undefined)
    expect(await site.status('bea', 'GET /small')).toBe(200)
    expect(site.begun.filter((url) => url === '/for-ever')).toHaveLength(16)
    await site[Symbol.asyncDispose]()
    await waiting
  })
})

describe('answers that nobody reads', () => {
  it.each([['GET /text'], ['GET /list'], ['POST /run']])(
    '%s: the user gets no further ones until the connections end, and others are answered',
    async (request) => {
      const site = await started()
      await site.unread('ann', request)
      expect(await site.status('ann', 'GET /small')).toBe(200)
      await site.unread('ann', request)
      const refused = await site.answer('ann', 'GET /small')
      expect(refused?.status).toBe(429)
      expect(refused?.headers.get('retry-after')).toBe('5')
      expect(refused?.body).toContain('"code":"too-much-at-once"')
      expect(await site.status('ann', 'POST /run')).toBe(429)
      expect(await site.status('bob', 'GET /list')).toBe(200)
      site.closeAll()
      await waitFor(async () => (await site.status('ann', 'GET /small')) === 200)
    },
  )

  it('do not keep the user from taking something away', async () => {
    const site = await started({ userBytes: 1 })
    await site.unread('ann', 'GET /text')
    expect(await site.status('ann', 'POST /taken-away')).toBe(200)
  })

  it('of all users count only for those who have some', async () => {
    const site = await started({ allBytes: 2 * LARGE_BYTES })
    await site.unread('ann', 'GET /text')
    expect(await site.status('ann', 'GET /small')).toBe(200)
    await site.unread('bob', 'GET /text')
    expect(await site.status('ann', 'GET /small')).toBe(429)
    expect(await site.status('carl', 'GET /list')).toBe(200)
  })

  it('of callers without a user are not counted, since all get the same', async () => {
    const site = await started({ userBytes: 1, allBytes: 1 })
    await site.unread('', 'GET /text')
    expect(await site.status('', 'GET /text')).toBe(200)
    expect(await site.status('ann', 'GET /text')).toBe(200)
  })

  it('are not counted if the client left before them', async () => {
    const site = await started({ userBytes: 1, places: 1 })
    const socket = await site.unread('ann', 'GET /left')
    socket.destroy()
    expect(await site.status('ann', 'GET /small')).toBe(200)
    expect(await site.status('ann', 'GET /small')).toBe(200)
  })

  it.each([{ pieceMs: 50 }, { answerMs: 50 }])('are cut off: %o', async (limits) => {
    const site = await started(limits)
    await site.unread('ann', 'GET /text')
    await waitFor(() => site.connections === 0)
  })

  it('arrive whole when they are read', async () => {
    const site = await started()
    const found = await site.answer('ann', 'GET /list')
    expect(found?.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(found?.headers.get('content-length')).toBe(String(LARGE_BYTES + '{"text":""}'.length))
    expect(Buffer.from(found?.body ?? '', 'latin1').toString()).toBe(JSON.stringify({ text: LARGE }))
  })
})

describe('reading requests that arrive together', () => {
  it('begin in different turns of the event loop, so that others are served between them', async () => {
    const site = await started({ places: 10 })
    let turn = 0
    let next = setImmediate(function count() {
      turn += 1
      next = setImmediate(count)
    })
    const turns: number[] = []
    site.onBegin = () => turns.push(turn)
    const requests = ['ann', 'ann', 'bob', 'bob', 'carl'].map((user) => written(user, 'GET /small'))
    await rawAnswers(site.url, requests.join('') + written('dan', 'GET /small', 'Connection: close'))
    clearImmediate(next)
    expect(turns).toHaveLength(6)
    expect(new Set(turns).size).toBe(6)
  })
})

describe('places for reading requests', () => {
  it('are as many as a user may have at once; a request that gets none in time is refused', async () => {
    const site = await started({ places: 2, placeMs: 50 })
    await site.unread('ann', 'GET /for-ever')
    expect(await site.status('ann', 'GET /small')).toBe(200)
    expect(await site.status('ann', 'HEAD /text')).toBe(200)
    await site.unread('ann', 'GET /for-ever')
    expect((await site.answer('ann', 'GET /small'))?.body).toContain(
      '2 other reading requests: try again later',
    )
    expect(await site.status('ann', 'HEAD /text')).toBe(429)
    expect(await site.status('ann', 'POST /run')).toBe(200)
    expect(await site.status('bob', 'GET /small')).toBe(200)
    site.closeAll()
    await waitFor(async () => (await site.status('ann', 'GET /small')) === 200)
  })

  it('are kept by a large answer until it is read', async () => {
    const site = await started({ places: 1, placeMs: 50 })
    await site.unread('ann', 'GET /text')
    expect(await site.status('ann', 'GET /small')).toBe(429)
    site.closeAll()
    await waitFor(async () => (await site.status('ann', 'GET /text')) === 200)
    expect(await site.status('ann', 'GET /small')).toBe(200)
  })

  it('go to the next request when a client leaves', async () => {
    const site = await started({ places: 1 })
    await site.unread('ann', 'GET /for-ever')
    const waiting = site.status('ann', 'GET /small')
    site.closeAll()
    expect(await waiting).toBe(200)
    expect(site.begun).toEqual(['/for-ever', '/small'])
  })
})
