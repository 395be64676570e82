import { MessageHeads } from '../../wire/messages/message-heads.ts'
import { PostgresStatements } from '../../wire/messages/postgres-statements.ts'
import type { NativeProtocolName } from '../../wire/messages/native.ts'

/**
 * Builds a protocol error that tells a native client why its connection ends. The error must be built here,
 * because nothing arrives from the server when the agent or the gateway is away.
 */
export interface Farewell {
  fromClient(bytes: Buffer): void
  fromServer(bytes: Buffer): void
  /** Returns undefined at a moment when the client would not read the packet as an error. */
  error(reason: string): Buffer | undefined
}

/** Returns undefined for a protocol without errors. */
export function farewellOf(protocol: NativeProtocolName): Farewell | undefined {
  if (protocol === 'postgres') return new PostgresFarewell()
  return protocol === 'mysql' ? new MysqlFarewell() : undefined
}

const POSTGRES_HEAD_BYTES = 5
/** connection_failure */
const CONNECTION_LOST = '08006'

class PostgresFarewell implements Farewell {
  readonly #requests = new PostgresStatements()
  readonly #answers = new MessageHeads(POSTGRES_HEAD_BYTES, (head) => {
    const length = head.readUInt32BE(1)
    // A message has no such length. `isBetween` then stays false, so that no error follows these bytes.
    return length < 4 ? Infinity : length - 4
  })
  /** Number of one-byte answers to encryption requests that the server has not sent yet. */
  #refusals = 0

  fromClient(bytes: Buffer): void {
    for (const { kind } of this.#requests.push(bytes)) if (kind === 'encryption') this.#refusals += 1
  }

  fromServer(bytes: Buffer): void {
    const refusals = Math.min(this.#refusals, bytes.length)
    this.#refusals -= refusals
    this.#answers.push(bytes.subarray(refusals))
  }

  error(reason: string): Buffer | undefined {
    if (this.#refusals > 0 || !this.#answers.isBetween) return undefined
    const fields = ['SFATAL', 'VFATAL', `C${CONNECTION_LOST}`, `M${reason}`]
    const content = Buffer.from(`${fields.map((field) => field.replaceAll('\0', '')).join('\0')}\0\0`)
    const head = Buffer.from('E....')
    head.writeUInt32BE(content.length + 4, 1)
    return Buffer.concat([head, content])
  }
}

const MYSQL_HEAD_BYTES = 4
/** ER_SERVER_SHUTDOWN with the state of a lost connection. Clients ignore CR_... numbers from a server. */
const SERVER_LOST = 1053
const STATE = '#08S01'

class MysqlFarewell implements Farewell {
  readonly #requests = new MessageHeads(MYSQL_HEAD_BYTES, (head) => head.readUIntLE(0, 3))
  readonly #answers = new MessageHeads(MYSQL_HEAD_BYTES, (head) => head.readUIntLE(0, 3))
  #hasGreeted = false
  /** Whether the client waits for an answer's first packet. The client reads an error only then. */
  #isWaiting = true

  fromClient(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#requests.push(bytes)
    this.#isWaiting = this.#requests.isBetween
  }

  fromServer(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#answers.push(bytes)
    this.#hasGreeted = true
    this.#isWaiting = false
  }

  error(reason: string): Buffer | undefined {
    if (!this.#isWaiting || !this.#answers.isBetween) return undefined
    // Before the greeting, packets have no numbers and errors have no states.
    const seq = this.#hasGreeted ? ((this.#requests.head[3] ?? 0) + 1) % 256 : 0
    const text = Buffer.from(`${this.#hasGreeted ? STATE : ''}${reason}`)
    const packet = Buffer.alloc(MYSQL_HEAD_BYTES + 3)
    packet.writeUIntLE(3 + text.length, 0, 3)
    packet[3] = seq
    packet[4] = 0xff
    packet.writeUInt16LE(SERVER_LOST, 5)
    return Buffer.concat([packet, text])
  }
}
