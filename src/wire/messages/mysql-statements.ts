/** A longer statement is recorded as far as this. */
const MAX_STATEMENT_BYTES = 16 * 1024
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
  #kept: Buffer[] = []
  #keptBytes = 0
  #contentBytes = 0
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
      this.#keep(content)
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

  #keep(content: Buffer): void {
    if (!this.#isCommand) return
    this.#contentBytes += content.length
    const room = content.subarray(0, MAX_STATEMENT_BYTES + 1 - this.#keptBytes)
    if (room.length === 0) return
    // A copy, since the rest of the packet need not be kept.
    this.#kept.push(Buffer.from(room))
    this.#keptBytes += room.length
  }

  #end(found: string[]): void {
    const kept = Buffer.concat(this.#kept)
    const [command, text] = [kept[0], kept.subarray(1)]
    if (text.length > 0 && (command === COM_QUERY || command === COM_STMT_PREPARE)) {
      const isCut = this.#contentBytes > MAX_STATEMENT_BYTES + 1
      const statement = text.toString('utf8')
      found.push(isCut ? `${statement}... (${this.#contentBytes - 1} bytes)` : statement)
    }
    this.#kept = []
    this.#keptBytes = 0
    this.#contentBytes = 0
  }
}
