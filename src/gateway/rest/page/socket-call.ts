import type { WebSocket } from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import type { RpcCode } from '../../../contract/statuses.ts'
import {
  decodeToClient,
  encodeClientMessage,
  REASON_HEADER,
  type ToClientMessage,
} from '../../../wire/messages/from-client.ts'
import type { GatewayCode } from '../../../wire/gateway-codes.ts'
import type { Packet } from '../../../wire/packet.ts'
import { type ClientCall, Outbox } from '../../agents/client-call.ts'
import type { SignedIn } from '../../identity.ts'
import { TabInput } from './tab-input.ts'
import { TabOutput } from './tab-output.ts'
import { deferred } from '../../../basics/deferred.ts'

const OPENING = encodeClientMessage({
  kind: 'open',
  input: Buffer.alloc(0),
  clientArgs: [],
  clientEnvVars: new Map(),
  wantsTerminal: true,
})
/** Approximate memory of a frame besides its bytes. */
const FRAME_OVERHEAD_BYTES = 64
/** Time for the browser to read the last frames and answer the close. */
const GOODBYE_MS = 1000
/** How long a terminal waits for its tab, which may be reloading or may have lost its network. */
const AWAY_MS = 30_000
/** WebSocket's code of an orderly close. A frame before it says how the session ended. */
const NORMAL = 1000
/** Close codes of a tab that is reloaded or closed (1001), or has lost its network (1006). */
const AWAY_CODES: readonly number[] = [1001, 1006]
/**
 * Close code for the former socket of a tab that has opened a new socket. Applications may choose codes in
 * this range.
 */
const ATTACHED_ELSEWHERE = 4000

type AskedTerminal = Pick<
  FastifyRequest<{ Params: { name: string }; Querystring: { readonly reason?: unknown } }>,
  'user' | 'token' | 'callerAddress' | 'params' | 'query'
>

/** A buffer contains bytes of the terminal. A string contains any other message. */
type Frame = Buffer | string

/**
 * The sockets that a tab opens one after the other, as the stream of one client. Like a command line, the
 * stream requests a session when it connects. docs/rest.md describes the frames.
 */
export class SocketCall implements ClientCall {
  readonly signedIn: SignedIn
  readonly ip: string
  readonly connection: string
  readonly #reason: string
  readonly #awayMs: number
  readonly #outbox: Outbox<Frame>
  readonly #output = new TabOutput()
  readonly #input = new TabInput(this.#output)
  #socket: WebSocket | undefined
  /** The socket before `#socket`. It may not have answered its close yet. */
  #former: WebSocket | undefined
  #seen: () => void = () => undefined
  #away: NodeJS.Timeout | undefined
  readonly #over = deferred()
  readonly over = this.#over.promise
  /**
   * Number of requests for the session that still have to be sent: one at first, and one more after an
   * approval.
   */
  #openings = 1
  /** Last state sent to the tab: the session waits for approval, or is open. */
  #state: { readonly session: string; readonly frame: string; readonly isOpen: boolean } | undefined

  /** @param awayMs how long the terminal waits for its tab */
  constructor(socket: WebSocket, request: AskedTerminal, awayMs = AWAY_MS) {
    const { user, token, callerAddress, params, query } = request
    this.connection = params.name
    this.#reason = typeof query.reason === 'string' ? encodeURIComponent(query.reason) : ''
    this.signedIn = { user, token }
    this.ip = callerAddress
    this.#awayMs = awayMs
    this.#outbox = new Outbox<Frame>({
      write: (frame, taken) => this.#write(frame, taken),
      finish: () => (this.#socket === undefined ? this.#finish() : this.#socket.close(NORMAL)),
      bytesOf: (frame) => frame.length + FRAME_OVERHEAD_BYTES,
    })
    this.#use(socket)
  }

  /** Undefined before the session is opened or waits for approval. */
  get session(): string | undefined {
    return this.#state?.session
  }

  get isOver(): boolean {
    return this.#outbox.isOver
  }

  get unsentBytes(): number {
    return this.#outbox.unsentBytes
  }

  header(name: string): string | undefined {
    return { verb: 'connect', 'connection-name': this.connection, [REASON_HEADER]: this.#reason }[name]
  }

  /** Continues with the new socket of a reloaded tab. @returns false when the terminal is over */
  attach(socket: WebSocket): boolean {
    if (!this.#outbox.isOpen) return false
    // Ends a former socket that does not answer. It would keep its unsent frames, and a tab may reload many
    // times.
    this.#former?.terminate()
    this.#former = this.#socket
    this.#use(socket)
    this.#former?.close(ATTACHED_ELSEWHERE)
    return true
  }

  send(packet: Packet): void {
    const message = decodeToClient(packet)
    const frame = frameOf(message)
    if (frame !== undefined) this.#outbox.send(frame)
    if (typeof frame === 'string') this.#note(message, frame)
    if (message.kind === 'approved') this.#openings += 1
    this.#input.wake()
  }

  room(bytes: number): Promise<void> {
    return this.#outbox.room(bytes)
  }

  /**
   * Yields the packets of the tab. Keys wait until the agent has a terminal for them.
   * @throws StreamRefused for a frame that the page never sends
   */
  async *packets(): AsyncGenerator<Packet, void, undefined> {
    while (!this.#outbox.isOver) {
      const packet = this.#next()
      if (packet === undefined) await this.#input.changed()
      else yield packet
    }
  }

  /**
   * Ends the stream. Nothing follows the remaining output and the exit code, so they are sent before the tab
   * has drawn the earlier output.
   */
  end(): void {
    this.#outbox.end()
    this.#output.release()
  }

  fail(code: RpcCode, message: string): void {
    if (!this.#outbox.isOpen) return
    this.#outbox.drop()
    this.#input.wake()
    if (this.#socket === undefined) this.#finish()
    else endWith(this.#socket, code, message)
  }

  /** A reloaded tab first receives the state of its terminal and the kept output. */
  #use(socket: WebSocket): void {
    clearTimeout(this.#away)
    this.#socket = socket
    this.#seen = keepAlive(socket).seen
    this.#input.listen(socket, this.#output.isCut)
    if (this.#state !== undefined) socket.send(this.#state.frame)
    this.#output.attach(socket, this.#seen)
    let isFaulty = false
    socket.once('error', () => (isFaulty = true))
    socket.once('close', (code: number) => this.#closed(socket, !isFaulty && AWAY_CODES.includes(code)))
  }

  /** @param mayComeBack false when the page has ended the terminal, or has broken the rules of WebSockets */
  #closed(socket: WebSocket, mayComeBack: boolean): void {
    if (socket !== this.#socket) return
    this.#socket = undefined
    this.#output.detach()
    // A tab that has not received the id of its session cannot continue it.
    const isAwaited = mayComeBack && this.#state !== undefined
    if (this.#outbox.isOpen && isAwaited) this.#away = setTimeout(() => this.#finish(), this.#awayMs)
    else this.#finish()
  }

  #finish(): void {
    clearTimeout(this.#away)
    this.#outbox.drop()
    this.#input.wake()
    this.#over.resolve()
  }

  /**
   * Writes a frame. Bytes count as unsent until the screen has drawn them, because bytes that have arrived
   * may still wait in the tab.
   */
  #write(frame: Frame, taken: () => void): void {
    if (typeof frame !== 'string') return this.#output.send(frame, taken)
    if (this.#socket === undefined) return taken()
    const seen = this.#seen
    this.#socket.send(frame, () => {
      seen()
      taken()
    })
  }

  /** Keeps the state for a tab that is reloaded. */
  #note(message: ToClientMessage, frame: string): void {
    if (message.kind === 'opened') this.#state = { session: message.sid, frame, isOpen: true }
    else if (message.kind === 'waiting-approval')
      this.#state = { session: message.sessionId, frame, isOpen: false }
  }

  #next(): Packet | undefined {
    if (this.#openings === 0) return this.#state?.isOpen === true ? this.#input.take() : undefined
    this.#openings -= 1
    return OPENING
  }
}

export function endWith(socket: WebSocket, code: GatewayCode, message: string): void {
  socket.send(JSON.stringify({ type: 'ended', exit_code: null, code, message }))
  socket.close(NORMAL)
  // Cuts off a client that does not read.
  const goodbye = setTimeout(() => socket.terminate(), GOODBYE_MS)
  socket.once('close', () => clearTimeout(goodbye))
}

/** Returns undefined for messages that do not concern a page. */
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
        type: 'ended',
        exit_code: message.exitCode ?? null,
        code: null,
        message: message.message.trim(),
      })
    default:
      return undefined
  }
}

/** Interval of pings. A peer that sends nothing between two pings is gone. */
const PING_MS = 30_000

/**
 * Ends a silent socket, because networks break without notice.
 * @returns `seen`; the caller calls it at other signs of life
 */
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
