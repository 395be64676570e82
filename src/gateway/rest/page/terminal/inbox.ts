import type { WebSocket } from '@fastify/websocket'
import * as v from 'valibot'
import { encodeClientMessage } from '../../../../wire/messages/from-client.ts'
import type { Packet } from '../../../../wire/packet.ts'
import { Refused } from '../../../clients/refused.ts'
import type { Untaken } from './untaken.ts'

/** The byte that makes an agent start a terminal. The agent drops it (protocol.md 0.5). */
const FIRST_KEY = encodeClientMessage({ kind: 'input', data: Buffer.of(0x0a) })
/** What the agent has not taken: beyond it the browser has to wait. */
const MOST_UNREAD_BYTES = 64 * 1024
/** What a frame costs besides its bytes, roughly. */
const FRAME_OVERHEAD_BYTES = 64

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
export class Inbox {
  readonly #socket: WebSocket
  readonly #untaken: Pick<Untaken, 'take'>
  readonly #packets: Packet[] = []
  #bytes = 0
  #isStarted = false
  #fault: Refused | undefined
  #wake: () => void = () => undefined

  constructor(socket: WebSocket, untaken: Pick<Untaken, 'take'>) {
    this.#socket = socket
    this.#untaken = untaken
    socket.on('message', (data, isBinary) => this.#receive(bytesOf(data), isBinary))
    socket.once('close', () => this.#wake())
  }

  /** The next one, if there is one. @throws Refused for a frame that is none of ours */
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
    if (text === undefined) this.#fault = new Refused('invalid-request', NO_FRAME)
    else if (text.type === 'resize')
      this.#keep(encodeClientMessage({ kind: 'resize', rows: text.rows, cols: text.cols }), false)
    else if (!this.#untaken.take(text.bytes)) this.#fault = new Refused('invalid-request', NOT_SENT)
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
