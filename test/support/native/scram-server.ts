import { createHash, createHmac, pbkdf2Sync, randomBytes, X509Certificate } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

/** How a server of the test deviates from an honest one. */
export interface ScramOptions {
  readonly password: string
  /** PEM; without them it answers `N` to the request for TLS. */
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly mechanisms?: readonly string[]
  /** What it asks for instead of SASL: 3 is the password itself, 5 an MD5 answer. */
  readonly asks?: 3 | 5
  /** Does not know the password, and says all the same that the login is done. */
  readonly lies?: 'signature' | 'skips-signature' | 'nonce' | 'repeats' | 'weakens' | 'weakens-at-once'
}

/** A PostgreSQL that does nothing but log in and say that it is ready. */
export class ScramServer implements AsyncDisposable {
  readonly #options: ScramOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** What clients have sent as SASL's first message, as MD5 answer or as password. */
  readonly seen: string[] = []
  /** What a client has bound its login to. */
  readonly bindings: string[] = []

  static async start(options: ScramOptions): Promise<ScramServer> {
    const server = new ScramServer(options)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  private constructor(options: ScramOptions) {
    this.#options = options
    this.#server = createServer((socket) => {
      this.#sockets.add(socket.on('error', () => undefined))
      this.#serve(socket).catch(() => socket.destroy())
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(plain: Socket): Promise<void> {
    let reader = new Reader(plain)
    let socket = plain
    const first = await reader.take(4, (head) => head.readUInt32BE(0))
    if (first.readUInt32BE(4) === 80_877_103) {
      const { tls } = this.#options
      plain.write(tls === undefined ? 'N' : 'S')
      if (tls !== undefined) {
        reader.stop()
        socket = new TLSSocket(plain, { isServer: true, secureContext: createSecureContext(tls) })
        this.#sockets.add(socket.on('error', () => undefined))
        reader = new Reader(socket)
      }
      await reader.take(4, (head) => head.readUInt32BE(0))
    }
    const { asks } = this.#options
    if (asks === undefined) await this.#sasl(socket, reader)
    else {
      socket.write(ask(asks, asks === 5 ? Buffer.from('salt') : Buffer.alloc(0)))
      this.seen.push((await reader.message()).toString().replace('\0', ''))
    }
    socket.write(Buffer.concat([ask(0), message('Z', Buffer.from('I'))]))
  }

  async #sasl(socket: Socket, reader: Reader): Promise<void> {
    const { password, lies, tls, mechanisms = ['SCRAM-SHA-256'] } = this.#options
    socket.write(ask(10, Buffer.from(`${mechanisms.join('\0')}\0\0`)))
    const initial = await reader.message()
    const end = initial.indexOf(0)
    const first = initial.subarray(end + 5).toString()
    this.seen.push(initial.subarray(0, end).toString(), first.slice(0, first.indexOf(',n=')))
    if (lies === 'weakens-at-once') return void socket.write(ask(5, Buffer.from('salt')))
    const bare = first.slice(first.indexOf('n=,r='))
    const salt = randomBytes(16)
    const nonce = `${lies === 'nonce' ? 'other' : bare.slice('n=,r='.length)}more`
    const serverFirst = `r=${nonce},s=${salt.toString('base64')},i=4096`
    socket.write(ask(11, Buffer.from(serverFirst)))
    if (lies === 'weakens') return void socket.write(ask(5, Buffer.from('salt')))
    if (lies === 'repeats') socket.write(ask(11, Buffer.from(serverFirst)))
    const final = (await reader.message()).toString()
    const [, bound = ''] = /^c=([^,]+)/.exec(final) ?? []
    const binding = Buffer.from(bound, 'base64').toString('latin1')
    const expected =
      tls && createHash('sha256').update(new X509Certificate(tls.cert).raw).digest().toString('latin1')
    this.bindings.push(expected !== undefined && binding.endsWith(expected) ? 'the certificate' : binding)
    const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256')
    const signed = [bare, serverFirst, final.slice(0, final.lastIndexOf(',p='))].join(',')
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash('sha256').update(clientKey).digest(), signed)
    const proof = Buffer.from(clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))).toString('base64')
    if (lies === undefined && !final.endsWith(`,p=${proof}`)) throw new Error('wrong password')
    if (lies === 'skips-signature') return
    const key = hmac(salted, lies === undefined ? 'Server Key' : 'No Key')
    socket.write(ask(12, Buffer.from(`v=${hmac(key, signed).toString('base64')}`)))
  }
}

class Reader {
  readonly #socket: Socket
  #bytes = Buffer.alloc(0)
  #wake: () => void = () => undefined
  readonly #listener = (bytes: Buffer) => {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    this.#wake()
  }

  constructor(socket: Socket) {
    this.#socket = socket.on('data', this.#listener)
  }

  stop(): void {
    this.#socket.off('data', this.#listener).pause()
  }

  async take(head: number, lengthIn: (head: Buffer) => number): Promise<Buffer> {
    while (this.#bytes.length < head || this.#bytes.length < lengthIn(this.#bytes))
      await new Promise<void>((resolve) => (this.#wake = resolve))
    const length = lengthIn(this.#bytes)
    const taken = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return taken
  }

  async message(): Promise<Buffer> {
    return (await this.take(5, (head) => 1 + head.readUInt32BE(1))).subarray(5)
  }
}

function message(type: string, content: Buffer): Buffer {
  const head = Buffer.from(`${type}....`)
  head.writeUInt32BE(content.length + 4, 1)
  return Buffer.concat([head, content])
}

function ask(kind: number, data = Buffer.alloc(0)): Buffer {
  const code = Buffer.alloc(4)
  code.writeUInt32BE(kind)
  return message('R', Buffer.concat([code, data]))
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
