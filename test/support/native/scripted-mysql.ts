import { generateKeyPairSync, privateDecrypt, constants } from 'node:crypto'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { packet, PacketReader } from '../../../src/agent/native/mysql/login.ts'
import type { Issued } from '../network/certificates.ts'

const SALT = Buffer.from('abcdefghijklmnopqrst')
/** PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, and what the agent has to take away: COMPRESS, LOCAL_FILES. */
const CAPABILITIES = 0x200 | 0x8000 | 0x80000 | 0x20 | 0x80
const SSL = 0x800
const SSL_REQUEST_BYTES = 36
export const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0])

export interface ScriptedMysqlOptions {
  readonly plugin: string
  readonly tls?: Issued
  /** What comes after the agent's answer. Packets are numbered after the agent's last one. */
  readonly login: (talk: Talk) => Promise<void> | void
  /** What comes after the login. */
  readonly serve?: (talk: Talk) => Promise<void>
}

/** The server's end of one connection, packet by packet. */
export class Talk {
  readonly salt = SALT
  readonly #reader: PacketReader
  /** The login as it was sent, without what came before TLS. */
  login: Buffer = Buffer.alloc(0)
  #seq = 0
  readonly socket: Socket

  constructor(socket: Socket, seq: number) {
    this.socket = socket
    this.#seq = seq
    const pieces = socket.iterator() as AsyncIterator<Buffer>
    this.#reader = new PacketReader(async () => {
      const piece = await pieces.next().catch(() => undefined)
      return piece?.done === false ? piece.value : undefined
    })
  }

  /** Undefined when the agent has hung up. */
  async read(): Promise<Buffer | undefined> {
    const said = await this.#reader.read()
    if (said !== undefined) this.#seq = said.seq
    return said?.payload
  }

  say(payload: Buffer): void {
    this.#seq += 1
    this.socket.write(packet(this.#seq, payload))
  }
}

/** A MySQL server that does what a test says: plugins and faults that the one on this machine does not have. */
export class ScriptedMysql implements AsyncDisposable {
  readonly #server: Server
  readonly #options: ScriptedMysqlOptions
  readonly #sockets = new Set<Socket>()
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  /** The answers to the greeting. */
  readonly logins: Buffer[] = []
  readonly pem = this.#keys.publicKey.export({ type: 'spki', format: 'pem' }).toString()

  static async start(options: ScriptedMysqlOptions): Promise<ScriptedMysql> {
    const server = new ScriptedMysql(options)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  private constructor(options: ScriptedMysqlOptions) {
    this.#options = options
    this.#server = createServer((socket) => {
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
      this.#sockets.add(socket)
      void this.#serve(socket)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** A password that came hidden by the server's key. */
  shown(hidden: Buffer): string {
    const key = { key: this.#keys.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING }
    return String(
      Buffer.from(privateDecrypt(key, hidden).map((byte, at) => byte ^ (SALT[at % SALT.length] ?? 0))),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(socket: Socket): Promise<void> {
    const { plugin, tls, login, serve } = this.#options
    socket.write(packet(0, greeting(plugin, tls !== undefined)))
    const secure = tls === undefined ? socket : await secured(socket, tls)
    if (secure === undefined) return
    const talk = new Talk(secure, secure === socket ? 0 : 1)
    const answer = await talk.read()
    if (answer === undefined) return
    talk.login = answer
    this.logins.push(answer)
    await login(talk)
    await serve?.(talk)
  }
}

/** Undefined for a client that wants no TLS, or hangs up: the agent looks whether the port is there before a session. */
function secured(socket: Socket, { certificate: cert, key }: Issued): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    socket.once('data', (asked: Buffer) => {
      if ((asked.readUInt32LE(4) & SSL) === 0) return resolve(undefined)
      socket.pause()
      // The client has begun with TLS in the same breath.
      socket.unshift(asked.subarray(SSL_REQUEST_BYTES))
      const secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: createSecureContext({ cert, key }),
      })
      resolve(secure.on('error', () => undefined))
    })
    socket.once('close', () => resolve(undefined))
  })
}

export function greeting(plugin: string, hasTls: boolean): Buffer {
  const offered = CAPABILITIES | (hasTls ? SSL : 0)
  const numbers = Buffer.alloc(18)
  numbers.writeUInt16LE(offered & 0xffff, 0)
  numbers[2] = 45
  numbers.writeUInt16LE(2, 3)
  numbers.writeUInt16LE(offered >>> 16, 5)
  numbers[7] = SALT.length + 1
  return Buffer.concat([
    Buffer.from('\x0a8.4.0-scripted\0', 'latin1'),
    Buffer.from([7, 0, 0, 0]),
    SALT.subarray(0, 8),
    Buffer.alloc(1),
    numbers,
    SALT.subarray(8),
    Buffer.from(`\0${plugin}\0`),
  ])
}
