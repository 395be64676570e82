import { constants, createHash, publicEncrypt } from 'node:crypto'
import { NativeError } from '../native-error.ts'
import type { Account } from '../protocol.ts'
import type { ServerSocket } from '../server-socket.ts'
import type { ServerTls } from '../server-tls.ts'

// The opening of a connection, protocol version 10: the server greets, the client answers, and both talk
// until OK or an error. The agent logs in with the connection's user, and accepts every login of the client.

export const NATIVE_PASSWORD = 'mysql_native_password'
export const CACHING_SHA2 = 'caching_sha2_password'

const HEADER_BYTES = 4
/** Maximum length of a login in bytes. A client's attributes may have 64 KiB. All other fields are small. */
const MAX_LOGIN_BYTES = 128 * 1024
/** Maximum number of packets that a server may send before OK or an error. */
const MAX_ROUNDS = 10
const SALT_BYTES = 20
/** Reserved bytes of a login. MariaDB uses the last four, as in the greeting. */
const RESERVED_BYTES = 23
const MARIADB_BYTES = 4

const capabilities = {
  connectWithDb: 1 << 3,
  compress: 1 << 5,
  localFiles: 1 << 7,
  protocol41: 1 << 9,
  ssl: 1 << 11,
  secureConnection: 1 << 15,
  pluginAuth: 1 << 19,
  connectAttrs: 1 << 20,
  pluginAuthLenenc: 1 << 21,
  zstd: 1 << 26,
  queryAttributes: 1 << 27,
  sessionTrack: 1 << 23,
  deprecateEof: 1 << 24,
  optionalMetadata: 1 << 25,
  multiFactor: 1 << 28,
} as const

/**
 * Accepted from neither side. TLS is only between agent and server. The agent could not read compressed
 * packets. A server could ask a client for its files. Query attributes would precede the text of a query.
 */
const STRIPPED =
  capabilities.ssl |
  capabilities.compress |
  capabilities.localFiles |
  capabilities.zstd |
  capabilities.queryAttributes |
  capabilities.multiFactor

export interface Packet {
  readonly seq: number
  readonly payload: Buffer
}

/** Reads packets of a login. `rest` has the bytes after the last packet. */
export class PacketReader {
  readonly #next: () => Promise<Buffer | undefined>
  rest: Buffer = Buffer.alloc(0)

  constructor(next: () => Promise<Buffer | undefined>) {
    this.#next = next
  }

  /**
   * Returns undefined at the end.
   * @throws NativeError for a packet that is too large, or the error of `next`
   */
  async read(): Promise<Packet | undefined> {
    for (;;) {
      const { rest } = this
      const length = rest.length < HEADER_BYTES ? 0 : rest.readUIntLE(0, 3)
      if (length > MAX_LOGIN_BYTES)
        throw new NativeError('protocol', `a packet of the MySQL login is too long: ${length} bytes`)
      if (rest.length >= HEADER_BYTES + length) {
        this.rest = rest.subarray(HEADER_BYTES + length)
        return { seq: rest[3] ?? 0, payload: rest.subarray(HEADER_BYTES, HEADER_BYTES + length) }
      }
      const bytes = await this.#next()
      if (bytes === undefined) return undefined
      this.rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    }
  }
}

export function packet(seq: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUIntLE(payload.length, 0, 3)
  header[3] = seq & 0xff
  return Buffer.concat([header, payload])
}

export interface MysqlError {
  readonly code: number
  /** SQLSTATE of five characters. An error before the greeting has no SQLSTATE, so this is empty. */
  readonly state: string
  readonly message: string
}

export function errorPayload({ code, state, message }: MysqlError): Buffer {
  const head = Buffer.from([0xff, code & 0xff, code >> 8])
  return Buffer.concat([head, Buffer.from(state === '' ? message : `#${state}${message}`)])
}

export interface Greeting {
  readonly threadId: number
  readonly salt: Buffer
  readonly capabilities: number
  readonly plugin: string
  /** Sent to the client. Lacks the stripped capabilities, and names a plugin that all clients know. */
  readonly forClient: Buffer
}

/**
 * Capabilities that make results hard to read: no EOF, no columns, or changed variables after an OK. The
 * agent does not accept them on connections whose results it reads.
 */
export const HARD_TO_READ =
  capabilities.sessionTrack | capabilities.deprecateEof | capabilities.optionalMetadata

/**
 * @param hidden capabilities that are not offered to the client; if not 0, also hides MariaDB's own
 * @throws NativeError
 */
export function parseGreeting(payload: Buffer, hidden: number): Greeting {
  const versionEnd = payload.indexOf(0, 1)
  const lowAt = versionEnd + 1 + 4 + 8 + 1
  const highAt = lowAt + 2 + 1 + 2
  const secondSaltAt = highAt + 2 + 1 + 10
  if (payload[0] !== 10 || versionEnd < 0 || payload.length < secondSaltAt + 13)
    throw new NativeError('protocol', 'the server sent no greeting of a MySQL server')
  const offered = ((payload.readUInt16LE(lowAt) | (payload.readUInt16LE(highAt) << 16)) & ~hidden) >>> 0
  const saltLength = Math.max(13, (payload[highAt + 2] ?? 0) - 8)
  const pluginAt = Math.min(secondSaltAt + saltLength, payload.length)
  const pluginEnd = payload.indexOf(0, pluginAt)
  const salt = Buffer.concat([
    payload.subarray(versionEnd + 5, versionEnd + 13),
    payload.subarray(secondSaltAt, secondSaltAt + SALT_BYTES - 8),
  ])
  const forClient = Buffer.concat([payload.subarray(0, pluginAt), Buffer.from(`${NATIVE_PASSWORD}\0`)])
  if (hidden !== 0) forClient.fill(0, secondSaltAt - MARIADB_BYTES, secondSaltAt)
  const left = (offered & ~STRIPPED) >>> 0
  forClient.writeUInt16LE(left & 0xffff, lowAt)
  forClient.writeUInt16LE(left >>> 16, highAt)
  return {
    threadId: payload.readUInt32LE(versionEnd + 1),
    salt,
    capabilities: offered,
    plugin: payload.toString('latin1', pluginAt, pluginEnd < 0 ? payload.length : pluginEnd),
    forClient,
  }
}

/** A client's answer to the greeting, without its user. */
export interface LoginRequest {
  readonly capabilities: number
  readonly maxPacket: number
  readonly charset: number
  readonly mariadb: Buffer
  readonly database: string | undefined
  /** The client's attributes, together with the bytes of their length. */
  readonly attributes: Buffer | undefined
  readonly plugin: string
  /** Whether the client has sent a proof of a password, and waits for its plugin's next step. */
  readonly hasProof: boolean
}

/** @param hidden as in `parseGreeting` @throws NativeError */
export function parseLogin(payload: Buffer, hidden: number): LoginRequest {
  const fields = new Fields(payload)
  const asked = fields.uint(4)
  const maxPacket = fields.uint(4)
  const charset = fields.uint(1)
  fields.bytes(RESERVED_BYTES - MARIADB_BYTES)
  const own = fields.bytes(MARIADB_BYTES)
  const mariadb = hidden === 0 ? own : Buffer.alloc(MARIADB_BYTES)
  if ((asked & capabilities.protocol41) === 0)
    throw new NativeError('protocol', 'clients older than MySQL 4.1 are not served')
  if ((asked & capabilities.ssl) !== 0)
    throw new NativeError(
      'protocol',
      'this port does not support TLS, because gateway and agent encrypt the way to the database: connect without TLS',
    )
  fields.text()
  const proof = fields.proof(asked)
  const database = (asked & capabilities.connectWithDb) !== 0 ? fields.text() : undefined
  const plugin = (asked & capabilities.pluginAuth) !== 0 ? fields.text() : ''
  const attributes = (asked & capabilities.connectAttrs) !== 0 ? fields.counted() : undefined
  const hasProof = proof.some((byte) => byte !== 0)
  return { capabilities: asked, maxPacket, charset, mariadb, database, attributes, plugin, hasProof }
}

/** @throws NativeError at the end of the packet */
class Fields {
  readonly #payload: Buffer
  #at = 0

  constructor(payload: Buffer) {
    this.#payload = payload
  }

  bytes(length: number): Buffer {
    if (this.#at + length > this.#payload.length)
      throw new NativeError('protocol', 'the login packet of the client is truncated')
    return this.#payload.subarray(this.#at, (this.#at += length))
  }

  uint(length: 1 | 2 | 3 | 4): number {
    return this.bytes(length).readUIntLE(0, length)
  }

  /** Reads up to a NUL. Some clients leave out the NUL of the last text. */
  text(): string {
    const end = this.#payload.indexOf(0, this.#at)
    const bytes = this.bytes((end < 0 ? this.#payload.length : end) - this.#at)
    if (end >= 0) this.#at += 1
    return bytes.toString('utf8')
  }

  proof(asked: number): Buffer {
    if ((asked & capabilities.pluginAuthLenenc) !== 0) return this.bytes(this.#length())
    if ((asked & capabilities.secureConnection) !== 0) return this.bytes(this.uint(1))
    return Buffer.from(this.text())
  }

  /** Returns a length and the bytes after it. */
  counted(): Buffer {
    const from = this.#at
    this.bytes(this.#length())
    return this.#payload.subarray(from, this.#at)
  }

  #length(): number {
    const first = this.uint(1)
    if (first < 0xfb) return first
    if (first === 0xfc) return this.uint(2)
    if (first === 0xfd) return this.uint(3)
    throw new NativeError('protocol', 'the login of the client has an invalid length')
  }
}

/** A login of the agent itself, to cancel a query. */
export const OWN_LOGIN: LoginRequest = {
  capabilities: capabilities.protocol41,
  maxPacket: 1024 * 1024,
  charset: 45, // utf8mb4
  mariadb: Buffer.alloc(MARIADB_BYTES),
  database: undefined,
  attributes: undefined,
  plugin: NATIVE_PASSWORD,
  hasProof: false,
}

/**
 * Returns the content of the last packet: OK, or the server's error.
 * @throws NativeError if both sides cannot agree
 */
export async function logIn(
  server: ServerSocket,
  greeting: Greeting,
  request: LoginRequest,
  { user, password }: Account,
  { mode, options }: ServerTls,
  gone: AbortSignal,
): Promise<{ readonly answer: Buffer; readonly rest: Buffer }> {
  const hasTls = (greeting.capabilities & capabilities.ssl) !== 0 && mode !== 'disable'
  if (!hasTls && mode !== 'disable' && mode !== 'prefer')
    throw new NativeError('server', `the server offers no TLS, but SSLMODE ${mode} requires TLS`)
  const { head, tail } = loginParts(greeting, request, hasTls)
  if (hasTls) {
    await server.write(packet(1, head))
    await server.startTls(options, gone)
  }
  const first = [NATIVE_PASSWORD, CACHING_SHA2].includes(greeting.plugin) ? greeting.plugin : NATIVE_PASSWORD
  const proof = proofFor(first, { password, salt: greeting.salt, hasTls })
  const answer = [head, Buffer.from(`${user}\0`), Buffer.from([proof.length]), proof, tail(first)]
  await server.write(packet(hasTls ? 2 : 1, Buffer.concat(answer)))
  return authenticated(server, first, { password, salt: greeting.salt, hasTls })
}

/** Builds the client's answer without user and proof. */
function loginParts(greeting: Greeting, request: LoginRequest, hasTls: boolean) {
  const { database, attributes } = request
  const both = request.capabilities & greeting.capabilities & ~STRIPPED
  const given =
    both & ~(capabilities.connectWithDb | capabilities.connectAttrs | capabilities.pluginAuthLenenc)
  const isSaid = (bit: number) => (greeting.capabilities & bit) !== 0
  const saysAttributes = attributes !== undefined && isSaid(capabilities.connectAttrs)
  const agreed =
    given |
    capabilities.protocol41 |
    capabilities.secureConnection |
    (isSaid(capabilities.pluginAuth) ? capabilities.pluginAuth : 0) |
    (database === undefined ? 0 : capabilities.connectWithDb) |
    (saysAttributes ? capabilities.connectAttrs : 0) |
    (hasTls ? capabilities.ssl : 0)
  const head = Buffer.alloc(32)
  head.writeUInt32LE(agreed >>> 0, 0)
  head.writeUInt32LE(request.maxPacket, 4)
  head[8] = request.charset
  request.mariadb.copy(head, 28)
  const tail = (plugin: string) =>
    Buffer.concat([
      Buffer.from(database === undefined ? '' : `${database}\0`),
      Buffer.from(isSaid(capabilities.pluginAuth) ? `${plugin}\0` : ''),
      saysAttributes ? attributes : Buffer.alloc(0),
    ])
  return { head, tail }
}

interface Secret {
  readonly password: string
  readonly salt: Buffer
  readonly hasTls: boolean
}

async function authenticated(server: ServerSocket, first: string, secret: Secret) {
  const reader = new PacketReader(() => server.next())
  let [plugin, { salt }] = [first, secret]
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const said = await reader.read()
    if (said === undefined) throw new NativeError('server', 'the server hung up during the login')
    const { seq, payload } = said
    const [kind] = payload
    if (kind === 0x00 || kind === 0xff) return { answer: payload, rest: reader.rest }
    let reply: Buffer | undefined
    if (kind === 0xfe) {
      ;[plugin, salt] = parseSwitch(payload)
      reply = proofFor(plugin, { ...secret, salt })
    } else if (kind === 0x01 && plugin === CACHING_SHA2)
      reply = cachingSha2(payload.subarray(1), { ...secret, salt })
    else throw new NativeError('server', 'the server sent an unknown request during the login')
    if (reply !== undefined) await server.write(packet(seq + 1, reply))
  }
  throw new NativeError('server', 'the server did not finish the login')
}

function parseSwitch(payload: Buffer): [plugin: string, salt: Buffer] {
  const end = payload.indexOf(0, 1)
  if (end < 0)
    throw new NativeError(
      'server',
      'the server asks for the login of MySQL before 4.1, which is unsafe and not supported',
    )
  return [payload.toString('latin1', 1, end), payload.subarray(end + 1, end + 1 + SALT_BYTES)]
}

/** Returns the next step of caching_sha2_password; undefined if the server's OK follows. */
function cachingSha2(data: Buffer, { password, salt, hasTls }: Secret): Buffer | undefined {
  const [step] = data
  if (data.length === 1 && step === 3) return undefined
  const clear = Buffer.from(`${password}\0`)
  if (data.length === 1 && step === 4) return hasTls ? clear : Buffer.from([2])
  // `data` is a public key. An attacker on the network path could replace it. Only verify-full prevents this.
  if (hasTls) throw new NativeError('server', 'the server sent a public key over TLS, where no key is needed')
  const hidden = clear.map((byte, at) => byte ^ (salt[at % salt.length] ?? 0))
  try {
    return publicEncrypt({ key: data.toString('latin1'), padding: constants.RSA_PKCS1_OAEP_PADDING }, hidden)
  } catch {
    throw new NativeError('server', 'the server sent an unusable public key for the password')
  }
}

function proofFor(plugin: string, { password, salt, hasTls }: Secret): Buffer {
  if (plugin === NATIVE_PASSWORD) return password === '' ? Buffer.alloc(0) : nativeProof(password, salt)
  if (plugin === CACHING_SHA2) return password === '' ? Buffer.alloc(0) : sha2Proof(password, salt)
  if ((plugin === 'mysql_clear_password' || plugin === 'sha256_password') && hasTls)
    return Buffer.from(`${password}\0`)
  const why = hasTls ? 'is not supported' : 'is not supported without TLS'
  throw new NativeError(
    'server',
    `the server asks for the authentication plugin ${JSON.stringify(plugin)}, which ${why}`,
  )
}

/** SHA1(password) xor SHA1(salt + SHA1(SHA1(password))) */
export function nativeProof(password: string, salt: Buffer): Buffer {
  const hash = (...parts: (Buffer | string)[]) => digest('sha1', parts)
  const one = hash(password)
  return xor(one, hash(salt, hash(one)))
}

/** SHA256(password) xor SHA256(SHA256(SHA256(password)) + salt) */
export function sha2Proof(password: string, salt: Buffer): Buffer {
  const hash = (...parts: (Buffer | string)[]) => digest('sha256', parts)
  const one = hash(password)
  return xor(one, hash(hash(hash(one)), salt))
}

function digest(algorithm: string, parts: readonly (Buffer | string)[]): Buffer {
  const hash = createHash(algorithm)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, at) => byte ^ (other[at] ?? 0)))
}
