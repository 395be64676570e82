import type { WebSocket } from '@fastify/websocket'

/** From one ping to the next. A peer who has shown no sign of life in between is gone. */
const PING_MS = 30_000

/** Ends a socket whose peer is silent: networks break without a word. @returns by which other signs of life are told */
export function keepAlive(socket: WebSocket, pingMs = PING_MS): { readonly seen: () => void } {
  let isAlive = true
  const seen = () => {
    isAlive = true
  }
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate()
    isAlive = false
    socket.ping()
  }, pingMs)
  socket.on('pong', seen).on('message', seen)
  socket.once('close', () => clearInterval(timer))
  return { seen }
}
