import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Packet } from '../../../src/wire/packet.ts'
import type { ScriptedGateway } from '../scripted/scripted-gateway.ts'
import { found } from '../wait.ts'

/** The one message or packet that the bytes begin with; undefined when it is not whole. */
type Cut = (bytes: Buffer, isFirst: boolean) => number | undefined

export interface PortOptions {
  /** The word of the packet types: `TCP`, `PG`, `MySQL`. */
  readonly word: string
  readonly sid: string
  /** Whether connecting alone sends an empty packet, as for tcp and mysql. */
  readonly greets: boolean
  readonly cut?: Cut
}

/** Of PostgreSQL: a startup packet has no type. */
export const cutPostgres: Cut = (bytes, isFirst) => {
  const at = isFirst ? 0 : 1
  if (bytes.length < at + 4) return undefined
  const length = at + bytes.readUInt32BE(at)
  return bytes.length < length ? undefined : length
}

/** Of MySQL: each packet has its length before it. */
export const cutMysql: Cut = (bytes) =>
  bytes.length < 4 || bytes.length < 4 + bytes.readUIntLE(0, 3) ? undefined : 4 + bytes.readUIntLE(0, 3)

/**
 * A port as hoop's command line opens it, on a gateway that does what a test says: what a real client sends becomes packets,
 * one message to each, and what the agent sends goes to the client's socket.
 */
export class HoopPort implements AsyncDisposable {
  readonly #gateway: ScriptedGateway
  readonly #options: PortOptions
  readonly #server: Server
  readonly #sockets = new Map<string, Socket>()
  /** Ids of connections that the agent has closed. */
  readonly closedByAgent: string[] = []
  /** By the pid that the agent has handed out: the connection, as hoop's command line maps cancel requests. */
  readonly #pids = new Map<number, string>()
  #nextId = 1

  static async open(gateway: ScriptedGateway, options: PortOptions): Promise<HoopPort> {
    const port = new HoopPort(gateway, options)
    await new Promise<void>((resolve) => port.#server.listen(0, '127.0.0.1', resolve))
    return port
  }

  private constructor(gateway: ScriptedGateway, options: PortOptions) {
    this.#gateway = gateway
    this.#options = options
    this.#server = createServer({ noDelay: true, pauseOnConnect: false }, (socket) => this.#accept(socket))
    gateway.onPacket = (packet) => this.#receive(packet)
  }

  /** No client is connected. */
  get idle(): boolean {
    return this.#sockets.size === 0
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The agent has answered that the session is open. */
  async opened(): Promise<void> {
    await found(() => this.#gateway.of(this.#options.sid).find(({ type }) => type === 'ClientSessionOpenOK'))
  }

  hangUp(id: string): void {
    this.#send('AgentCloseTCPConnection', id, Buffer.alloc(0))
  }

  write(id: string, bytes: Uint8Array | string): void {
    this.#send(`Agent${this.#options.word}ConnectionWrite`, id, Buffer.from(bytes))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.values()) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(socket: Socket): void {
    const { word, greets, cut } = this.#options
    const id = String(this.#nextId++)
    this.#sockets.set(id, socket)
    if (greets) this.#send(`Agent${word}ConnectionWrite`, id, Buffer.alloc(0), word === 'TCP')
    let waiting = Buffer.alloc(0)
    let isFirst = true
    socket.on('data', (bytes: Buffer) => {
      if (cut === undefined) return this.write(id, bytes)
      waiting = Buffer.concat([waiting, bytes])
      for (let length = cut(waiting, isFirst); length !== undefined; length = cut(waiting, isFirst)) {
        const message = waiting.subarray(0, length)
        this.#note(message, id, isFirst)
        // After a request for TLS another startup packet follows.
        isFirst = isFirst && message.length === 8
        this.write(id, message)
        waiting = waiting.subarray(length)
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#sockets.delete(id)
      this.hangUp(id)
    })
  }

  /** A cancel request: from now on its id means the connection of the query. */
  #note(message: Buffer, id: string, isFirst: boolean): void {
    if (!isFirst || message.length !== 16 || message.readUInt32BE(4) !== 80_877_102) return
    const queries = this.#sockets.get(this.#pids.get(message.readUInt32BE(8)) ?? '')
    const own = this.#sockets.get(id)
    if (queries !== undefined) this.#sockets.set(id, queries)
    setTimeout(() => own?.destroy(), 200)
  }

  #receive({ type, spec, payload }: Packet): void {
    const id = String(spec['client.connection_id'])
    const socket = this.#sockets.get(id)
    if (type === 'ClientTCPConnectionClose') {
      this.closedByAgent.push(id)
      socket?.end()
    }
    if (type !== `Client${this.#options.word}ConnectionWrite`) return
    if (payload.length >= 13 && payload[0] === 0x4b) this.#pids.set(payload.readUInt32BE(5), id)
    socket?.write(payload)
  }

  #send(type: string, id: string, payload: Buffer, isDial = false): void {
    const spec = { 'gateway.session_id': this.#options.sid, 'client.connection_id': id }
    this.#gateway.send(type, { ...spec, ...(isDial && { 'tcp.server_connect': '' }) }, payload)
  }
}
