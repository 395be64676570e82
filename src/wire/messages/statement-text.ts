import { hidePasswords, type SqlDialect } from './hidden-passwords.ts'

/** Maximum recorded length of a statement; the rest is cut off. */
const MAX_STATEMENT_BYTES = 16 * 1024
/** More pieces are joined: a buffer takes far more memory than a byte, and a client may send byte by byte. */
const MAX_PIECES = 64

/** Returns the kept part of a cut statement and the note behind it. Returns undefined for a whole statement. */
export function cutStatement(text: string): { readonly kept: string; readonly note: string } | undefined {
  const [note, bytes] = /\.\.\. \((\d{1,16}) bytes\)$/.exec(text) ?? []
  if (note === undefined || Number(bytes) <= MAX_STATEMENT_BYTES) return undefined
  return { kept: text.slice(0, -note.length), note }
}

export class StatementText {
  readonly #dialect: SqlDialect
  #pieces: Buffer[] = []
  #keptBytes = 0
  #bytes = 0

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect
  }

  add(content: Buffer): void {
    this.#bytes += content.length
    const room = content.subarray(0, MAX_STATEMENT_BYTES - this.#keptBytes)
    if (room.length === 0) return
    // A copy, because a view would keep the whole packet in memory.
    this.#pieces.push(Buffer.from(room))
    this.#keptBytes += room.length
    if (this.#pieces.length > MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  get kept(): Buffer {
    return Buffer.concat(this.#pieces)
  }

  /** Passwords in the text are replaced. A cut text ends with the statement's number of bytes. */
  said(text: string, isWhole = this.#bytes <= MAX_STATEMENT_BYTES): string {
    const shown = hidePasswords(text, this.#dialect, !isWhole)
    return isWhole ? shown : `${shown}... (${this.#bytes} bytes)`
  }

  clear(): void {
    this.#pieces = []
    this.#keptBytes = 0
    this.#bytes = 0
  }
}
