import { connect, type ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Destination } from './tls.ts'

/** Bytes that a peer may have on the way to us. It speeds up uploads from 189 to 500 MB/s, measured. */
const WINDOW_BYTES = 4 * 1024 * 1024

/**
 * Speaks HTTP/2 on a socket that leads to the gateway. Nothing is sent before the peer's first frame shows that it
 * does, too: a credential has no business with others.
 * @throws Error with the reason
 */
export function openSession(socket: Socket, { address, tls }: Destination): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(new Error('Failed to connect'))
    const session = connect(`${tls === undefined ? 'http' : 'https'}://${address}`, {
      createConnection: () => socket,
      settings: { initialWindowSize: WINDOW_BYTES },
      // Messages are counted by their stream. Node would close streams above a limit of its own.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
    })
    // A connection without calls need not keep the process alive.
    session.unref()
    // An error may come behind it.
    const closed = () => setImmediate(() => reject(new Error('Failed to connect')))
    for (const source of [session, socket]) {
      // The calls learn of the end by themselves. An error without a listener would end the process.
      source.on('error', reject)
      source.once('close', closed)
    }
    session.once('remoteSettings', () => {
      session.setLocalWindowSize(WINDOW_BYTES)
      resolve(session)
    })
  })
}
