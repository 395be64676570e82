import { connect, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket, type ConnectionOptions } from 'node:tls'
import { onAbort } from '../../basics/abort.ts'
import { joined } from '../../basics/joined.ts'
import { type Address, formatAddress } from '../../basics/net/address.ts'
import { goDialError } from '../../basics/net/go-errors.ts'
import { resetConnection } from '../../basics/net/reset.ts'
import { delivery, type Take } from './delivery.ts'
import { NativeError } from './native-error.ts'
import { readsInto } from './reused-buffer.ts'

const DIAL_MS = 5000
/** Time without data, in milliseconds, after which the kernel probes the connection. */
const KEEPALIVE_MS = 30_000
/** Time in milliseconds to send the last bytes to a server. */
const LAST_BYTES_MS = 5000
/** If this many bytes are unread, reading pauses until the client reads. */
const MAX_UNREAD_BYTES = 64 * 1024

/** Maximum time for a login in milliseconds. Some servers wait for a directory, up to a minute. */
const LOGIN_MS = 30_000

/** The reason of `gone` if the client has reset its connection. */
export const CLIENT_RESET = new Error('the client has reset its connection')

interface DialOptions {
  readonly loginMs?: number
  /** Whether only the ends of the connection tell its peers what has arrived: one direction may end alone. */
  readonly isRaw?: boolean
}

/** A connection to a server. It reads on demand, and about MAX_UNREAD_BYTES ahead. */
export class ServerSocket implements Disposable {
  readonly #address: Address
  #socket: Socket
  readonly #loginMs: number
  readonly #isRaw: boolean
  #isResting = false
  #unread: Buffer[] = []
  #unreadBytes = 0
  #isOver = false
  #error: NativeError | undefined
  #wakeReader: () => void = () => undefined
  #wakeWriter: () => void = () => undefined
  #aborted: Disposable | undefined
  #stopListening: () => void = () => undefined

  /**
   * The socket closes when `gone` aborts.
   * @throws NativeError, with the reason in the words of hoop's agent
   */
  static async dial(address: Address, gone: AbortSignal, options: DialOptions = {}): Promise<ServerSocket> {
    const server = new ServerSocket(address, options)
    try {
      await connected(server.#socket, 'connect', gone)
    } catch (error) {
      server.#socket.destroy()
      const reason = goDialError(error as NodeJS.ErrnoException, address)
      const { host, port } = address
      throw new NativeError(
        'server',
        `failed connecting to remote host=${host}, port=${port}, reason=${reason}`,
      )
    }
    server.#listen()
    server.#aborted = onAbort(gone, () => {
      if (options.isRaw === true && gone.reason === CLIENT_RESET) resetConnection(server.#socket)
      server.#end()
    })
    return server
  }

  private constructor(address: Address, { loginMs = LOGIN_MS, isRaw = false }: DialOptions) {
    this.#address = address
    this.#loginMs = loginMs
    this.#isRaw = isRaw
    this.#socket = connect({
      ...address,
      noDelay: true,
      allowHalfOpen: isRaw,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_MS,
      onread: readsInto((bytes) => this.#received(bytes)),
    })
  }

  /** The server's certificate, in DER; undefined without TLS. */
  get certificate(): Buffer | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerCertificate().raw : undefined
  }

  /** Returns all unread bytes, at least one; undefined if the server has closed. @throws NativeError */
  async next(): Promise<Buffer | undefined> {
    while (!this.#hasNews()) await this.#woken()
    return this.#read()
  }

  /** Passes all bytes to `take` until the server has closed. Costs less than `next`. @throws NativeError */
  deliver(take: Take): Promise<void> {
    const read = () => (this.#hasNews() ? (this.#read() ?? 'over') : 'none')
    return delivery({ read, onNews: (call) => (this.#wakeReader = call) }, take)
  }

  /** Settles when there are unread bytes, or the server has closed. Reads nothing. */
  async stirred(): Promise<void> {
    if (!this.#hasNews()) await this.#woken()
  }

  /** Limits the time of a step that waits only for the server. @throws NativeError */
  async inTime<Result>(step: () => Promise<Result>): Promise<Result> {
    const ms = this.#loginMs
    const late = setTimeout(() => {
      const where = formatAddress(this.#address)
      this.#error ??= new NativeError(
        'server',
        `the server ${where} did not finish the login within ${ms / 1000} s`,
      )
      this.#end()
    }, ms)
    try {
      return await step()
    } finally {
      clearTimeout(late)
    }
  }

  /**
   * Returns a promise if the socket accepts no more. If the server has closed the connection, the bytes are
   * dropped, and `next` reports the close.
   */
  write(bytes: Buffer): Promise<void> | undefined {
    if (!this.#socket.writable || this.#socket.write(bytes)) return undefined
    return new Promise((resolve) => (this.#wakeWriter = resolve))
  }

  /** Settles when both directions have ended. @throws NativeError if the connection was lost */
  closed(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => (this.#error === undefined ? resolve() : reject(this.#error))
      if (this.#socket.closed) settle()
      else this.#socket.once('close', settle)
    })
  }

  /** Ends the direction to the server. The server may go on sending. */
  finish(): void {
    this.#socket.end()
  }

  /**
   * Begins TLS. Fails if bytes were already read in plaintext: they would count as received over TLS.
   * @throws NativeError
   */
  async startTls(options: ConnectionOptions, gone: AbortSignal): Promise<void> {
    if (this.#unreadBytes > 0) throw new NativeError('server', 'the server sent bytes before TLS had begun')
    const plain = this.#socket
    this.#stopListening()
    plain.on('error', () => undefined).pause()
    const secure = connectTls({ ...options, socket: plain })
    try {
      await connected(secure, 'secureConnect', gone)
    } catch (error) {
      this.#end()
      throw new NativeError(
        'server',
        `TLS with ${formatAddress(this.#address)} failed: ${(error as Error).message}`,
      )
    }
    this.#socket = secure.on('data', (bytes: Buffer) => this.#received(bytes))
    this.#listen()
  }

  [Symbol.dispose](): void {
    this.#aborted?.[Symbol.dispose]()
    this.#end()
  }

  #hasNews(): boolean {
    return this.#unreadBytes > 0 || this.#isOver
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => (this.#wakeReader = resolve))
  }

  #read(): Buffer | undefined {
    if (this.#unreadBytes === 0) {
      if (this.#error !== undefined) throw this.#error
      return undefined
    }
    const unread = this.#unread
    this.#unread = []
    this.#unreadBytes = 0
    if (this.#socket.isPaused() && !this.#isResting) this.#socket.resume()
    return joined(unread)
  }

  #received(bytes: Buffer): void {
    this.#unread.push(bytes)
    this.#unreadBytes += bytes.length
    if (this.#isRaw) this.#rest()
    else if (this.#unreadBytes >= MAX_UNREAD_BYTES) this.#socket.pause()
    this.#wakeReader()
  }

  /**
   * Stops reading until the next turn of the event loop. If libuv reads the last bytes and goes on reading, it
   * reports a reset that has arrived behind them as an end.
   */
  #rest(): void {
    this.#isResting = true
    this.#socket.pause()
    setImmediate(() => {
      this.#isResting = false
      if (this.#unreadBytes < MAX_UNREAD_BYTES) this.#socket.resume()
    })
  }

  #listen(): void {
    const socket = this.#socket
    const drain = () => this.#wakeWriter()
    const over = () => this.#over()
    const failed = (error: Error) => {
      // A paused TLS socket has read bytes that it has not emitted, for example the reason why the server
      // ends. They are read here. After an error of TLS itself, which does not destroy the socket, Node would
      // also emit them.
      socket.removeAllListeners('data')
      const rest = socket.read() as Buffer | null
      if (rest !== null) this.#received(rest)
      this.#error ??= this.#lost(error)
      this.#over()
    }
    socket.on('drain', drain).on('end', over).on('close', over).on('error', failed)
    this.#stopListening = () =>
      socket.off('drain', drain).off('end', over).off('close', over).off('error', failed)
  }

  /** Written bytes are still sent, for at most LAST_BYTES_MS. */
  #end(): void {
    const socket = this.#socket
    socket.destroySoon()
    setTimeout(() => socket.destroy(), LAST_BYTES_MS).unref()
    this.#over()
  }

  #lost({ code, message }: NodeJS.ErrnoException): NativeError {
    return new NativeError(
      'server',
      `the connection to ${formatAddress(this.#address)} was lost: ${code ?? message}`,
    )
  }

  #over(): void {
    this.#isOver = true
    this.#wakeReader()
    this.#wakeWriter()
  }
}

/** @throws the socket's error, or a timeout */
async function connected(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  gone: AbortSignal,
): Promise<void> {
  const failure = (code: string) => Object.assign(new Error('i/o timeout'), { code })
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => fail(failure('ETIMEDOUT')), DIAL_MS)
    const aborted = onAbort(gone, () => fail(failure('ECANCELED')))
    const settle = () => {
      clearTimeout(late)
      aborted[Symbol.dispose]()
      socket.off('error', fail).off('close', closed)
    }
    const fail = (error: Error) => {
      settle()
      // Without another listener, a later error would end the process.
      socket.on('error', () => undefined)
      reject(error)
    }
    const closed = () => fail(failure('ECONNRESET'))
    socket.once(event, () => {
      settle()
      resolve()
    })
    socket.once('error', fail)
    socket.once('close', closed)
  })
}
