import type { WebSocket } from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import * as v from 'valibot'
import type { RpcCode } from '../../../contract/statuses.ts'
import {
  decodeToClient,
  encodeClientMessage,
  type ToClientMessage,
} from '../../../wire/messages/from-client.ts'
import type { Packet } from '../../../wire/packet.ts'
import { type ClientCall, Outbox } from '../../agents/client-call.ts'
import { StreamRefused } from '../../clients/client.ts'
import type { SignedIn } from '../../identity.ts'

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

  /** Keys wait until the agent has a terminal for them. @throws StreamRefused for a frame that is none of ours */
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

/** The byte that makes an agent start a terminal. The agent drops it (protocol.md 0.5). */
const FIRST_KEY = encodeClientMessage({ kind: 'input', data: Buffer.of(0x0a) })
/** What the agent has not taken: beyond it the browser has to wait. */
const MOST_UNREAD_BYTES = 64 * 1024

const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffff))
const ResizeShape = v.object({ type: v.literal('resize'), rows: size, cols: size })
const TakenShape = v.object({
  type: v.literal('taken'),
  bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
})
const TextShape = v.variant('type', [ResizeShape, TakenShape])
type Text = v.InferOutput<typeof TextShape>
const NO_FRAME =
  'a frame of text must be {"type":"resize","rows":ROWS,"cols":COLUMNS} or {"type":"taken","bytes":BYTES}; keys are binary frames'
const NOT_SENT = 'the tab says that it has taken more bytes than it was sent'

/** What a page sends, as the packets of a command line: a few of them, then its socket is not read. */
class Inbox {
  readonly #socket: WebSocket
  readonly #untaken: Pick<Untaken, 'take'>
  readonly #packets: Packet[] = []
  #bytes = 0
  #isStarted = false
  #fault: StreamRefused | undefined
  #wake: () => void = () => undefined

  constructor(socket: WebSocket, untaken: Pick<Untaken, 'take'>) {
    this.#socket = socket
    this.#untaken = untaken
    socket.on('message', (data, isBinary) => this.#receive(bytesOf(data), isBinary))
    socket.once('close', () => this.#wake())
  }

  /** The next one, if there is one. @throws StreamRefused for a frame that is none of ours */
  take(): Packet | undefined {
    const packet = this.#packets.shift()
    if (packet !== undefined) this.#count(-costOf(packet))
    else if (this.#fault !== undefined) throw this.#fault
    return packet
  }

  /** Settles when there may be more to take, the socket is closed, or somebody calls `wake`. */
  changed(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  wake(): void {
    this.#wake()
  }

  /** What comes behind a fault is not looked at any more. */
  #receive(bytes: Buffer, isKeys: boolean): void {
    if (this.#fault !== undefined) return
    if (isKeys) this.#keep(encodeClientMessage({ kind: 'input', data: bytes }), isKeys)
    else this.#hear(textIn(bytes))
    this.#wake()
  }

  #hear(text: Text | undefined): void {
    if (text === undefined) this.#fault = new StreamRefused('invalid-request', NO_FRAME)
    else if (text.type === 'resize')
      this.#keep(encodeClientMessage({ kind: 'resize', rows: text.rows, cols: text.cols }), false)
    else if (!this.#untaken.take(text.bytes)) this.#fault = new StreamRefused('invalid-request', NOT_SENT)
  }

  /** A terminal starts with the first key, and has the size that came before it. */
  #started(packet: Packet, isKeys: boolean): readonly Packet[] {
    if (this.#isStarted) return [packet]
    this.#isStarted = true
    return isKeys ? [FIRST_KEY, packet] : [packet, FIRST_KEY]
  }

  #keep(packet: Packet, isKeys: boolean): void {
    for (const one of this.#started(packet, isKeys)) {
      this.#packets.push(one)
      this.#count(costOf(one))
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > MOST_UNREAD_BYTES) this.#socket.pause()
    else if (this.#socket.isPaused) this.#socket.resume()
  }
}

function textIn(bytes: Buffer): Text | undefined {
  try {
    const { success, output } = v.safeParse(TextShape, JSON.parse(bytes.toString('utf8')))
    return success ? output : undefined
  } catch {
    return undefined
  }
}

function costOf({ payload }: Packet): number {
  return payload.length + FRAME_OVERHEAD_BYTES
}

/** In whatever form the socket has them. */
function bytesOf(data: Buffer | ArrayBuffer | readonly Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.concat(data)
}

interface SentFrame {
  readonly bytes: number
  readonly taken: () => void
}

/** The frames that a tab was sent and its screen has not taken yet, the oldest first. */
class Untaken {
  readonly #frames: SentFrame[] = []
  /** How much of the oldest piece was taken already. */
  #begun = 0
  #bytes = 0
  #isReleased = false

  /**
   * @param taken called when all of the frame was taken
   * @returns false when nothing is waited for any more
   */
  add(bytes: number, taken: () => void): boolean {
    if (this.#isReleased) return false
    this.#frames.push({ bytes, taken })
    this.#bytes += bytes
    return true
  }

  /** From now on the screen is not waited for. */
  release(): void {
    this.#isReleased = true
    for (const { taken } of this.#frames.splice(0)) taken()
  }

  /** @returns false for more than was sent */
  take(bytes: number): boolean {
    if (this.#isReleased) return true
    if (bytes > this.#bytes) return false
    this.#bytes -= bytes
    this.#begun += bytes
    for (
      let [oldest] = this.#frames;
      oldest !== undefined && oldest.bytes <= this.#begun;
      [oldest] = this.#frames
    ) {
      this.#frames.shift()
      this.#begun -= oldest.bytes
      oldest.taken()
    }
    return true
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
