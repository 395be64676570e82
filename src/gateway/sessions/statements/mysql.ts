import { MYSQL_COMMAND, MysqlStatements, type MysqlRequest } from '../../../wire/messages/mysql-statements.ts'
import { errorTextOf, MAX_ERROR_BYTES, Measure, Statement, type ErrorText } from './running.ts'

const HEADER_BYTES = 4
/** A packet of this length continues in the next packet. */
const MAX_PACKET_BYTES = 0xff_ff_ff
/**
 * Only this many bytes of each packet except an error are read. They contain a first byte, two numbers of up to nine bytes
 * and the server's state. In a greeting they contain the capabilities.
 */
const MAX_SHOWN_BYTES = 128
const EOF_BYTES = 5
/** The first byte of an error. */
const ERROR = 0xff
/** Before the text, an error has its number, and a `#` with the SQLSTATE if the client knows protocol 4.1. */
const [ERROR_TEXT, STATE_BYTES] = [3, 6]
/** With this capability, an OK packet ends each result, and no packet marks the end of the columns. */
const DEPRECATE_EOF = 1 << 24
/** Bits of the server's state. */
const MORE_RESULTS = 0x08
const CURSOR_EXISTS = 0x40
/** Error code of a MariaDB packet that is not an error, but reports the progress of a statement. */
const PROGRESS = 0xffff

const UNANSWERED: ReadonlySet<number> = new Set([
  MYSQL_COMMAND.quit,
  MYSQL_COMMAND.sendLongData,
  MYSQL_COMMAND.closeStatement,
])
const WITH_RESULTS: ReadonlySet<number> = new Set([
  MYSQL_COMMAND.query,
  MYSQL_COMMAND.execute,
  MYSQL_COMMAND.bulkExecute,
  MYSQL_COMMAND.processInfo,
])

/** A command that the server answers. It need not be a statement. */
class MysqlStatement extends Statement {
  readonly command: number

  constructor(since: number, command: number) {
    super(since)
    this.command = command
  }
}

/** Position within an answer. */
type State = 'begin' | 'columns' | 'columns-end' | 'rows' | 'definitions' | 'fields'

/** The beginning of one packet. */
interface Shown {
  readonly bytes: Buffer
  readonly at: number
  /** Length of the whole packet. */
  readonly length: number
}

export class MysqlMeasure extends Measure<MysqlRequest, MysqlStatement, never> {
  protected readonly requests = new MysqlStatements()
  /** The received bytes of a packet whose beginning has not arrived completely. */
  #rest = Buffer.alloc(0)
  /** Bytes of the packet that still have to arrive. */
  #left = 0
  #goesOn = false
  #state: State = 'begin'
  /** True if the answer to the first command in the queue has begun. */
  #hasBegun = false
  /** Packets that still have to arrive with columns, or with definitions of a prepared statement. */
  #definitions = 0
  #serverCapabilities: number | undefined
  #clientCapabilities = 0

  protected answer(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    for (;;) {
      const passed = Math.min(this.#left, all.length - at)
      this.#left -= passed
      at += passed
      if (all.length - at < HEADER_BYTES) break
      const length = all.readUIntLE(at, 3)
      const most = all[at + HEADER_BYTES] === ERROR ? MAX_ERROR_BYTES : MAX_SHOWN_BYTES
      const shown = Math.min(length, most)
      if (all.length - at < HEADER_BYTES + shown) break
      const seq = all[at + 3] ?? 0
      at += HEADER_BYTES
      if (!this.#goesOn) this.#packet(seq, { bytes: all, at, length })
      this.#goesOn = length === MAX_PACKET_BYTES
      this.#left = length
    }
    // Copied, so that the whole packet does not stay in memory.
    this.#rest = Buffer.from(all.subarray(at))
  }

  protected ask(request: MysqlRequest, now: number): void {
    if (request.kind === 'login') this.#clientCapabilities = request.capabilities
    else if (!UNANSWERED.has(request.command))
      this.running.begin(shownText(request), new MysqlStatement(now, request.command))
  }

  #packet(seq: number, shown: Shown): void {
    this.#serverCapabilities ??= capabilitiesIn(shown)
    const { head } = this.running
    // The first packet of an answer has the number 1. Other packets before an answer belong to the login.
    if (head === undefined || (!this.#hasBegun && seq !== 1)) return
    this.#hasBegun = true
    const kind = kindOf(shown)
    if (kind === 'progress') return
    if (kind === 'error') {
      head.error = String(u16(shown, 1))
      head.errorText = errorTextIn(shown)
      return this.#end(head)
    }
    this.#follow(head, kind, shown)
  }

  #follow(head: MysqlStatement, kind: PacketKind, shown: Shown): void {
    switch (this.#state) {
      case 'begin':
        return this.#begin(head, kind, shown)
      case 'columns':
      case 'definitions':
        return this.#defined(head)
      case 'columns-end':
        if (kind === 'end' && (stateIn(shown) & CURSOR_EXISTS) !== 0) this.#end(head)
        else this.#state = 'rows'
        return undefined
      case 'rows':
        if (kind !== 'end') return head.addRows(1)
        return this.#resultOver(head, stateIn(shown))
      case 'fields':
        if (kind === 'end') this.#end(head)
    }
  }

  #begin(head: MysqlStatement, kind: PacketKind, shown: Shown): void {
    const { command } = head
    if (command === MYSQL_COMMAND.prepare) return this.#prepared(head, shown)
    if (command === MYSQL_COMMAND.fetch || command === MYSQL_COMMAND.fieldList) {
      this.#state = command === MYSQL_COMMAND.fetch ? 'rows' : 'fields'
      head.addRows(0)
      return this.#follow(head, kind, shown)
    }
    if (!WITH_RESULTS.has(command)) return this.#end(head)
    if (shown.bytes[shown.at] === 0x00) {
      const affected = numberAt(shown, 1)
      const inserted = numberAt(shown, affected.end)
      head.addRows(affected.value)
      return this.#resultOver(head, u16(shown, inserted.end))
    }
    head.addRows(0)
    this.#columns(shown)
  }

  #columns(shown: Shown): void {
    const { value, end } = numberAt(shown, 0)
    // MariaDB leaves out columns that the client knows already, and reports this by a zero after the count.
    const areLeftOut = shown.length === end + 1 && shown.bytes[shown.at + end] === 0
    this.#definitions = areLeftOut ? 0 : value
    this.#state = 'columns'
    if (this.#definitions === 0) this.#columnsOver()
  }

  #defined(head: MysqlStatement): void {
    this.#definitions -= 1
    if (this.#definitions > 0) return
    if (this.#state === 'definitions') this.#end(head, 'prepared')
    else this.#columnsOver()
  }

  #columnsOver(): void {
    this.#state = this.#hasEof ? 'columns-end' : 'rows'
  }

  /** Reads the numbers of columns and parameters from the OK packet. Their definitions come after it. */
  #prepared(head: MysqlStatement, shown: Shown): void {
    const counts = [u16(shown, 5), u16(shown, 7)].filter((count) => count > 0)
    const ends = this.#hasEof ? counts.length : 0
    this.#definitions = counts.reduce((sum, count) => sum + count, ends)
    this.#state = 'definitions'
    if (this.#definitions === 0) this.#end(head, 'prepared')
  }

  #resultOver(head: MysqlStatement, state: number): void {
    if ((state & MORE_RESULTS) === 0) this.#end(head)
    else this.#state = 'begin'
  }

  #end(head: MysqlStatement, outcome: 'done' | 'prepared' = 'done'): void {
    this.#state = 'begin'
    this.#hasBegun = false
    this.running.end(head, outcome)
  }

  get #hasEof(): boolean {
    return (this.#clientCapabilities & (this.#serverCapabilities ?? 0) & DEPRECATE_EOF) === 0
  }
}

/** Returns an empty text for a command that is no statement: it is not recorded, but it has an answer. */
function shownText({ command, text, statement }: Extract<MysqlRequest, { kind: 'command' }>): string {
  if (text !== undefined) return text
  const id = statement === undefined ? '' : ` ${statement}`
  if (command === MYSQL_COMMAND.fetch) return `(fetch${id})`
  const isExecute = command === MYSQL_COMMAND.execute || command === MYSQL_COMMAND.bulkExecute
  return isExecute ? `(execute${id})` : ''
}

type PacketKind = 'error' | 'progress' | 'end' | 'other'

function kindOf(shown: Shown): PacketKind {
  const first = shown.bytes[shown.at]
  if (first === ERROR) return u16(shown, 1) === PROGRESS ? 'progress' : 'error'
  // A row that begins with 0xfe has a field of at least 16 MiB, so its packet has the maximum length.
  return first === 0xfe && shown.length < MAX_PACKET_BYTES ? 'end' : 'other'
}

function errorTextIn({ bytes, at, length }: Shown): ErrorText | undefined {
  const from = at + ERROR_TEXT + (bytes[at + ERROR_TEXT] === 0x23 ? STATE_BYTES : 0)
  return errorTextOf(bytes.subarray(from, at + Math.min(length, MAX_ERROR_BYTES)), length <= MAX_ERROR_BYTES)
}

/** Returns the server's state from the packet that ends a result. */
function stateIn(shown: Shown): number {
  if (shown.length === EOF_BYTES) return u16(shown, 3)
  return u16(shown, numberAt(shown, numberAt(shown, 1).end).end)
}

/** Returns the capabilities from a server's greeting, and 0 for any other packet. */
function capabilitiesIn(shown: Shown): number {
  const { bytes, at } = shown
  const versionEnd = bytes.indexOf(0, at + 1) - at
  // After the version come a number of four bytes, eight bytes of salt and a zero. Three bytes separate the
  // two halves of the capabilities.
  const low = versionEnd + 14
  if (bytes[at] !== 10 || versionEnd < 0 || low + 7 > shown.length) return 0
  return (u16(shown, low) | (u16(shown, low + 5) << 16)) >>> 0
}

/** Reads a number whose length depends on its first byte. */
function numberAt(shown: Shown, from: number): { readonly value: number; readonly end: number } {
  const first = byteAt(shown, from)
  if (first < 0xfb) return { value: first, end: from + 1 }
  const bytes = first === 0xfc ? 2 : first === 0xfd ? 3 : 8
  let value = 0
  for (let n = bytes; n > 0; n -= 1) value = value * 256 + byteAt(shown, from + n)
  return { value, end: from + 1 + bytes }
}

function u16(shown: Shown, from: number): number {
  return byteAt(shown, from) | (byteAt(shown, from + 1) << 8)
}

/** Returns 0 for a position after the packet's end. Only packets of a broken server lead there. */
function byteAt({ bytes, at, length }: Shown, from: number): number {
  return from < length ? (bytes[at + from] ?? 0) : 0
}
