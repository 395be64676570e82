import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { resetConnection } from '../../basics/net/reset.ts'
import type { ConnectionMessage, NativeProtocolName } from '../../wire/messages/native.ts'
import { NO_PAYLOAD } from '../../wire/packet.ts'
import { farewellOf, type Farewell } from './farewell.ts'

/**
 * Bytes that a local client has not read. If there are more than `high`, the agent is asked to pause. If
 * there are more than `most`, the client is closed.
 */
const UNREAD_BYTES = { high: 1024 * 1024, most: 32 * 1024 * 1024 }
const MAX_CLIENTS = 1000
/**
 * Time in milliseconds without a byte for a client that has ended its direction. Only a write could tell whether it
 * waits for an answer or has left.
 */
const ANSWER_MS = 3_600_000
const LOOPBACK = '127.0.0.1'

interface PortOptions {
  readonly protocol: NativeProtocolName
  /** Whether the agent can end one direction of a TCP connection and go on with the other. */
  readonly halfCloses: boolean
  /** Time without a byte for a TCP client that has ended its direction. */
  readonly answerMs?: number
  /** 0 means any free port. */
  readonly port: number
  /** Settles when more messages can be sent. */
  readonly send: (message: ConnectionMessage) => Promise<void>
  /** Called when a client was refused. */
  readonly refused: (reason: string) => void
}

/** A loopback port for native clients of this user. Each client becomes a connection of the session. */
export class ClientPort implements Disposable {
  readonly #options: PortOptions
  readonly #server: Server
  readonly #clients = new Map<string, LocalClient>()
  #lastId = 0

  /** @throws the error of `listen`, such as EADDRINUSE */
  static async open(options: PortOptions): Promise<ClientPort> {
    const port = new ClientPort(options)
    await new Promise<void>((resolve, reject) => {
      port.#server.once('error', reject)
      port.#server.listen(options.port, LOOPBACK, resolve)
    })
    return port
  }

  private constructor(options: PortOptions) {
    this.#options = options
    this.#server = createServer({ noDelay: true, allowHalfOpen: options.protocol === 'tcp' }, (socket) =>
      this.#accept(socket),
    )
    this.#server.maxConnections = MAX_CLIENTS
  }

  get number(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Ignores connections that have ended. */
  receive(message: ConnectionMessage): void {
    this.#clients.get(message.connectionId)?.receive(message)
  }

  /** @param reason is sent to clients whose protocol has errors */
  close(reason: string): void {
    for (const client of this.#clients.values()) client.tell(reason)
    this[Symbol.dispose]()
  }

  [Symbol.dispose](): void {
    this.#server.close()
    for (const client of this.#clients.values()) client.cut()
  }

  #accept(socket: Socket): void {
    const stranger = strangerBehind(socket)
    if (stranger !== undefined) {
      socket.destroy()
      return this.#options.refused(stranger)
    }
    const id = String((this.#lastId += 1))
    this.#clients.set(id, new LocalClient(id, socket, this.#options))
    socket.once('close', () => this.#clients.delete(id))
  }
}

class LocalClient {
  readonly #id: string
  readonly #socket: Socket
  readonly #options: PortOptions
  readonly #farewell: Farewell | undefined
  #isPaused = false
  #isAsking = false
  #isSending = false
  #isClosedByAgent = false
  /** Whether the server sends no more bytes. */
  #isAnswered = false
  #isReset = false

  constructor(id: string, socket: Socket, options: PortOptions) {
    this.#id = id
    this.#socket = socket
    this.#options = options
    this.#farewell = farewellOf(options.protocol)
    // With these protocols the server speaks first, so the agent must connect before the client sends a byte.
    if (options.protocol !== 'postgres') void this.#data(NO_PAYLOAD, options.protocol === 'tcp')
    socket.on('data', (data: Buffer) => void this.#data(data))
    socket.on('drain', () => this.#ask(false))
    if (options.protocol === 'tcp') socket.on('end', () => this.#inputOver())
    // After an error the socket closes, and then the agent gets the close.
    socket.on('error', () => (this.#isReset = options.protocol === 'tcp'))
    // The close is sent also after the agent's own close, as hoop's command line does. Data of this port that
    // arrives late may make a connection tracker register the connection again. This packet then removes it.
    socket.once('close', () => {
      const reset = this.#isReset ? { isReset: true as const } : {}
      void options.send({ kind: 'connection-close', connectionId: id, ...reset })
    })
  }

  receive(message: ConnectionMessage): void {
    switch (message.kind) {
      case 'connection-data':
        return this.#write(message.data)
      case 'connection-close':
        this.#isClosedByAgent = true
        return message.isReset === true ? this.cut() : this.#end()
      case 'connection-end':
        this.#isAnswered = true
        return void this.#socket.end()
      case 'connection-pause':
        this.#isPaused = true
        return this.#flow()
      case 'connection-resume':
        this.#isPaused = false
        return this.#flow()
    }
  }

  tell(reason: string): void {
    const error = this.#isClosedByAgent ? undefined : this.#farewell?.error(reason)
    if (error !== undefined) this.#socket.write(error)
  }

  /**
   * Ends the connection before the server has ended it. A client of TCP alone would take the end for the end of
   * the answer, so its connection is reset.
   */
  cut(): void {
    if (this.#options.protocol === 'tcp' && !this.#isAnswered) resetConnection(this.#socket)
    else this.#end()
  }

  #end(): void {
    this.#socket.destroySoon()
  }

  /** The client sends no more bytes, and may wait for the rest of the answer. */
  #inputOver(): void {
    if (this.#isClosedByAgent || this.#isAnswered) return
    const { halfCloses, answerMs = ANSWER_MS, send } = this.#options
    if (halfCloses) {
      this.#socket.setTimeout(answerMs, () => this.cut())
      void send({ kind: 'connection-end', connectionId: this.#id })
    }
    // A client that has left does not notice the reset. A client that waits for an answer must not take the end
    // of its connection for the end of the answer.
    else this.cut()
  }

  #write(data: Buffer): void {
    this.#farewell?.fromServer(data)
    this.#socket.write(data)
    const { writableLength } = this.#socket
    // So many bytes mean that the agent ignores pauses, as hoop's agents do.
    if (writableLength > UNREAD_BYTES.most) this.#socket.destroy()
    else if (writableLength > UNREAD_BYTES.high) this.#ask(true)
  }

  #ask(isPause: boolean): void {
    if (this.#isAsking === isPause) return
    this.#isAsking = isPause
    const kind = isPause ? 'connection-pause' : 'connection-resume'
    void this.#options.send({ kind, connectionId: this.#id })
  }

  async #data(data: Buffer, isDial = false): Promise<void> {
    if (this.#isClosedByAgent) return
    this.#farewell?.fromClient(data)
    const sent = this.#options.send({
      kind: 'connection-data',
      connectionId: this.#id,
      protocol: this.#options.protocol,
      data,
      ...(isDial && { isDial: true as const }),
    })
    this.#isSending = true
    this.#flow()
    await sent
    this.#isSending = false
    this.#flow()
  }

  #flow(): void {
    if (this.#isPaused || this.#isSending) this.#socket.pause()
    else this.#socket.resume()
  }
}

/**
 * Returns why to refuse a client of another user, because clients act as this user without a password.
 * Returns undefined for this user's clients, and on systems without /proc.
 */
function strangerBehind({ remoteAddress, remotePort = 0, localPort = 0 }: Socket): string | undefined {
  const own = process.getuid?.()
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map(readProcFile)
  if (own === undefined || tables.every((table) => table === undefined)) return undefined
  // The client must use this address. On another loopback address, another user could have the same port
  // number.
  if (remoteAddress !== LOOPBACK) return `a client whose address is not ${LOOPBACK}`
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0')
  // The table has the address in the machine's byte order. The second table has a prefix before it.
  const address = '[0-9A-F]*(?:0100007F|7F000001)'
  const row = new RegExp(
    `^ *\\d+: ${address}:${hex(remotePort)} ${address}:${hex(localPort)} \\w+ \\S+ \\S+ \\S+ +(\\d+) +\\d+ +(\\d+)`,
    'm',
  )
  const uids = tables.flatMap((table) => {
    const [, uid, inode] = row.exec(table ?? '') ?? []
    // A socket that its process has closed is left out: it has no inode, and belongs to root whoever owned
    // it. Its bytes still arrive.
    return uid === undefined || inode === '0' ? [] : [uid]
  })
  if (uids.length === 0) return 'a client that disconnected before its user could be read'
  const stranger = uids.find((uid) => Number(uid) !== own)
  return stranger === undefined ? undefined : `a client of another user (uid ${stranger})`
}

function readProcFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
