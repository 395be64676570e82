import { StatementText } from './statement-text.ts'

const HEADER_BYTES = 4
/** Length of a packet whose request continues in the next packet. */
const MAX_PACKET_BYTES = 0xff_ff_ff

/** Commands that a record distinguishes. */
export const MYSQL_COMMAND = {
  quit: 0x01,
  query: 0x03,
  fieldList: 0x04,
  processInfo: 0x0a,
  prepare: 0x16,
  execute: 0x17,
  sendLongData: 0x18,
  closeStatement: 0x19,
  fetch: 0x1c,
  /** A command of MariaDB: one statement with many rows of values. */
  bulkExecute: 0xfa,
} as const

/** A request of a MySQL client, with the parts that a record needs. */
export type MysqlRequest =
  | { readonly kind: 'login'; readonly capabilities: number }
  /**
   * `text` is the text of a query or of a statement to prepare. `statement` is the number of a prepared
   * statement.
   */
  | {
      readonly kind: 'command'
      readonly command: number
      readonly text?: string
      readonly statement?: number
    }

/**
 * Finds the commands of one MySQL client, with the texts of queries and prepared statements. Skips the values
 * of prepared statements. Keeps only the beginning of one statement in memory.
 */
export class MysqlStatements {
  /**
   * The first packet with the sequence number 0 begins a command. All packets before it belong to the login.
   */
  #hasCommands = false
  #header = Buffer.alloc(0)
  /** Missing bytes of the packet. */
  #left = 0
  #goesOn = false
  /** The first bytes of a command (the command's byte and text), or of a login packet. */
  readonly #text = new StatementText('mysql')
  #isCommand = false

  /** Returns the requests that end in these bytes. */
  push(bytes: Buffer): MysqlRequest[] {
    const found: MysqlRequest[] = []
    for (let at = 0; at < bytes.length;) {
      if (this.#left === 0) {
        const taken = bytes.subarray(at, at + HEADER_BYTES - this.#header.length)
        this.#header = Buffer.concat([this.#header, taken])
        at += taken.length
        if (this.#header.length === HEADER_BYTES) this.#begin()
      }
      const content = bytes.subarray(at, at + this.#left)
      this.#text.add(content)
      at += content.length
      this.#left -= content.length
      if (this.#left === 0 && this.#header.length === 0 && !this.#goesOn) this.#end(found)
    }
    return found
  }

  #begin(): void {
    this.#left = this.#header.readUIntLE(0, 3)
    this.#hasCommands ||= this.#header[3] === 0
    if (!this.#goesOn) this.#isCommand = this.#hasCommands
    this.#goesOn = this.#left === MAX_PACKET_BYTES
    this.#header = Buffer.alloc(0)
  }

  #end(found: MysqlRequest[]): void {
    const { kept } = this.#text
    if (this.#isCommand) found.push(commandIn(kept, (from) => this.#text.said(kept.toString('utf8', from))))
    // A TLS request begins with the capabilities, as a login does, so it is read as a login. The agent
    // refuses TLS requests.
    else if (kept.length >= 4) found.push({ kind: 'login', capabilities: kept.readUInt32LE(0) })
    this.#text.clear()
  }
}

function commandIn(kept: Buffer, textFrom: (at: number) => string): MysqlRequest {
  const [command = -1] = kept
  switch (command) {
    case MYSQL_COMMAND.query:
    case MYSQL_COMMAND.prepare:
      return { kind: 'command', command, text: kept.length > 1 ? textFrom(1) : '' }
    case MYSQL_COMMAND.execute:
    case MYSQL_COMMAND.fetch:
    case MYSQL_COMMAND.bulkExecute:
      return kept.length < 5
        ? { kind: 'command', command }
        : { kind: 'command', command, statement: kept.readUInt32LE(1) }
    default:
      return { kind: 'command', command }
  }
}
