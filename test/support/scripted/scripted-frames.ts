import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { GatewayCode } from '../../../src/wire/gateway-codes.ts'
import {
  EXEC_STREAM,
  endPacket,
  FRAMED_PACKETS,
  frameHead,
  FrameReader,
} from '../../../src/wire/framed-packets.ts'
import type { Packet } from '../../../src/wire/packet.ts'

/**
 * The streams of our own gateway beside its REST interface, which do nothing by themselves: a test sends packets and
 * looks at what comes.
 */
export class ScriptedFrames implements AsyncDisposable {
  readonly received: Packet[] = []
  /** The headers of each stream, and the URL. */
  readonly metadata: Record<string, string>[] = []
  /** Answers keepalives, as the gateway does. */
  isSilent = false
  onPacket: (packet: Packet) => void = () => undefined
  onStream: () => void = () => undefined
  /** Emits `cancelled` when the client has gone. */
  stream: EventEmitter | undefined
  readonly #server: Server
  #socket: Socket | undefined

  static async start(): Promise<ScriptedFrames> {
    const server = createServer((_, response) =>
      response.writeHead(404).end('{"message":"no such endpoint"}'),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ScriptedFrames(server)
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('upgrade', (request: IncomingMessage, socket: Socket) => this.#connected(request, socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  send(type: string, spec: Record<string, Buffer | string>, payload: Uint8Array | string = ''): void {
    const bytes = Object.fromEntries(Object.entries(spec).map(([key, value]) => [key, Buffer.from(value)]))
    this.#write({ type, spec: bytes, payload: Buffer.from(payload) })
  }

  fail(code: GatewayCode, details: string): void {
    this.#write(endPacket(code, details))
    this.#socket?.end()
  }

  /** Bytes that are no frames. */
  sendRaw(bytes: Buffer): void {
    this.#socket?.write(bytes)
  }

  /** Ends the connection without a word. */
  breakOff(): void {
    this.#socket?.destroy()
  }

  reset(): void {
    this.#socket?.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.destroy()
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  #write(packet: Packet): void {
    this.#socket?.write(Buffer.concat([frameHead(packet), packet.payload]))
  }

  #connected({ url = '', headers }: IncomingMessage, socket: Socket): void {
    if (url !== EXEC_STREAM || headers.upgrade !== FRAMED_PACKETS) return void socket.destroy()
    const stream = new EventEmitter()
    const reader = new FrameReader()
    this.#socket = socket
    this.stream = stream
    this.metadata.push(
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    )
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${FRAMED_PACKETS}\r\n\r\n`,
    )
    socket.on('error', () => undefined)
    socket.on('close', () => stream.emit('cancelled'))
    socket.on('end', () => socket.destroy())
    socket.on('data', (piece: Buffer) => {
      for (const packet of reader.push(piece)) this.#take(packet)
    })
    this.onStream()
  }

  #take(packet: Packet): void {
    this.received.push(packet)
    if (packet.type === 'GatewayKeepAlive' && !this.isSilent) this.#write(packet)
    this.onPacket(packet)
  }
}
