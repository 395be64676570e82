import type { WebSocket } from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import type { RpcCode } from '../../../contract/statuses.ts'
import {
  decodeToClient,
  encodeClientMessage,
  type ToClientMessage,
} from '../../../wire/messages/from-client.ts'
import type { GatewayCode } from '../../../wire/gateway-codes.ts'
import type { Packet } from '../../../wire/packet.ts'
import { type ClientCall, Outbox } from '../../agents/client-call.ts'
import type { SignedIn } from '../../identity.ts'
import { TabInput } from './tab-input.ts'
import { TabOutput } from './tab-output.ts'

const OPENING = encodeClientMessage({
  kind: 'open',
  input: Buffer.alloc(0),
  clientArgs: [],
  clientEnvVars: new Map(),
  wantsTerminal: true,
})
/** What a frame costs besides its bytes, roughly. */
const FRAME_OVERHEAD_BYTES = 64
/** For the browser to take the last words and answer. */
const GOODBYE_MS = 1000
/** How long a terminal waits for its tab, which is loaded again or has lost its network. */
const AWAY_MS = 30_000
/** The orderly end, in the words of WebSockets: how the session ended is in a frame. */
const NORMAL = 1000
/** The closes of a tab that is loaded again or closed, and of one whose network is gone. */
const AWAY_CODES: readonly number[] = [1001, 1006]
/** For the former socket, when the tab has another one: a code of our own, as WebSockets leave them to applications. */
const ATTACHED_ELSEWHERE = 4000

type AskedTerminal = Pick<
  FastifyRequest<{ Params: { name: string } }>,
  'user' | 'token' | 'callerAddress' | 'params'
>

/** To the page: bytes of the terminal, or what it has to know besides them. */
type Frame = Buffer | string

/**
 * The sockets of a tab, one after the other, as the stream of a client: it asks for what command lines ask for when
 * they connect, and puts what comes back into frames. docs/rest.md describes them.
 */
export class SocketCall implements ClientCall {
  readonly over: Promise<void>
  readonly signedIn: SignedIn
  readonly ip: string
  readonly connection: string
  readonly #awayMs: number
  readonly #outbox: Outbox<Frame>
  readonly #output = new TabOutput()
  readonly #input = new TabInput(this.#output)
  #socket: WebSocket | undefined
  #seen: () => void = () => undefined
  #away: NodeJS.Timeout | undefined
  #settle: () => void = () => undefined
  /** How often the session is still to be asked for: once, and once more when it was approved. */
  #openings = 1
  /** The session waits for approval or is open, as the tab was told. */
  #state: { readonly session: string; readonly frame: string; readonly isOpen: boolean } | undefined

  /**
   * @param request by which the socket was opened, signed in
   * @param awayMs how long the terminal waits for its tab
   */
  constructor(socket: WebSocket, request: AskedTerminal, awayMs = AWAY_MS) {
    const { user, token, callerAddress, params } = request
    this.connection = params.name
    this.signedIn = { user, token }
    this.ip = callerAddress
    this.#awayMs = awayMs
    this.over = new Promise((resolve) => (this.#settle = resolve))
    this.#outbox = new Outbox<Frame>({
      write: (frame, taken) => this.#write(frame, taken),
      finish: () => (this.#socket === undefined ? this.#finish() : this.#socket.close(NORMAL)),
      bytesOf: (frame) => frame.length + FRAME_OVERHEAD_BYTES,
    })
    this.#use(socket)
  }

  /** Undefined before it has one. */
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
    return { verb: 'connect', 'connection-name': this.connection }[name]
  }

  /** Goes on with another socket, the former one's tab was loaded again. @returns false when the terminal is over */
  attach(socket: WebSocket): boolean {
    if (!this.#outbox.isOpen) return false
    const former = this.#socket
    this.#use(socket)
    former?.close(ATTACHED_ELSEWHERE)
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

  /** Keys wait until the agent has a terminal for them. @throws StreamRefused for a frame that is none of ours */
  async *packets(): AsyncGenerator<Packet, void, undefined> {
    while (!this.#outbox.isOver) {
      const packet = this.#next()
      if (packet === undefined) await this.#input.changed()
      else yield packet
    }
  }

  /** The rest and the exit code need not wait until the tab has drawn: nothing more comes. */
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

  /** A tab that was loaded again is told first how its terminal stands, and what it has shown. */
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
    if (this.#outbox.isOpen && mayComeBack) this.#away = setTimeout(() => this.#finish(), this.#awayMs)
    else this.#finish()
  }

  #finish(): void {
    clearTimeout(this.#away)
    this.#outbox.drop()
    this.#input.wake()
    this.#settle()
  }

  /** The terminal's bytes are on their way until the tab's screen has taken them: what arrives may still wait there. */
  #write(frame: Frame, taken: () => void): void {
    if (typeof frame !== 'string') return this.#output.send(frame, taken)
    if (this.#socket === undefined) return taken()
    const seen = this.#seen
    this.#socket.send(frame, () => {
      seen()
      taken()
    })
  }

  /** What a tab that is loaded again is told. */
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

/** Tells the page why its terminal is over. */
export function endWith(socket: WebSocket, code: GatewayCode, message: string): void {
  socket.send(JSON.stringify({ type: 'ended', exit_code: null, code, message }))
  socket.close(NORMAL)
  // The last words to a client that does not read are not waited for.
  const goodbye = setTimeout(() => socket.terminate(), GOODBYE_MS)
  socket.once('close', () => clearTimeout(goodbye))
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
        type: 'ended',
        exit_code: message.exitCode ?? null,
        code: null,
        message: message.message.trim(),
      })
    default:
      return undefined
  }
}

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
