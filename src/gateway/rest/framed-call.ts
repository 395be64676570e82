import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { RpcCode } from '../../contract/statuses.ts'
import { EXEC_STREAM, FRAMED_PACKETS, endPacket, frameHead, FrameReader } from '../../wire/framed-packets.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import { DecodeError, KEEPALIVE, memoryOf, type Packet } from '../../wire/packet.ts'
import { type ClientCall, Outbox } from '../agents/client-call.ts'
import { addressOf } from './http-faults.ts'
import type { RestServices } from './services.ts'
import type { Upgrade } from './upgrades.ts'
import { deferred } from '../../basics/deferred.ts'
import { Wakeup } from '../../basics/wakeup.ts'

/** Payloads up to this size are written with the head of their frame. */
const SMALL_BYTES = 16 * 1024
/**
 * The socket is read while at most this many bytes of packets wait, because keepalives may follow these
 * packets.
 */
const AHEAD_BYTES = 64 * 1024
/** Networks break without notice. Clients send a keepalive every 15 s, so a silent client is gone. */
const SILENCE_MS = 50_000
/** Time for a client to read why its stream has ended. The client may still send meanwhile. */
const GOODBYE_MS = 10_000
/** Time for clients to read the end of their streams when the gateway closes. */
const CLOSING_MS = 1000

/** Serves the packets of gRPC over upgraded HTTP connections of command lines. */
export function framedStreams(app: FastifyInstance, { clients, callerAddress }: RestServices): Upgrade {
  const open = new Set<FramedCall>()
  let isClosing = false
  app.addHook('preClose', (done) => {
    isClosing = true
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
      void call.closed.then(() => open.delete(call))
      if (isClosing) call.fail('gateway-stopped', hoopWords.gatewayShutdown)
      else void clients.serve(call)
    },
  }
}

export class FramedCall implements ClientCall {
  /** Settles when the connection is closed. After a failure, this may be later than `over`. */
  readonly closed: Promise<void>
  readonly ip: string
  readonly #headers: IncomingMessage['headers']
  readonly #socket: Socket
  readonly #outbox: Outbox<Packet>
  readonly #reader = new FrameReader()
  readonly #unread: Packet[] = []
  #unreadBytes = 0
  #fault: DecodeError | undefined
  readonly #wakeup = new Wakeup()
  readonly #over = deferred()
  readonly over = this.#over.promise

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
      bytesOf: memoryOf,
    })
    const silence = setTimeout(() => socket.destroy(), silenceMs)
    socket.on('error', () => undefined)
    // A client that half-closes its connection has left.
    socket.once('end', () => socket.destroy())
    socket.on('data', (piece: Buffer) => {
      silence.refresh()
      this.#receive(piece)
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        clearTimeout(silence)
        this.#drop()
        resolve()
      })
    })
    socket.setNoDelay(true)
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${FRAMED_PACKETS}\r\n\r\n`,
    )
    if (head.length > 0) socket.unshift(head)
    // Nothing is read before `packets` is called.
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
      const packet = this.#take()
      if (packet !== undefined) yield packet
      else if (this.#fault !== undefined) {
        this.fail('invalid-request', this.#fault.message)
        return
      } else await this.#wakeup.woken()
    }
  }

  fail(code: RpcCode, details: string): void {
    if (!this.#outbox.isOpen) return
    this.#drop()
    this.#write(endPacket(code, details), () => undefined)
    this.#socket.end()
    const goodbye = setTimeout(() => this.drop(), GOODBYE_MS)
    void this.closed.then(() => clearTimeout(goodbye))
    // Reading continues, because the socket reports its end only after the client's remaining bytes are read.
    this.#socket.resume()
  }

  end(): void {
    this.#outbox.end()
    this.#socket.resume()
  }

  /** Closes the connection without a message. */
  drop(): void {
    this.#socket.destroy()
  }

  #drop(): void {
    this.#outbox.drop()
    this.#wakeup.wake()
    this.#over.resolve()
  }

  /** Returns the next waiting packet. Resumes the socket when only few bytes still wait. */
  #take(): Packet | undefined {
    const packet = this.#unread.shift()
    if (packet === undefined) return undefined
    this.#unreadBytes -= memoryOf(packet)
    if (this.#unreadBytes <= AHEAD_BYTES) this.#socket.resume()
    return packet
  }

  /**
   * Stores the packets of the piece. The socket is paused only if many bytes wait, so that keepalives are
   * noticed.
   */
  #receive(piece: Buffer): void {
    if (!this.#outbox.isOpen || this.#fault !== undefined) return
    try {
      for (const packet of this.#reader.push(piece)) {
        if (packet.type === KEEPALIVE.type) this.#answerKeepalive()
        else {
          this.#unread.push(packet)
          this.#unreadBytes += memoryOf(packet)
        }
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#fault = error
    }
    if (this.#unreadBytes > AHEAD_BYTES) this.#socket.pause()
    this.#wakeup.wake()
  }

  /**
   * Answers a keepalive, but not while much output is unsent. Such output shows the client that the gateway
   * lives, and more answers would only queue up.
   */
  #answerKeepalive(): void {
    if (this.#outbox.unsentBytes <= AHEAD_BYTES) this.send(KEEPALIVE)
  }

  #write(packet: Packet, taken: () => void): void {
    const head = frameHead(packet)
    const { payload } = packet
    if (payload.length <= SMALL_BYTES) return void this.#socket.write(Buffer.concat([head, payload]), taken)
    this.#socket.write(head)
    this.#socket.write(payload, taken)
  }
}
