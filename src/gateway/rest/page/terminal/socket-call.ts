import type { FastifyRequest } from 'fastify'
import type { WebSocket } from '@fastify/websocket'
import {
  decodeToClient,
  encodeClientMessage,
  type ToClientMessage,
} from '../../../../wire/messages/from-client.ts'
import type { Packet } from '../../../../wire/packet.ts'
import { Outbox } from '../../../agents/outbox.ts'
import type { ClientCall } from '../../../agents/client-call.ts'
import type { SignedIn } from '../../../identity.ts'
import type { RpcCode } from '../../../../contract/statuses.ts'
import { Inbox } from './inbox.ts'
import { keepAlive } from './keep-alive.ts'
import { Untaken } from './untaken.ts'

const OPENING = encodeClientMessage({
  ...{ kind: 'open', input: Buffer.alloc(0), clientArgs: [], clientEnvVars: new Map(), wantsTerminal: true },
})
/** What a frame costs besides its bytes, roughly. */
const FRAME_OVERHEAD_BYTES = 64
/** For the browser to take the last words and answer. */
const GOODBYE_MS = 1000
/** The orderly end, in the words of WebSockets: how the session ended is in a frame. */
const NORMAL = 1000

type AskedTerminal = Pick<
  FastifyRequest<{ Params: { name: string } }>,
  'user' | 'token' | 'callerAddress' | 'params'
>

/** To the page: bytes of the terminal, or what it has to know besides them. */
type Frame = Buffer | string

/**
 * The socket of a page as the stream of a client: it asks for what command lines ask for when they connect, and puts
 * what comes back into frames. docs/rest.md describes them.
 */
export class SocketCall implements ClientCall {
  readonly over: Promise<void>
  readonly signedIn: SignedIn
  readonly ip: string
  readonly #socket: WebSocket
  readonly #connection: string
  readonly #outbox: Outbox<Frame>
  readonly #inbox: Inbox
  readonly #untaken = new Untaken()
  /** How often the session is still to be asked for: once, and once more when it was approved. */
  #openings = 1
  #isOpened = false

  /** @param request by which the socket was opened, signed in */
  constructor(socket: WebSocket, request: AskedTerminal) {
    const { user, token, callerAddress, params } = request
    this.#socket = socket
    this.#connection = params.name
    this.signedIn = { user, token }
    this.ip = callerAddress
    this.#inbox = new Inbox(socket, this.#untaken)
    this.#outbox = outboxOf(socket, this.#untaken)
    this.over = new Promise((resolve) =>
      socket.once('close', () => {
        this.#outbox.drop()
        this.#inbox.wake()
        resolve()
      }),
    )
  }

  get isOver(): boolean {
    return this.#outbox.isOver
  }

  get unsentBytes(): number {
    return this.#outbox.unsentBytes
  }

  header(name: string): string | undefined {
    return { verb: 'connect', 'connection-name': this.#connection }[name]
  }

  send(packet: Packet): void {
    const message = decodeToClient(packet)
    const frame = frameOf(message)
    if (frame !== undefined) this.#outbox.send(frame)
    if (message.kind === 'opened') this.#isOpened = true
    if (message.kind === 'approved') this.#openings += 1
    this.#inbox.wake()
  }

  room(bytes: number): Promise<void> {
    return this.#outbox.room(bytes)
  }

  /** Keys wait until the agent has a terminal for them. @throws Refused for a frame that is none of ours */
  async *packets(): AsyncGenerator<Packet, void, undefined> {
    while (!this.#outbox.isOver) {
      const packet = this.#next()
      if (packet === undefined) await this.#inbox.changed()
      else yield packet
    }
  }

  /** The rest and the exit code need not wait until the tab has drawn: nothing more comes. */
  end(): void {
    this.#outbox.end()
    this.#untaken.release()
  }

  fail(code: RpcCode, message: string): void {
    if (!this.#outbox.isOpen) return
    this.#outbox.drop()
    this.#inbox.wake()
    this.#socket.send(JSON.stringify({ type: 'ended', exit_code: null, code, message }))
    this.#socket.close(NORMAL)
    // The last words to a client that does not read are not waited for.
    const goodbye = setTimeout(() => this.#socket.terminate(), GOODBYE_MS)
    this.#socket.once('close', () => clearTimeout(goodbye))
  }

  #next(): Packet | undefined {
    if (this.#openings === 0) return this.#isOpened ? this.#inbox.take() : undefined
    this.#openings -= 1
    return OPENING
  }
}

/** The terminal's bytes are on their way until the tab's screen has taken them: what arrives may still wait there. */
function outboxOf(socket: WebSocket, untaken: Untaken): Outbox<Frame> {
  const { seen } = keepAlive(socket)
  return new Outbox<Frame>({
    write(frame, taken) {
      const isText = typeof frame === 'string'
      const isDrawn = !isText && untaken.add(frame.length, taken)
      socket.send(frame, { binary: !isText }, () => {
        seen()
        if (!isDrawn) taken()
      })
    },
    finish: () => socket.close(NORMAL),
    bytesOf: (frame) => frame.length + FRAME_OVERHEAD_BYTES,
  })
}

/** Undefined for what is nothing to a page. */
function frameOf(message: ToClientMessage): Frame | undefined {
  switch (message.kind) {
    case 'opened':
      return JSON.stringify({ type: 'opened', session_id: message.sid })
    case 'waiting-approval':
      return JSON.stringify({ type: 'waiting', session_id: message.sessionId, url: message.url })
    case 'approved':
      return JSON.stringify({ type: 'approved' })
    case 'stdout':
    case 'stderr':
      return message.data.length > 0 ? message.data : undefined
    case 'closed':
      return JSON.stringify({
        ...{ type: 'ended', exit_code: message.exitCode ?? null, code: null },
        message: message.message.trim(),
      })
    default:
      return undefined
  }
}
