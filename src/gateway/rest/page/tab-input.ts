import type { WebSocket } from '@fastify/websocket'
import * as v from 'valibot'
import { encodeClientMessage } from '../../../wire/messages/from-client.ts'
import type { Packet } from '../../../wire/packet.ts'
import { StreamRefused } from '../../clients/client.ts'
import type { TabOutput } from './tab-output.ts'
import { Wakeup } from '../../../basics/wakeup.ts'

/** Approximate memory of a packet besides its bytes. */
const PACKET_OVERHEAD_BYTES = 64
/** Makes an agent start a terminal. The agent drops this byte (protocol.md 0.5). */
const FIRST_KEY = encodeClientMessage({ kind: 'input', data: Buffer.of(0x0a) })
/** Bytes that the agent has not read yet. Above this limit, the browser has to wait. */
const MAX_UNREAD_BYTES = 64 * 1024

const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffff))
const ResizeShape = v.object({ type: v.literal('resize'), rows: size, cols: size })
const TakenShape = v.object({
  type: v.literal('taken'),
  bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
})
const TextShape = v.variant('type', [ResizeShape, TakenShape])
type Text = v.InferOutput<typeof TextShape>
type WindowSize = Pick<v.InferOutput<typeof ResizeShape>, 'rows' | 'cols'>
const NO_FRAME =
  'a frame of text must be {"type":"resize","rows":ROWS,"cols":COLUMNS} or {"type":"taken","bytes":BYTES}; keys are binary frames'
const NOT_SENT = 'the tab reports more drawn bytes than were sent'

/**
 * Turns the frames of a tab into the packets that a command line would send. The socket is paused while too
 * many packets are unread.
 */
export class TabInput {
  readonly #output: Pick<TabOutput, 'take'>
  readonly #packets: Packet[] = []
  #socket: WebSocket | undefined
  #bytes = 0
  #isStarted = false
  #isRedrawDue = false
  #fault: StreamRefused | undefined
  readonly #wakeup = new Wakeup()

  constructor(output: Pick<TabOutput, 'take'>) {
    this.#output = output
  }

  /**
   * Replaces the former socket.
   * @param isRedrawDue whether the program has to redraw its screen when the size of the window is known
   */
  listen(socket: WebSocket, isRedrawDue: boolean): void {
    this.#socket = socket
    this.#isRedrawDue = isRedrawDue
    socket.on('message', (data, isBinary) => {
      if (socket === this.#socket) this.#receive(bytesOf(data), isBinary)
    })
    this.#count(0)
  }

  /** @throws StreamRefused for a frame that the page never sends */
  take(): Packet | undefined {
    const packet = this.#packets.shift()
    if (packet !== undefined) this.#count(-costOf(packet))
    else if (this.#fault !== undefined) throw this.#fault
    return packet
  }

  /** Settles when there may be a new packet, or after a call of `wake`. */
  changed(): Promise<void> {
    return this.#wakeup.woken()
  }

  wake(): void {
    this.#wakeup.wake()
  }

  /** Frames after a fault are dropped. */
  #receive(bytes: Buffer, isKeys: boolean): void {
    if (this.#fault !== undefined) return
    if (isKeys) this.#keep(encodeClientMessage({ kind: 'input', data: bytes }), isKeys)
    else this.#hear(textIn(bytes))
    this.#wakeup.wake()
  }

  #hear(text: Text | undefined): void {
    if (text === undefined) this.#fault = new StreamRefused('invalid-request', NO_FRAME)
    else if (text.type === 'resize') this.#resize(text)
    else if (!this.#output.take(text.bytes)) this.#fault = new StreamRefused('invalid-request', NOT_SENT)
  }

  /**
   * Tells the agent the size of the window. Programs redraw only when the size changes. If a redraw is due, a
   * smaller size is therefore sent first.
   */
  #resize({ rows, cols }: WindowSize): void {
    const sizes = this.#isRedrawDue && rows > 1 ? [rows - 1, rows] : [rows]
    this.#isRedrawDue = false
    for (const one of sizes) this.#keep(encodeClientMessage({ kind: 'resize', rows: one, cols }), false)
  }

  /**
   * Adds the first key. If the size was received before the user's first key, the size comes first, so that
   * the terminal gets it.
   */
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
    if (this.#bytes > MAX_UNREAD_BYTES) this.#socket?.pause()
    else if (this.#socket?.isPaused === true) this.#socket.resume()
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
  return payload.length + PACKET_OVERHEAD_BYTES
}

/** Accepts each form that `ws` may give. */
function bytesOf(data: Buffer | ArrayBuffer | readonly Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.concat(data)
}
