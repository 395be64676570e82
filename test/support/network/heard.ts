import type { Socket } from 'node:net'

/** All that a socket receives, or the code of its error. Unlike `text`, leaves the socket open for writing. */
export function heard(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let all = ''
    socket.on('data', (bytes) => (all += String(bytes)))
    socket.on('end', () => resolve(all))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}
