import { StatementText } from './statement-text.ts'

/** Length and protocol number of a startup packet, which has no type byte. */
const STARTUP_HEAD_BYTES = 8
const HEAD_BYTES = 5
/** A FunctionCall begins with the function's oid. */
const FUNCTION_BYTES = 4
/** Encryption requests that a client can send before its startup packet. */
const ENCRYPTION_REQUESTS: ReadonlySet<number> = new Set([80_877_103, 80_877_104])
const NOTHING = Buffer.alloc(0)
/** Longer names of statements and portals are cut. Drivers use short ones. */
const MAX_NAME_BYTES = 256

const type = {
  query: 0x51, // Q
  parse: 0x50, // P
  bind: 0x42, // B
  execute: 0x45, // E
  sync: 0x53, // S
  functionCall: 0x46, // F
  copyDone: 0x63, // c
  copyFail: 0x66, // f
} as const

/** A request of a PostgreSQL client, with the parts that a record needs. */
export type PostgresRequest =
  /** Query or FunctionCall. The server's answer ends with ReadyForQuery. An empty query has an empty text. */
  | { readonly kind: 'query'; readonly text: string }
  | { readonly kind: 'parse'; readonly name: string; readonly text: string }
  | { readonly kind: 'bind'; readonly portal: string; readonly name: string }
  | { readonly kind: 'execute'; readonly portal: string }
  /** The server answers a request for `encryption` with one byte, which is not a message. */
  | { readonly kind: 'sync' | 'copy-end' | 'encryption' }

/**
 * Finds the statements of one PostgreSQL client: the texts of Query and Parse, and the oids of FunctionCall.
 * Skips values, data of COPY and the startup packet. Keeps only the beginning of one statement in memory.
 */
export class PostgresStatements {
  #isStarted = false
  /** The received part of the current message's head. */
  #head: Buffer = NOTHING
  #type = 0
  /** Missing bytes of the content. */
  #left = 0
  readonly #text = new StatementText('postgres')
  /** A prepared statement's name, which is sent before the text. A complete name ends with a zero byte. */
  #name: Buffer | undefined

  /** Returns the requests that end in these bytes. */
  push(bytes: Buffer): PostgresRequest[] {
    const found: PostgresRequest[] = []
    let at = 0
    while (at < bytes.length) {
      if (this.#left === 0) {
        at = this.#takeHead(bytes, at, found)
        if (this.#head.length > 0) break
      }
      const taken = Math.min(this.#left, bytes.length - at)
      this.#keep(bytes.subarray(at, at + taken))
      at += taken
      this.#left -= taken
      if (this.#left === 0) this.#end(found)
    }
    return found
  }

  /** Returns where the content begins. */
  #takeHead(bytes: Buffer, from: number, found: PostgresRequest[]): number {
    const size = this.#isStarted ? HEAD_BYTES : STARTUP_HEAD_BYTES
    const taken = bytes.subarray(from, from + size - this.#head.length)
    this.#head = this.#head.length === 0 ? taken : Buffer.concat([this.#head, taken])
    if (this.#head.length < size) {
      // A copy, because a view would keep the whole packet in memory.
      this.#head = Buffer.from(this.#head)
      return bytes.length
    }
    const length = this.#head.readUInt32BE(this.#isStarted ? 1 : 0)
    this.#type = this.#isStarted ? (this.#head[0] ?? 0) : 0
    // The agent ends the connection when a length is impossible.
    this.#left = Math.max(0, this.#isStarted ? length - 4 : length - STARTUP_HEAD_BYTES)
    this.#name = undefined
    if (!this.#isStarted) {
      const asksForEncryption = ENCRYPTION_REQUESTS.has(this.#head.readUInt32BE(4))
      if (asksForEncryption) found.push({ kind: 'encryption' })
      this.#isStarted = !asksForEncryption
    }
    this.#head = NOTHING
    return from + taken.length
  }

  #keep(content: Buffer): void {
    switch (this.#type) {
      case type.query:
      case type.functionCall:
      case type.bind:
      case type.execute:
        return this.#text.add(content)
      case type.parse:
        return this.#keepNamed(content)
    }
  }

  /** Keeps the name apart from the text, because a client's name can have any length. */
  #keepNamed(content: Buffer): void {
    if (this.#isNamed) return this.#text.add(content)
    const end = content.indexOf(0)
    const piece = content.subarray(0, end < 0 ? content.length : end + 1)
    const name = this.#name ?? NOTHING
    const kept = Buffer.concat([name, piece.subarray(0, Math.max(0, MAX_NAME_BYTES - name.length))])
    this.#name = end < 0 || kept.at(-1) === 0 ? kept : Buffer.concat([kept, Buffer.alloc(1)])
    if (end >= 0) this.#text.add(content.subarray(end + 1))
  }

  get #isNamed(): boolean {
    return this.#name?.at(-1) === 0
  }

  #end(found: PostgresRequest[]): void {
    const request = this.#request()
    if (request !== undefined) found.push(request)
    this.#text.clear()
  }

  #request(): PostgresRequest | undefined {
    switch (this.#type) {
      case type.query:
        return { kind: 'query', text: this.#said() }
      case type.parse:
        return { kind: 'parse', name: nameAt(this.#name ?? NOTHING, 0), text: this.#said() }
      case type.functionCall:
        return { kind: 'query', text: calledFunction(this.#text.kept) }
      case type.bind: {
        const { kept } = this.#text
        return { kind: 'bind', portal: nameAt(kept, 0), name: nameAt(kept, kept.indexOf(0) + 1) }
      }
      case type.execute:
        return { kind: 'execute', portal: nameAt(this.#text.kept, 0) }
      case type.sync:
        return { kind: 'sync' }
      case type.copyDone:
      case type.copyFail:
        return { kind: 'copy-end' }
      default:
        return undefined
    }
  }

  #said(): string {
    const { kept } = this.#text
    const end = kept.indexOf(0)
    const text = kept.toString('utf8', 0, end < 0 ? kept.length : end)
    return text === '' ? '' : this.#text.said(text, end >= 0)
  }
}

function nameAt(kept: Buffer, from: number): string {
  const end = kept.indexOf(0, from)
  return kept.toString('utf8', from, Math.min(end < 0 ? kept.length : end, from + MAX_NAME_BYTES))
}

/** Leaves out the arguments, because values are not recorded. */
function calledFunction(kept: Buffer): string {
  return kept.length < FUNCTION_BYTES ? '' : `(call of the function with oid ${kept.readUInt32BE(0)})`
}
