import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** Limit for a socket's path in bytes: 108 on Linux and 104 elsewhere, minus the zero byte at the end. */
export const LONGEST_PATH = process.platform === 'linux' ? 107 : 103

/** Node silently cuts a longer path. */
export function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > LONGEST_PATH
}

/** A connection, which the caller has to destroy. @throws with an errno, or `ETIMEDOUT` */
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
