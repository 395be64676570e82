import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { RpcCode } from '../../contract/statuses.ts'
import { EXEC_STREAM, FRAMED_PACKETS, endPacket, frameHead, FrameReader } from '../../wire/framed-packets.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import { DecodeError, KEEPALIVE, type Packet } from '../../wire/packet.ts'
import { type ClientCall, Outbox } from '../agents/client-call.ts'
import { addressOf } from './http-faults.ts'
import type { RestServices } from './services.ts'
import type { Upgrade } from './upgrades.ts'

/** Rough cost of a packet besides its payload. */
const PACKET_OVERHEAD_BYTES = 256
/** Payloads up to this size are written together with the head of their frame. */
const SMALL_BYTES = 16 * 1024
/** A client sends a keepalive every 15 s. Without one for so long it is gone: networks break without notice. */
const SILENCE_MS = 50_000
/** Time for a client to read why its stream has ended, while it may still send. */
const GOODBYE_MS = 10_000
/** The same when the gateway closes. */
const CLOSING_MS = 1000

/** Executions of command lines whose connections are upgraded: streams of packets as over gRPC, without gRPC. */
export function framedStreams(app: FastifyInstance, { clients, callerAddress }: RestServices): Upgrade {
  const open = new Set<FramedCall>()
  app.addHook('preClose', (done) => {
    const late = setTimeout(() => {
      for (const call of open) call.drop()
    }, CLOSING_MS)
    late.unref()
    for (const call of open) call.fail('gateway-stopped', hoopWords.gatewayShutdown)
    done()
  })
  return {
    protocol: FRAMED_PACKETS,
    isServed: (url) => url === EXEC_STREAM,
    take(request, socket, head) {
      const call = new FramedCall(request, socket, head, addressOf(callerAddress, request))
      open.add(call)
      void call.over.then(() => open.delete(call))
      void clients.serve(call)
    },
  }
}

/** An upgraded connection as the stream of a client. */
export class FramedCall implements ClientCall {
  readonly over: Promise<void>
  readonly ip: string
  readonly #headers: IncomingMessage['headers']
  readonly #socket: Socket
  readonly #outbox: Outbox<Packet>
  readonly #reader = new FrameReader()
  readonly #unread: Packet[] = []
  #fault: DecodeError | undefined
  #wake: () => void = () => undefined

  constructor(
    { headers }: IncomingMessage,
    socket: Socket,
    head: Buffer,
    ip: string,
    silenceMs = SILENCE_MS,
  ) {
    this.ip = ip
    this.#headers = headers
    this.#socket = socket
    this.#outbox = new Outbox<Packet>({
      write: (packet, taken) => this.#write(packet, taken),
      finish: () => void socket.end(),
      bytesOf: ({ payload }) => payload.length + PACKET_OVERHEAD_BYTES,
    })
    const silence = setTimeout(() => socket.destroy(), silenceMs)
    socket.on('error', () => undefined)
    // A client that ends its side has left.
    socket.once('end', () => socket.destroy())
    socket.on('data', (piece: Buffer) => {
      silence.refresh()
      this.#receive(piece)
    })
    this.over = new Promise((resolve) => {
      socket.once('close', () => {
        clearTimeout(silence)
        this.#outbox.drop()
        this.#wake()
        resolve()
      })
    })
    socket.setNoDelay(true)
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${FRAMED_PACKETS}\r\n\r\n`,
    )
    if (head.length > 0) socket.unshift(head)
    // Until the client is known, nothing of it is read.
    socket.pause()
  }

  header(name: string): string | undefined {
    return name === 'verb' ? 'exec' : this.#headers[name]?.toString()
  }

  get isOver(): boolean {
    return this.#outbox.isOver
  }

  get unsentBytes(): number {
    return this.#outbox.unsentBytes
  }

  send(packet: Packet): void {
    this.#outbox.send(packet)
  }

  room(bytes: number): Promise<void> {
    return this.#outbox.room(bytes)
  }

  async *packets(): AsyncGenerator<Packet, void, undefined> {
    this.#socket.resume()
    while (!this.#outbox.isOver) {
      const packet = this.#unread.shift()
      if (packet !== undefined) yield packet
      else if (this.#fault !== undefined) {
        this.fail('invalid-request', this.#fault.message)
        return
      } else {
        this.#socket.resume()
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    }
  }

  fail(code: RpcCode, details: string): void {
    if (!this.#outbox.isOpen) return
    this.#outbox.drop()
    this.#wake()
    this.#write(endPacket(code, details), () => undefined)
    this.#socket.end()
    const goodbye = setTimeout(() => this.drop(), GOODBYE_MS)
    void this.over.then(() => clearTimeout(goodbye))
    // What the client still sends is not needed, but it has to be read for the end to be seen.
    this.#socket.resume()
  }

  end(): void {
    this.#outbox.end()
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.#socket.destroy()
  }

  /** Reads on only when the packets were taken. Keepalives are answered meanwhile. */
  #receive(piece: Buffer): void {
    if (!this.#outbox.isOpen || this.#fault !== undefined) return
    try {
      for (const packet of this.#reader.push(piece)) {
        if (packet.type === KEEPALIVE.type) this.send(KEEPALIVE)
        else this.#unread.push(packet)
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#fault = error
    }
    if (this.#unread.length > 0) this.#socket.pause()
    this.#wake()
  }

  #write(packet: Packet, taken: () => void): void {
    const head = frameHead(packet)
    const { payload } = packet
    if (payload.length <= SMALL_BYTES) return void this.#socket.write(Buffer.concat([head, payload]), taken)
    this.#socket.write(head)
    this.#socket.write(payload, taken)
  }
}
