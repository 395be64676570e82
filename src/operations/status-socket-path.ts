import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** Of a socket's path, in bytes: 108 on Linux and 104 elsewhere, the zero byte at the end included. */
export const LONGEST_PATH = process.platform === 'linux' ? 107 : 103

/** Node cuts a longer one off without a word. */
export function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > LONGEST_PATH
}

/** A connection, to be destroyed by the caller. @throws with an errno, or `ETIMEDOUT` */
export async function connectTo(path: string, withinMs: number): Promise<Socket> {
  const socket = createConnection(path)
  const late = setTimeout(() => socket.destroy(timeout()), withinMs)
  try {
    await once(socket, 'connect')
    return socket
  } finally {
    clearTimeout(late)
  }
}

export function timeout(): Error {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })
}
