import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** A connection with more waiting requests is ended. Each waiting request takes about 1.4 KB. */
const MAX_WAITING_REQUESTS = 16

interface Turn {
  readonly answer: ServerResponse
  readonly begin: () => void
}

/**
 * Begins a request only when the answer before it on the same connection has gone. Node by itself begins all
 * requests of one read: 57 KB of `GET /docs/yaml`, whose answers nobody read, took 4 GB.
 */
export class RequestOrder {
  /** Requests of each connection that are not answered. The first one has begun. */
  readonly #turns = new WeakMap<Duplex, Turn[]>()
  /** Connections that end after their answers, and that Node has handed over. */
  readonly #ending = new Set<Duplex>()
  #isClosed = false

  /** Puts itself before the listeners for requests that the server has now. */
  constructor(server: Server) {
    const listeners = server.listeners('request')
    server.removeAllListeners('request')
    server.on('request', (request: IncomingMessage, answer: ServerResponse) =>
      this.begin(request, answer, () => {
        for (const listener of listeners) Reflect.apply(listener, server, [request, answer])
      }),
    )
  }

  /** Calls `begin` when it is the request's turn. If the connection ends before, `begin` is never called. */
  begin({ socket }: IncomingMessage, answer: ServerResponse, begin: () => void): void {
    // Node goes on with the requests that it has read after their connection was destroyed.
    if (socket.destroyed) return
    const turns = this.#turns.get(socket) ?? []
    this.#turns.set(socket, turns)
    if (turns.length > MAX_WAITING_REQUESTS) return void socket.destroy()
    turns.push({ answer, begin })
    if (turns.length === 1) this.#next(socket, turns)
  }

  /**
   * Lets the connection end after the answers to its whole requests.
   * @returns whether there are such answers
   */
  endAfterAnswers(socket: Duplex): boolean {
    const turns = this.#turns.get(socket) ?? []
    const isWhole = ({ answer }: Turn) => answer.req.complete || answer.headersSent
    // Only the last request can lack a part of its body. Nothing follows that could complete it.
    const last = turns.filter(isWhole).at(-1)
    if (last === undefined) return false
    if (turns.at(-1) !== last) turns.pop()
    last.answer.once('finish', () => socket.end())
    return true
  }

  /**
   * The same for the connection of an upgrade. Node no longer reads such a connection, and no longer counts
   * it, so that `closeAllConnections` would leave it open.
   */
  endHandedOver(socket: Duplex): boolean {
    if (!this.endAfterAnswers(socket)) return false
    this.#ending.add(socket)
    socket.once('close', () => this.#ending.delete(socket))
    socket.on('error', () => undefined)
    socket.on('drain', () => this.#turns.get(socket)?.[0]?.answer.emit('drain'))
    // A client that half-closes its connection has left, as on all other connections.
    socket.once('end', () => socket.destroy())
    socket.once('finish', () => socket.destroy())
    socket.resume()
    if (this.#isClosed) socket.destroy()
    return true
  }

  /** Ends the connections that Node has handed over, at once, also later ones. */
  close(): void {
    this.#isClosed = true
    for (const socket of this.#ending) socket.destroy()
  }

  #next(socket: Duplex, turns: Turn[]): void {
    const [turn] = turns
    if (turn === undefined) return
    turn.answer.once('close', () => {
      turns.shift()
      if (!socket.destroyed) this.#next(socket, turns)
    })
    turn.begin()
  }
}
