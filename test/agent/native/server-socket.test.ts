import { once } from 'node:events'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { duplexPair } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { describe, expect, it, vi } from 'vitest'
import { ServerSocket } from '../../../src/agent/native/server-socket.ts'
import { Authority } from '../../support/network/certificates.ts'
import { found } from '../../support/wait.ts'

interface Dialled extends AsyncDisposable {
  readonly server: ServerSocket
}

/** Connects to a server that does what `serve` says. */
async function dial(serve: (socket: Socket) => unknown): Promise<Dialled> {
  const listener = createServer({ noDelay: true }, (one) => serve(one.resume()))
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  const server = await ServerSocket.dial({ host: '127.0.0.1', port }, new AbortController().signal)
  const close = async () => {
    server[Symbol.dispose]()
    await new Promise((resolve) => listener.close(resolve))
  }
  return { server, [Symbol.asyncDispose]: close }
}

/** Pieces of all sizes, each of its own letter, and sent when the one before has been read. */
const pieces = [5, 1, 300, 100_000, 7, 20_000, 16_384, 16_383, 200_000, 2].map((size, at) =>
  Buffer.alloc(size, 97 + at),
)

describe('a server socket', () => {
  it('gives each read bytes of its own: later reads change none that are still to be sent', async () => {
    let next: () => void = () => undefined
    await using dialled = await dial((socket) => {
      const left = [...pieces]
      next = () => {
        const piece = left.shift()
        if (piece === undefined) socket.end()
        else socket.write(piece)
      }
      next()
    })
    const kept: Buffer[] = []
    let missing = pieces[0]?.length ?? 0
    let at = 0
    await dialled.server.deliver((bytes) => {
      kept.push(bytes)
      missing -= bytes.length
      if (missing > 0) return undefined
      at += 1
      missing = pieces[at]?.length ?? 0
      next()
      return undefined
    })
    expect(Buffer.concat(kept).equals(Buffer.concat(pieces))).toBe(true)
  })

  it('reads little while what it has given is not taken, and then goes on in order', async () => {
    const all = Buffer.concat(Array.from({ length: 40 }, () => pieces).flat())
    await using dialled = await dial((socket) => {
      socket.end(all)
      socket.on('error', () => undefined)
    })
    const kept: Buffer[] = []
    let takers = 0
    let most = 0
    await dialled.server.deliver(async (bytes) => {
      takers += 1
      most = Math.max(most, takers)
      kept.push(bytes)
      await new Promise((resolve) => setTimeout(resolve, 1))
      takers -= 1
    })
    expect(most).toBe(1)
    expect(Buffer.concat(kept).equals(all)).toBe(true)
    // What is read ahead, and one read beyond it.
    expect(Math.max(...kept.map(({ length }) => length))).toBeLessThanOrEqual(128 * 1024)
  })

  it('delivers nothing after its reader has failed, and rejects with that error', async () => {
    let peer: Socket | undefined
    await using dialled = await dial((socket) => (peer = socket).write('a'))
    const taken: string[] = []
    const delivered = dialled.server.deliver((bytes) => {
      taken.push(String(bytes))
      throw new Error('enough')
    })
    await expect(delivered).rejects.toThrow('enough')
    const closed = once(peer ?? expect.unreachable(), 'close')
    peer?.end('b')
    // Both sides have ended, so the second byte was read.
    await closed
    expect(taken).toEqual(['a'])
  })

  it('gives all that a server sends before it closes at once, also when nobody reads yet', async () => {
    await using dialled = await dial((socket) => socket.end(Buffer.concat(pieces)))
    await dialled.server.stirred()
    const kept: Buffer[] = []
    await dialled.server.deliver((bytes) => void kept.push(bytes))
    expect(Buffer.concat(kept).equals(Buffer.concat(pieces))).toBe(true)
  })

  it('is over when it is disposed of in the middle of a delivery', async () => {
    await using dialled = await dial((socket) => {
      socket.on('error', () => undefined).write(Buffer.concat(pieces))
    })
    let calls = 0
    await dialled.server.deliver(() => {
      calls += 1
      dialled.server[Symbol.dispose]()
      return undefined
    })
    expect(calls).toBe(1)
  })

  it('gives all bytes in their order over TLS, to a taker who is slow', async () => {
    const all = Buffer.concat(Array.from({ length: 4 }, () => pieces).flat())
    const issued = new Authority('the test').issue({ names: ['127.0.0.1'] })
    await using dialled = await dial((socket) => {
      const pair = { cert: issued.certificate, key: issued.key }
      const secure = new TLSSocket(socket.pause(), { isServer: true, ...pair })
      secure.on('error', () => undefined).end(all)
    })
    await dialled.server.startTls({ rejectUnauthorized: false }, new AbortController().signal)
    const kept: Buffer[] = []
    await dialled.server.deliver(async (bytes) => {
      kept.push(bytes)
      await new Promise((resolve) => setImmediate(resolve))
    })
    expect(Buffer.concat(kept).equals(all)).toBe(true)
  })

  it.each([
    ['the server reset', 'ECONNRESET', (socket: Socket) => void socket.resetAndDestroy()],
    // A record without a valid signature.
    [
      'TLS failed',
      'ERR_SSL_',
      (socket: Socket) => void socket.write(Buffer.from([23, 3, 3, 0, 32, ...Buffer.alloc(32)])),
    ],
  ])(
    'gives all bytes that came over TLS before %s once, although their taker was slow',
    async (_, code, fail) => {
      using pauses = vi.spyOn(Socket.prototype, 'pause')
      const issued = new Authority('the test').issue({ names: ['127.0.0.1'] })
      let server: Socket | undefined
      await using dialled = await dial((socket) => {
        const [inner, outer] = duplexPair()
        const pair = { cert: issued.certificate, key: issued.key }
        new TLSSocket(inner, { isServer: true, ...pair })
          .on('error', () => undefined)
          .write(Buffer.alloc(90_000, 'x'))
        server = socket.on('error', () => undefined)
        outer.pipe(socket).pipe(outer)
      })
      await dialled.server.startTls({ rejectUnauthorized: false }, new AbortController().signal)
      let given = 0
      let take: () => void = () => undefined
      const taken = new Promise<void>((resolve) => (take = resolve))
      const delivered = dialled.server.deliver((bytes) => {
        given += bytes.length
        return taken
      })
      // The agent has paused, and Node keeps the last record.
      const socket = await found(() =>
        (pauses.mock.contexts as Socket[]).find(
          ({ readableLength }) => readableLength === 90_000 % (16 * 1024),
        ),
      )
      const failed = once(socket, 'error')
      if (server !== undefined) fail(server)
      await failed
      take()
      await expect(delivered).rejects.toThrow(`was lost: ${code}`)
      expect(given).toBe(90_000)
    },
  )
})
