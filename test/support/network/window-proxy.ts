import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

const HEADER_BYTES = 9
const WINDOW_UPDATE = 8

/**
 * A way to a gateway on which what one stream does not read fills the window of the whole connection: a proxy in Go's
 * net/http is one. It keeps back the gateway's updates of that window until `release`. Without TLS, on 127.0.0.1.
 */
export class WindowProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #clients = new Map<Socket, number>()
  #isHeld = true

  static async start(targetPort: number): Promise<WindowProxy> {
    const proxy = new WindowProxy(targetPort)
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    return proxy
  }

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const target = connect(targetPort, '127.0.0.1')
      this.#clients.set(client, 0)
      for (const socket of [client, target]) {
        this.#sockets.add(socket)
        socket.setNoDelay().on('error', () => undefined)
        socket.on('close', () => [client, target].forEach((one) => one.destroy()))
      }
      client.pipe(target)
      let rest: Buffer = Buffer.alloc(0)
      target.on('data', (data: Buffer) => (rest = this.#pass(Buffer.concat([rest, data]), client)))
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Gives the updates away that were kept back, and keeps none back from now on. */
  release(): void {
    this.#isHeld = false
    for (const [client, bytes] of this.#clients) if (bytes > 0) client.write(windowUpdate(bytes))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** @returns what is no whole frame yet */
  #pass(data: Buffer, client: Socket): Buffer {
    let at = 0
    while (data.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + data.readUIntBE(at, 3)
      if (end > data.length) break
      const isOfConnection = data[at + 3] === WINDOW_UPDATE && data.readUInt32BE(at + 5) === 0
      if (isOfConnection && this.#isHeld)
        this.#clients.set(client, (this.#clients.get(client) ?? 0) + data.readUInt32BE(at + HEADER_BYTES))
      else client.write(data.subarray(at, end))
      at = end
    }
    return data.subarray(at)
  }
}

function windowUpdate(bytes: number): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + 4)
  frame.writeUIntBE(4, 0, 3)
  frame[3] = WINDOW_UPDATE
  frame.writeUInt32BE(bytes, HEADER_BYTES)
  return frame
}
