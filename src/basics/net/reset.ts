import type { Socket } from 'node:net'

/**
 * Resets the connection, so that the peer does not take its end for the end of all bytes. `resetAndDestroy`
 * alone would end the socket first. Bytes that the kernel has not sent are lost.
 */
export function resetConnection(socket: Socket): void {
  socket.destroySoon = () => void socket.destroy()
  socket.resetAndDestroy()
}
