import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { ServerSocket } from '../../../src/agent/native/server-socket.ts'

interface Dialled extends AsyncDisposable {
  readonly server: ServerSocket
}

/** Connects to a server that does what `serve` says. */
async function dial(serve: (socket: Socket) => void): Promise<Dialled> {
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

it('takes nothing more after the taker has failed, and says why', async () => {
  await using dialled = await dial((socket) => {
    socket.write('a')
    setTimeout(() => socket.end('b'), 20)
  })
  const taken: string[] = []
  const delivered = dialled.server.deliver((bytes) => {
    taken.push(String(bytes))
    throw new Error('enough')
  })
  await expect(delivered).rejects.toThrow('enough')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(taken).toEqual(['a'])
})
