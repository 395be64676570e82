import { createServer } from 'node:http'
import websocket, { type WebSocket } from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { refused } from '../../refusals/request-refused.ts'
import type { RestServices } from '../services.ts'
import type { Upgrade } from '../upgrades.ts'
import { endWith, SocketCall } from './socket-call.ts'

/** The only route of WebSockets. A request without an upgrade is refused immediately. */
export const TERMINAL = '/api/connections/:name/terminal'

/** Largest frame from the page. The page sends keys, and it sends pasted text in pieces. */
const MAX_FRAME_BYTES = 64 * 1024
/** Time for pages to read the last frames when the gateway closes. */
const CLOSING_MS = 1000

interface Asked {
  readonly Params: { readonly name: string }
  /** Session of the terminal that the tab had before it was reloaded. */
  readonly Querystring: { readonly session?: unknown; readonly reason?: unknown }
}

/** Call this before the routes of WebSockets are added. */
export function serveSockets(app: FastifyInstance): Upgrade {
  // This server never listens: only its events are used.
  const upgrades = createServer()
  app.addHook('onResponse', (request, _, done) => {
    endRefused(request)
    done()
  })
  void app.register(websocket, {
    options: {
      server: upgrades,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    },
    preClose(done) {
      endSockets(this.websocketServer.clients)
      this.websocketServer.close(() => undefined)
      done()
    },
  })
  return {
    protocol: 'websocket',
    isServed: isTerminal,
    take(request, socket, head) {
      // While the gateway closes, no listener accepts the upgrade.
      if (!upgrades.emit('upgrade', request, socket, head)) socket.destroy()
    },
  }
}

/** Tells whether the URL is the terminal's. Called before the request is routed. */
function isTerminal(url: string): boolean {
  return /^\/api\/connections\/(?:[\w.~!$&'()*+,;=:@-]|%[2-7][\dA-Fa-f]){1,512}\/terminal(?:\?|$)/.test(url)
}

/**
 * Ends the connection if the request with an upgrade was refused before the WebSocket plugin got it. Nothing
 * else reads from this connection.
 */
function endRefused({ raw }: FastifyRequest): void {
  if (raw.headers.upgrade !== undefined) raw.socket.destroySoon()
}

/** Closes the sockets after their sessions have ended. A peer that does not answer is cut off. */
function endSockets(sockets: ReadonlySet<WebSocket>): void {
  for (const socket of sockets) socket.close(1001)
  const late = setTimeout(() => {
    for (const socket of sockets) socket.terminate()
  }, CLOSING_MS)
  late.unref()
}

/**
 * Adds the route of terminals. After the upgrade, the tab is a client like a command line. A reloaded tab
 * sends the id of its terminal's session. It continues this session if the same token signs it in.
 */
export function terminalRoute(app: FastifyInstance, { users, clients }: RestServices): void {
  const open = new Set<SocketCall>()
  app.route<Asked>({
    method: 'GET',
    url: TERMINAL,
    exposeHeadRoute: false,
    handler: ({ user, params }) => {
      users.visibleConnection(user, params.name)
      throw refused('invalid-request/no-websocket')
    },
    wsHandler: (socket: WebSocket, asked: FastifyRequest) => {
      const request = asked as FastifyRequest<Asked>
      const { user, params, query } = request
      if (query.session !== undefined) {
        const mayUse = users.connection(user, params.name) !== undefined && !users.onlyReads(user)
        if (!(mayUse && formerOf(open, request)?.attach(socket)))
          endWith(
            socket,
            'session-not-found',
            'this terminal has ended or belongs to another sign-in; see the session of the terminal',
          )
        return
      }
      const call = new SocketCall(socket, request)
      open.add(call)
      void call.over.then(() => open.delete(call))
      void clients.serve(call)
    },
  })
}

function formerOf(
  open: ReadonlySet<SocketCall>,
  { token, params, query }: FastifyRequest<Asked>,
): SocketCall | undefined {
  return [...open].find(
    ({ session, connection, signedIn }) =>
      session === query.session && connection === params.name && signedIn.token.id === token.id,
  )
}
