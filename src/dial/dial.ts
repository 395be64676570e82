import { lookup } from 'node:dns/promises'
import { connect, type Socket } from 'node:net'
import { hostOf, portOf } from './address.ts'
import { type Destination, explainTls, secure, secureContext, type TlsOptions } from './tls.ts'
import { type Proxy, tunnel, TunnelError } from '../basics/net/proxy.ts'

type Stage = 'looking up its name' | 'connecting' | 'asking the proxy' | 'in the TLS handshake' | 'connected'

/**
 * Connects to the gateway: name lookup, TCP, proxy, TLS. The dial owns its sockets from the start. A socket
 * that hangs in any step would keep the process alive, and a TLS handshake without an answer hangs for ever.
 */
export class Dial {
  readonly #destination: Destination
  readonly #proxy: Proxy | undefined
  readonly #life = new AbortController()
  #stage: Stage = 'looking up its name'
  #socket: Socket | undefined
  #failure: string | undefined

  constructor(destination: Destination, proxy: Proxy | undefined) {
    this.#destination = destination
    this.#proxy = proxy
  }

  get stage(): Stage {
    return this.#stage
  }

  get address(): string {
    return this.#destination.address
  }

  get secure(): boolean {
    return this.#destination.tls !== undefined
  }

  /** Bytes received from the gateway or a proxy: any byte is a sign of life. */
  get bytesReceived(): number {
    return this.#socket?.bytesRead ?? 0
  }

  /** Why the gateway cannot be reached, when the dial knows more than the error says. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Connects. @returns a socket that leads to the gateway @throws Error with the reason */
  async connect(): Promise<Socket> {
    const next = this.#proxy?.address ?? this.#destination.address
    const hosts = await this.#lookUp(hostOf(next))
    this.#stage = 'connecting'
    const attempts = hosts.map((host) => () => this.#attempt(host, portOf(next)))
    const { socket, led } = await firstOf(attempts, (late) => late.socket.destroy())
    this.#socket = socket
    this.#stage = 'connected'
    return led
  }

  abort(): void {
    this.#life.abort()
  }

  /** Looks up the proxy, if there is one: it looks up the gateway. */
  async #lookUp(host: string): Promise<string[]> {
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw this.#fail(`the name ${host} cannot be looked up (${String(code)})`)
    }
  }

  async #attempt(host: string, port: number): Promise<{ socket: Socket; led: Socket }> {
    const { signal } = this.#life
    // Node would still connect the socket, and then lose it.
    signal.throwIfAborted()
    const socket = connect({ host, port, signal, noDelay: true })
    try {
      await connected(socket)
      return { socket, led: await this.#lead(socket) }
    } catch (error) {
      socket.destroy()
      throw error
    }
  }

  /** Turns a connected socket into a socket that leads to the gateway, through the proxy and with TLS. */
  async #lead(socket: Socket): Promise<Socket> {
    // The user of the socket learns of its end from `close`. An error without a listener would end the
    // process.
    socket.on('error', () => undefined)
    if (this.#proxy !== undefined) await this.#tunnel(socket, this.#proxy)
    const { tls } = this.#destination
    return tls === undefined ? socket : this.#secure(socket, tls)
  }

  async #tunnel(socket: Socket, proxy: Proxy): Promise<void> {
    this.#stage = 'asking the proxy'
    try {
      await tunnel(socket, this.#destination.address, proxy)
    } catch (error) {
      throw error instanceof TunnelError ? this.#fail(error.message) : error
    }
  }

  async #secure(socket: Socket, options: TlsOptions): Promise<Socket> {
    this.#stage = 'in the TLS handshake'
    const { address } = this.#destination
    try {
      const secured = await secure(socket, address, options, secureContext(options))
      // With TLS 1.3 the gateway sees the client's certificate, or its absence, only after our handshake.
      secured.on('error', (error: Error) => (this.#failure ??= explainTls(error, address, options)))
      return secured
    } catch (error) {
      throw this.#fail(handshakeFailure(error as NodeJS.ErrnoException, address, options))
    }
  }

  #fail(message: string): Error {
    this.#failure ??= message
    return new Error(message)
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
    socket.once('close', () => reject(new Error('Socket closed')))
  })
}

/** Time after which the next address is tried as well, as in RFC 8305. */
const NEXT_MS = 250

/**
 * Makes attempts in turn: the next one when the one before has failed, or takes long.
 * @param drop called with what comes after the first success
 * @throws the last error when all have failed
 */
function firstOf<Result>(
  attempts: readonly (() => Promise<Result>)[],
  drop: (late: Result) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    let started = 0
    let failed = 0
    let isDone = false
    let timer: NodeJS.Timeout | undefined
    const startNext = (): void => {
      clearTimeout(timer)
      const attempt = attempts[started]
      if (isDone || attempt === undefined) return
      started += 1
      if (started < attempts.length) timer = setTimeout(startNext, NEXT_MS)
      attempt().then(succeeded, failedWith)
    }
    const succeeded = (result: Result): void => {
      if (isDone) return drop(result)
      isDone = true
      clearTimeout(timer)
      resolve(result)
    }
    const failedWith = (error: Error): void => {
      failed += 1
      if (failed === attempts.length) reject(error)
      else startNext()
    }
    startNext()
  })
}

function handshakeFailure(error: NodeJS.ErrnoException, address: string, options: TlsOptions): string {
  const text = explainTls(error, address, options)
  if (text !== undefined) return text
  return error.code === 'ECONNRESET'
    ? `${address} ended the connection in the TLS handshake: is this the gateway's TLS port?`
    : `TLS with ${address} failed: ${error.message}`
}
