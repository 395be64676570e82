import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import type { History, HistoryOptions } from '../../../../src/gateway/history/history.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import type { GatewayUser } from '../../../../src/gateway/identity.ts'
import type { StreamLimits } from '../../../../src/gateway/rest/event-streams.ts'
import { LiveStreams } from '../../../../src/gateway/rest/sessions/live-streams.ts'
import { waitFor } from '../../../support/wait.ts'

const MIB = 1024 * 1024
const LIMITS: StreamLimits = { streams: 3, ofOneUser: 2, reserved: 0, pieceMs: 60_000, closingMs: 60_000 }

describe('LiveStreams', () => {
  it('cuts off a reader that stalls, and keeps one that waits for a silent session', async () => {
    await using site = await Site.start({ pieceMs: 50 })
    site.history.append('s1', 'o', Buffer.alloc(30 * MIB, 'x'), 0)
    const stalled = await site.open()
    // Not read until it was cut off: what is in the sockets' buffers comes, and then it breaks.
    await waitFor(async () => (await site.connections()) === 0)
    await expect(textOf(stalled)).rejects.toThrow()
  })

  it('says what is left when the gateway closes, and ends', async () => {
    await using site = await Site.start()
    const stream = await site.open()
    site.history.append('s1', 'o', Buffer.from('the last'), 0)
    site.finish()
    await site.streams.close()
    const text = await textOf(stream)
    expect(text).toContain(Buffer.from('the last').toString('base64'))
    expect(text).toContain('session_end')
  })

  it('ends when the gateway closes, and does not say that the session has ended', async () => {
    await using site = await Site.start()
    const stream = await site.open()
    await site.streams.close()
    expect(await textOf(stream)).not.toContain('event:')
  })

  it('lets nobody wait for a reader who takes nothing when the gateway closes', async () => {
    await using site = await Site.start({ closingMs: 1 })
    site.history.append('s1', 'o', Buffer.alloc(30 * MIB, 'x'), 0)
    const stalled = await site.open()
    await site.streams.close()
    stalled.destroy()
  })

  it('has places for so many streams of one user, and of all', async () => {
    await using site = await Site.start()
    const streams = [await site.open('a'), await site.open('a'), await site.open('a'), await site.open('b')]
    streams.push(await site.open('c'))
    expect(streams.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429, 200, 429])
    expect(await textOf(streams[2])).toContain('at most 2 streams of sessions per user')
    expect(await textOf(streams[4])).toContain('at most 3 streams of sessions at once')
    site.finish()
    for (const at of [0, 1, 3]) expect(await textOf(streams[at])).toContain('session_end')
  })

  it('has places for 64 streams of one user', async () => {
    await using site = await Site.start('usual')
    const streams: http.IncomingMessage[] = []
    for (let count = 0; count <= 64; count += 1) streams.push(await site.open('a'))
    const statuses = streams.map(({ statusCode }) => statusCode)
    expect(statuses).toEqual([...Array.from({ length: 64 }, () => 200), 429])
    await site.streams.close()
  })

  it('keeps places for users who have few streams', async () => {
    await using site = await Site.start({ streams: 7, ofOneUser: 6, reserved: 2 })
    const open = async (user: string, count: number) => {
      const streams: http.IncomingMessage[] = []
      for (let i = 0; i < count; i++) streams.push(await site.open(user))
      return streams
    }
    const [greedy, others] = [await open('a', 6), await open('b', 3)]
    const statuses = [...greedy, ...others].map(({ statusCode }) => statusCode)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 200, 200, 429])
    expect(await textOf(greedy[5])).toContain(
      'the last 2 streams of sessions are reserved for users with fewer than 4 streams',
    )
    expect(await textOf(others[2])).toContain('at most 7 streams of sessions at once')
    site.finish()
    for (const stream of [...greedy.slice(0, 5), ...others.slice(0, 2)])
      expect(await textOf(stream)).toContain('session_end')
  })

  it('says while a session runs that its output is not recorded any more, and at the end how much', async () => {
    await using site = await Site.start({}, { maxBytes: 8 * MIB })
    const stream = await site.open()
    site.history.append('s1', 'o', Buffer.from('recorded'), 0)
    await waitFor(() => site.sent.includes(Buffer.from('recorded').toString('base64')))
    site.history.append('s1', 'o', Buffer.alloc(12 * MIB, 'x'), 1)
    const text = textOf(stream)
    await waitFor(() => site.sent.includes('event: incomplete'))
    site.history.append('s1', 'o', Buffer.alloc(MIB, 'x'), 2)
    expect(() => site.finish()).toThrow(/not in the history/)
    const blocks = (await text).split('\n\n').filter((block) => !block.startsWith('id:'))
    const missing = blocks.flatMap((block) => /"missing_bytes":(\d+)/.exec(block)?.[1] ?? []).map(Number)
    expect(missing).toHaveLength(2)
    expect(missing[1]).toBe(13 * MIB)
    expect(blocks.at(-2)).toBe('event: session_end\ndata: {}')
  })
})

function userNamed(name: string): GatewayUser {
  return { name, kind: 'person', groups: [], isActive: true, isDeclared: true }
}

/** Streams of one session that a test writes. */
class Site implements AsyncDisposable {
  readonly history: History
  readonly streams: LiveStreams
  readonly #app: FastifyInstance
  readonly #folder: string
  /** All that was sent. */
  sent = ''

  static async start(
    limits: Partial<StreamLimits> | 'usual' = {},
    options: HistoryOptions = {},
  ): Promise<Site> {
    const site = new Site(limits === 'usual' ? undefined : { ...LIMITS, ...limits }, options)
    await site.#app.listen({ host: '127.0.0.1', port: 0 })
    return site
  }

  private constructor(limits: StreamLimits | undefined, options: HistoryOptions) {
    this.#folder = mkdtempSync(path.join(tmpdir(), 'live-'))
    this.history = openHistory(path.join(this.#folder, 'state', 'history.sqlite'), options)
    this.history.begin({
      ...{ id: 's1', user: 'a', connection: 'bash', connectionType: 'custom', startedAt: new Date() },
      ...{ origin: 'client', verb: 'exec', labels: {}, metadata: {}, script: Buffer.alloc(0) },
    })
    this.streams = new LiveStreams(this.history, limits)
    this.#app = fastify({ forceCloseConnections: true })
    this.#app.get<{ Params: { user: string } }>('/:user', (request, reply) => {
      request.user = userNamed(request.params.user)
      const session = this.history.session('s1')
      if (session === undefined) throw new Error('the session of the test is missing')
      const { raw } = reply
      const write = raw.write.bind(raw)
      raw.write = ((piece: Buffer, ...rest: [() => void]) => {
        this.sent += piece.toString('latin1')
        return write(piece, ...rest)
      }) as typeof raw.write
      return this.streams.send(request, reply, session)
    })
    this.#app.setErrorHandler((error: Error & { status?: number }, _, reply) =>
      reply.code(error.status ?? 500).send(error.message),
    )
  }

  open(user = 'a'): Promise<http.IncomingMessage> {
    const { port } = this.#app.server.address() as AddressInfo
    const options = { host: '127.0.0.1', port, path: `/${user}`, headers: { connection: 'close' } }
    return new Promise((resolve, reject) => http.get(options, resolve).on('error', reject))
  }

  connections(): Promise<number> {
    return new Promise((resolve) => this.#app.server.getConnections((_, count) => resolve(count)))
  }

  finish(): void {
    this.history.finish('s1', { exitCode: 0, truncatedBytes: 0, endedAt: new Date() })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.close()
    this.history.close()
    rmSync(this.#folder, { recursive: true })
  }
}

async function textOf(response: http.IncomingMessage | undefined): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of response ?? []) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
