import { StatementText } from './statement-text.ts'

const HEADER_BYTES = 4
/** A packet of this length goes on in the next one. */
const LARGEST_PACKET = 0xff_ff_ff
const COM_QUERY = 0x03
const COM_STMT_PREPARE = 0x16

/**
 * Finds the statements in what one client of MySQL sends: the texts of queries and of statements that are prepared. The
 * login and the values of prepared statements are skipped. Keeps at most one statement's beginning.
 */
export class MysqlStatements {
  /** Commands begin with the number 0; what comes before the first of them is the login. */
  #hasCommands = false
  #header = Buffer.alloc(0)
  /** Bytes of the packet that are still to come. */
  #left = 0
  #goesOn = false
  /** The command's byte and its text, as far as it is kept; empty for packets of the login. */
  readonly #text = new StatementText()
  #isCommand = false

  /** @returns the statements that these bytes end */
  push(bytes: Buffer): string[] {
    const found: string[] = []
    for (let at = 0; at < bytes.length;) {
      if (this.#left === 0) {
        const taken = bytes.subarray(at, at + HEADER_BYTES - this.#header.length)
        this.#header = Buffer.concat([this.#header, taken])
        at += taken.length
        if (this.#header.length === HEADER_BYTES) this.#begin()
      }
      const content = bytes.subarray(at, at + this.#left)
      if (this.#isCommand) this.#text.add(content)
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
    this.#goesOn = this.#left === LARGEST_PACKET
    this.#header = Buffer.alloc(0)
  }

  #end(found: string[]): void {
    const { kept } = this.#text
    const isStatement = kept[0] === COM_QUERY || kept[0] === COM_STMT_PREPARE
    if (isStatement && kept.length > 1) found.push(this.#text.said(kept.toString('utf8', 1)))
    this.#text.clear()
  }
}
