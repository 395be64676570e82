import { lookup } from 'node:dns/promises'
import type { Socket } from 'node:net'
import { hostOf, portOf } from './address.ts'
import { type Destination, explainTls, secure, secureContext, type TlsOptions } from './tls.ts'
import { type Proxy, tunnel, TunnelError } from '../basics/net/proxy.ts'

/** Options for `net.connect`. The signal destroys the socket at any time. */
interface DialAddress {
  readonly host: string
  readonly port: number
  readonly signal: AbortSignal
}

type Stage = 'looking up its name' | 'connecting' | 'asking the proxy' | 'in the TLS handshake' | 'connected'

/**
 * Connects to the gateway: name lookup, TCP, proxy, TLS. The dial can end its sockets from the start, because
 * a socket that hangs would keep the process alive, and a TLS handshake without an answer hangs for ever.
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
    // Without TLS, the proxy could read the agent's key or the user's token.
    this.#proxy = destination.tls === undefined ? undefined : proxy
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

  /** Counts bytes from the gateway or a proxy. Any byte is a sign of life. */
  get bytesReceived(): number {
    return this.#socket?.bytesRead ?? 0
  }

  /** The reason why the gateway cannot be reached. Set if the dial knows more than the error says. */
  get failure(): string | undefined {
    return this.#failure
  }

  /**
   * Looks up the next server. With a proxy, this is the proxy, because the proxy itself looks up the gateway.
   */
  async addresses(): Promise<DialAddress[]> {
    const next = this.#proxy?.address ?? this.#destination.address
    const host = hostOf(next)
    try {
      const found = await lookup(host, { all: true })
      this.#stage = 'connecting'
      return found.map(({ address }) => dialAddress(address, portOf(next), this.#life.signal))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw this.#fail(`the name ${host} cannot be looked up (${String(code)})`)
    }
  }

  /** Takes a connected socket through the proxy and the TLS handshake. */
  async lead(socket: Socket): Promise<Socket> {
    this.#socket = socket
    // The socket's user notices the end by `close`. Without a listener, an error would end the process.
    socket.on('error', () => undefined)
    if (this.#proxy !== undefined) await this.#tunnel(socket, this.#proxy)
    const { tls } = this.#destination
    const led = tls === undefined ? socket : await this.#secure(socket, tls)
    this.#stage = 'connected'
    return led
  }

  abort(): void {
    this.#life.abort()
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
      // With TLS 1.3, the gateway checks the client's certificate only after our handshake. A refusal arrives
      // as this error.
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

/**
 * Reading `signal` throws if the signal is aborted. Without this, Node would still connect the socket, and
 * then lose track of it.
 */
function dialAddress(host: string, port: number, signal: AbortSignal): DialAddress {
  return {
    host,
    port,
    get signal() {
      signal.throwIfAborted()
      return signal
    },
  }
}

function handshakeFailure(error: NodeJS.ErrnoException, address: string, options: TlsOptions): string {
  const text = explainTls(error, address, options)
  if (text !== undefined) return text
  return error.code === 'ECONNRESET'
    ? `${address} ended the connection in the TLS handshake: is this the gateway's TLS port?`
    : `TLS with ${address} failed: ${error.message}`
}
