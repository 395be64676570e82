import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

/** An HTTP proxy that carries every CONNECT to one port of this machine, whatever name was asked for. */
export class ConnectProxy implements AsyncDisposable {
  /** What it was asked for, `host:port`. */
  readonly targets: string[] = []
  /** The Proxy-Authorization of each. */
  readonly credentials: (string | undefined)[] = []
  /** An answer other than 200, or `silence`. */
  refusal: string | undefined
  readonly #targetPort: number
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()

  static async start(targetPort: number): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(targetPort)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  private constructor(targetPort: number) {
    this.#targetPort = targetPort
    this.#server = createServer().on('connect', (request, socket) => this.#carry(request, socket))
  }

  /** `host:port` */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How many connections there are now, of clients and to the target. */
  get open(): number {
    return this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #carry(request: IncomingMessage, client: Duplex): void {
    this.targets.push(request.url ?? '')
    this.credentials.push(request.headers['proxy-authorization'])
    this.#sockets.add(client)
    client.on('error', () => undefined).once('close', () => this.#sockets.delete(client))
    if (this.refusal === 'silence') return
    if (this.refusal !== undefined) {
      client.end(`HTTP/1.1 ${this.refusal}\r\n\r\n`)
      return
    }
    const target = connect({ host: '127.0.0.1', port: this.#targetPort })
    this.#sockets.add(target)
    target.on('error', () => client.destroy()).once('close', () => this.#sockets.delete(target))
    target.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(target).pipe(client)
    })
    client.once('close', () => target.destroy())
  }
}
