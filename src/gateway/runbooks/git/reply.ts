import { RunbookError } from '../../refusals/runbook-errors.ts'

/** Answer of `git cat-file --batch` for one name. */
export type ObjectReply =
  | { readonly kind: 'found'; readonly oid: string; readonly type: string; readonly content: Buffer }
  | { readonly kind: 'too-large'; readonly oid: string; readonly type: string; readonly size: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'ambiguous' }

/** Longest header, `<oid> <type> <size>` or `<name> missing`. Our names have at most 80 characters. */
const MAX_HEADER_BYTES = 256
const NEWLINE = 0x0a

interface Header {
  readonly oid: string
  readonly type: string
  readonly size: number
}

/**
 * Reads one reply, and keeps at most `maxBytes` of its content. After `too-large`, the caller must end the
 * child.
 */
export class ReplyReader {
  readonly #maxBytes: number
  #header: Header | undefined
  #pieces: Buffer[] = []
  #length = 0
  /** Bytes after a complete reply: the beginning of the next reply. */
  rest: Buffer = Buffer.alloc(0)

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @throws RunbookError if the format is not cat-file's */
  push(piece: Buffer): ObjectReply | undefined {
    this.#keep(piece)
    const header = this.#header ?? this.#readHeader()
    if (header === undefined || 'kind' in header) return header
    this.#header = header
    return this.#readContent(header)
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#length += piece.length
  }

  #joined(): Buffer {
    const [first, ...more] = this.#pieces
    if (first !== undefined && more.length === 0) return first
    const joined = Buffer.concat(this.#pieces)
    this.#pieces = [joined]
    return joined
  }

  #readHeader(): Header | ObjectReply | undefined {
    const bytes = this.#joined()
    const end = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(NEWLINE)
    if (end < 0 && bytes.length < MAX_HEADER_BYTES) return undefined
    const header = parseHeader(bytes.toString('latin1', 0, Math.max(end, 0)))
    this.rest = bytes.subarray(end + 1)
    if ('kind' in header) return header
    if (header.size > this.#maxBytes) return { kind: 'too-large', ...header }
    this.#pieces = [this.rest]
    this.#length = this.rest.length
    return header
  }

  #readContent(header: Header): ObjectReply | undefined {
    // A line feed follows the content.
    if (this.#length < header.size + 1) return undefined
    const bytes = this.#joined()
    const content = bytes.subarray(0, header.size)
    this.rest = bytes.subarray(header.size + 1)
    return { kind: 'found', oid: header.oid, type: header.type, content }
  }
}

function parseHeader(line: string): Header | ObjectReply {
  if (line.endsWith(' missing')) return { kind: 'missing' }
  if (line.endsWith(' ambiguous')) return { kind: 'ambiguous' }
  const [, oid, type, size] = /^([0-9a-f]{40}|[0-9a-f]{64}) ([a-z]+) (\d{1,15})$/.exec(line) ?? []
  if (oid === undefined || type === undefined || size === undefined) {
    throw new RunbookError('damaged', 'git cat-file answered in an unknown format')
  }
  return { oid, type, size: Number(size) }
}
