import type { Socket } from 'node:net'
import { endIn, frameHead, FrameReader } from '../wire/framed-packets.ts'
import { DecodeError, KEEPALIVE, type Packet } from '../wire/packet.ts'
import { ConnectError } from './connect-error.ts'
import type { PacketLine } from './packet-line.ts'

/**
 * Milliseconds between keepalives. The gateway answers each keepalive. Two missed answers in a row end the
 * stream.
 */
const KEEPALIVE_MS = 15_000
const MISSES = 2
/** Size of one write in bytes. A large script is sent in pieces, and each sent piece is a sign of life. */
const PIECE_BYTES = 64 * 1024

type Ended = Pick<ConnectError, 'message'> & Partial<Pick<ConnectError, 'code'>>

/** A stream of packets in frames, on a connection that the gateway has upgraded. */
export class FramedStream implements PacketLine {
  readonly address: string
  readonly #socket: Socket
  readonly #bytes: AsyncIterator<Buffer, undefined>
  readonly #keepalive: NodeJS.Timeout
  readonly #reader = new FrameReader()
  #ended: Ended | undefined
  /** Why the connection broke off. Bytes that arrived before may still be unread. */
  #fault: Error | undefined
  #turn: Promise<void> = Promise.resolve()
  /** Whether the caller reads now. Otherwise answers may wait unread, so a missing answer proves nothing. */
  #isReading = false
  #hasSignOfLife = true
  #misses = 0

  constructor(socket: Socket, address: string, keepaliveMs = KEEPALIVE_MS) {
    this.address = address
    this.#socket = socket
    this.#bytes = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
    socket.setNoDelay(true)
    this.#keepalive = setInterval(() => this.#keepAlive(), keepaliveMs)
  }

  /**
   * The error is made only when it is read: its stack would take `exec` a millisecond, also after a normal
   * end.
   */
  get error(): ConnectError | undefined {
    return this.#ended && new ConnectError('lost', this.#ended.message, undefined, this.#ended.code)
  }

  async *receive(): AsyncGenerator<Packet, void, undefined> {
    try {
      for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
        for (const packet of this.#reader.push(piece)) {
          const end = endIn(packet)
          if (end !== undefined) {
            this.#end(end)
            return
          }
          yield packet
        }
      }
    } catch (error) {
      this.drop(error instanceof DecodeError ? error.message : lost(error as Error))
    } finally {
      this.drop('the gateway ended the stream')
    }
  }

  /**
   * Sends the packet after the earlier packets. Settles when the packet has left this process.
   * @throws ConnectError
   */
  async send(packet: Packet): Promise<void> {
    const sent = this.#turn.then(() => this.#write(packet))
    this.#turn = sent
    await sent
    const { error } = this
    if (error !== undefined) throw error
  }

  drop(reason: string): void {
    this.#end({ message: reason })
  }

  async #next(): Promise<Buffer | undefined> {
    this.#isReading = true
    const bytes = this.#fault === undefined ? await this.#bytes.next().catch(broken) : this.#fault
    this.#isReading = false
    this.#hasSignOfLife = true
    return bytes instanceof Error ? this.#unread(bytes) : bytes.value
  }

  /** Returns what Node's iterator leaves unread when a connection breaks off. @throws `fault` after that */
  #unread(fault: Error): Buffer {
    this.#fault = fault
    const bytes = this.#ended === undefined ? (this.#socket.read() as Buffer | null) : null
    if (bytes === null) throw fault
    return bytes
  }

  async #write(packet: Packet): Promise<void> {
    const { payload } = packet
    const first = PIECE_BYTES < payload.length ? payload.subarray(0, PIECE_BYTES) : payload
    await this.#writePiece(Buffer.concat([frameHead(packet), first]))
    for (let at = first.length; at < payload.length; at += PIECE_BYTES) {
      await this.#writePiece(payload.subarray(at, at + PIECE_BYTES))
      this.#hasSignOfLife = true
    }
  }

  #writePiece(piece: Buffer): Promise<void> {
    return new Promise((resolve) => void this.#socket.write(piece, () => resolve()))
  }

  #keepAlive(): void {
    const isSilent = this.#isReading && !this.#hasSignOfLife
    this.#misses = isSilent ? this.#misses + 1 : 0
    if (this.#misses === MISSES) return this.drop('the gateway did not answer two health checks in a row')
    void this.send(KEEPALIVE).catch(() => undefined)
    this.#hasSignOfLife = false
  }

  /** The first reason wins. */
  #end(ended: Ended): void {
    this.#ended ??= ended
    clearInterval(this.#keepalive)
    this.#socket.destroy()
  }
}

function broken(error: unknown): Error {
  return error as Error
}

function lost({ message }: Error): string {
  return `the connection broke off (${message})`
}
