import type { NativeClient } from '../protocol.ts'
import { OutgoingMessages, type Outgoing } from '../rules/outgoing.ts'
import { type ConnectionRules, MAX_WHOLE_BYTES, type Refusal } from '../rules/session-rules.ts'
import { NativeError } from '../native-error.ts'
import { MaskedStream } from '../rules/streams.ts'
import type { Column, Dialogue } from './dialogue.ts'
import { errorPayload, packet } from './login.ts'
import { type Cut, type Handling, PacketCutter } from './packet-cutter.ts'
import { MAX_PACKET_BYTES } from './packets.ts'
import { binaryRow, columnOf, isWide, parseColumn, textRow } from './rows.ts'
import { countAt, encodeLengthPrefixed } from './values.ts'

const OK = 0x00
const EOF = 0xfe
const ERROR = 0xff
/** An EOF packet is shorter than this. A longer packet with the same first byte is a row. */
const EOF_BYTES = 9
/** An error has its number after the first byte. The state after the number may be missing. */
const ERROR_STATE = /^#[0-9A-Z]{5}/
const ERROR_HEAD_BYTES = { withState: 9, withoutState: 3 } as const
const STATUS = { moreResults: 0x08, cursor: 0x40 } as const

/**
 * Maximum number of columns of a result: all of them are kept in memory. A table has at most 4096 columns.
 */
const MAX_COLUMNS = 0xffff
/** Maximum characters of the names of these columns together. A name has at most 256. */
const MAX_NAMES = MAX_COLUMNS * 256

/** Number and state of the error for a refused result. An error that a trigger raises has the same. */
const REFUSED = { code: 1644, state: '45000' }
const TOO_LONG = `a row of ${MAX_WHOLE_BYTES / 1024 / 1024} MiB or more`
const WIDE_RESULT = 'a result in UCS-2, UTF-16 or UTF-32 (character_set_results)'
const WIDE_ERROR = 'an error in UCS-2, UTF-16 or UTF-32 (character_set_results)'
const UNREADABLE = 'unreadable or unexpected answer from the server'

/** The position in the current answer. */
type Part =
  | { readonly kind: 'first' }
  /**
   * `left` counts columns that have not arrived. The packet that ends the columns follows. `names` counts
   * characters.
   */
  | { readonly kind: 'columns'; readonly left: number; readonly columns: Column[]; readonly names: number }
  | { readonly kind: 'rows'; readonly columns: readonly Column[] }
  /** Parameters and columns of a prepared statement. */
  | { readonly kind: 'prepared'; readonly left: number }

/**
 * The number that the client expects in the first packet of an answer. The server's number is smaller if some
 * packets of the client did not reach the server.
 */
interface Begin {
  readonly seq: number
}

const TAB = Buffer.from('\t')
const LINE_END = Buffer.from('\n')

const FIRST: Part = { kind: 'first' }

/**
 * Judges and masks the results of a server. Client and server use the older form of results: an EOF packet
 * follows the columns, and another follows the rows.
 */
export class MaskedPackets extends MaskedStream<Cut> {
  protected readonly cutter: PacketCutter
  readonly #dialogue: Dialogue
  #part: Part = FIRST
  /** The packet number that the client expects next. */
  #seq = 0
  /** Set until the first packet of the current answer is sent. */
  #begins: Begin | undefined
  #isAnswerBegun = false

  constructor(client: NativeClient, rules: ConnectionRules, dialogue: Dialogue) {
    super(client, rules, new OutgoingMessages(rules))
    this.#dialogue = dialogue
    this.cutter = new PacketCutter(rules, (_, length, goesOn) => this.#handle(length, goesOn))
  }

  #handle(length: number, goesOn: boolean): Handling {
    if (!goesOn && this.rules.hasRoomFor(length)) return 'whole'
    this.rules.cannotRead(TOO_LONG)
    return 'piece'
  }

  protected async passOne(cut: Cut): Promise<void> {
    const { content } = cut
    const refusal = content[0] === ERROR ? this.rules.refusalIn(content) : undefined
    const outgoing = this.#read(cut)
    if (refusal !== undefined) {
      await this.refuse(refusal)
      return
    }
    if (content[0] === ERROR && content.includes(0, errorTextAt(content))) this.rules.cannotRead(WIDE_ERROR)
    const added = this.outgoing.add(outgoing)
    if (added !== undefined) await added
  }

  #read(cut: Cut): Outgoing {
    const begins = this.#beginOf(cut)
    try {
      return cut.handling === 'piece' ? this.#pieceOf(cut) : this.#outgoingOf(cut, begins)
    } catch (error) {
      throw error instanceof RangeError ? new NativeError('server', UNREADABLE) : error
    }
  }

  /** Returns the first packet of an answer; undefined for the other packets. */
  #beginOf({ seq }: Cut): Begin | undefined {
    if (this.#isAnswerBegun) return undefined
    this.#isAnswerBegun = true
    const { kind, shift = 0, statement = -1 } = this.#dialogue.current ?? {}
    const columns = this.#dialogue.statement(statement)?.columns ?? []
    this.#part = kind === 'fetch' ? { kind: 'rows', columns } : FIRST
    return (this.#begins = { seq: seq + shift })
  }

  protected async refuse({ message, info }: Refusal): Promise<void> {
    await this.send(await this.outgoing.takeJudged())
    const error = packet(this.#begins?.seq ?? this.#seq, errorPayload({ ...REFUSED, message }))
    await this.client.send(error, info)
    this.#begins = undefined
  }

  /** Passes on a piece of a row that is too long to mask, if rows may pass unmasked. */
  #pieceOf({ bytes, seq }: Cut): Outgoing {
    if (this.#part.kind !== 'rows') throw new NativeError('server', UNREADABLE)
    const send = () => {
      this.#seq = seq + 1
      return bytes
    }
    return { kind: 'other', bytes: send }
  }

  #outgoingOf(cut: Cut, begins: Begin | undefined): Outgoing {
    const { content } = cut
    const send = this.#sending(cut, begins)
    if (content[0] === ERROR) {
      this.#done()
      return quoting(content, errorTextAt(content), send)
    }
    if (this.#dialogue.current === undefined) throw new NativeError('server', UNREADABLE)
    if (this.#part.kind === 'rows' && !isEof(content)) return this.#row(content, this.#part.columns, send)
    const isOk = this.#part.kind === 'first' && content[0] === OK && this.#dialogue.current.kind !== 'prepare'
    const isColumn = this.#isColumnNext && !isEof(content)
    const heading = this.#part.kind === 'columns' && this.#part.left === 0 ? this.#part.columns : undefined
    this.#follow(content)
    if (isColumn) return column(content, send)
    if (isOk) return quoting(content, okInfoAt(content), send)
    return heading === undefined
      ? { kind: 'other', bytes: () => send() }
      : { kind: 'heading', text: headingOf(heading), bytes: () => send() }
  }

  /** Renumbers packets for the client: a masked row may need more or fewer packets. */
  #sending({ bytes, content, seq }: Cut, begins: Begin | undefined): (content?: Buffer) => Buffer {
    return (masked) => {
      if (begins !== undefined) {
        this.#seq = begins.seq
        if (this.#begins === begins) this.#begins = undefined
      }
      if (masked === undefined && (this.#seq & 0xff) === seq) {
        this.#seq += 1
        return bytes
      }
      const packets = packetsOf(this.#seq, masked ?? content)
      this.#seq += packets.length
      return Buffer.concat(packets)
    }
  }

  #row(content: Buffer, columns: readonly Column[], send: (content?: Buffer) => Buffer): Outgoing {
    const isBinary = this.#dialogue.current?.kind !== 'query'
    const row = isBinary ? binaryRow(content, columns) : textRow(content, columns)
    return {
      kind: 'row',
      ...(this.rules.outputRules !== undefined && { text: lineOf(row.cells) }),
      values: row.values,
      bytes: (masked) => (masked === undefined ? send() : send(row.rebuilt(masked))),
    }
  }

  /** Whether the next packet describes a column or ends the columns. */
  get #isColumnNext(): boolean {
    const { kind, left } = { left: 0, ...this.#part }
    if (kind === 'first') return this.#dialogue.current?.kind === 'fields'
    return (kind === 'columns' || kind === 'prepared') && left > 0
  }

  /** Updates the position after a packet that is neither a row nor an error. */
  #follow(content: Buffer): void {
    const part = this.#part
    switch (part.kind) {
      case 'first':
        return this.#followFirst(content)
      case 'columns':
        return part.left > 0 ? this.#followColumn(content, part) : this.#followColumns(content, part.columns)
      case 'rows':
        return this.#endResult(content.readUInt16LE(3))
      case 'prepared':
        this.#part = { kind: 'prepared', left: part.left - 1 }
        if (part.left === 1) this.#done()
    }
  }

  #followFirst(content: Buffer): void {
    switch (this.#dialogue.current?.kind) {
      case 'fields':
        if (isEof(content)) this.#done()
        return
      case 'prepare':
        return this.#followPrepare(content)
      case 'query':
      case 'execute':
        if (content[0] === OK) return this.#endResult(okStatus(content))
        this.#part = { kind: 'columns', left: columnCount(content), columns: [], names: 0 }
        return
      default:
        this.#done()
    }
  }

  #followPrepare(content: Buffer): void {
    if (content[0] !== OK) throw new NativeError('server', UNREADABLE)
    const [columns, parameters] = [content.readUInt16LE(5), content.readUInt16LE(7)]
    this.#dialogue.prepared(content.readUInt32LE(1), parameters)
    const left = [columns, parameters].reduce((sum, count) => sum + (count > 0 ? count + 1 : 0), 0)
    if (left === 0) this.#done()
    else this.#part = { kind: 'prepared', left }
  }

  #followColumn(content: Buffer, part: Extract<Part, { kind: 'columns' }>): void {
    const column = columnOf(content)
    const names = part.names + column.name.length
    if (names > MAX_NAMES) throw new RangeError('too long names of columns in a result')
    part.columns.push(column)
    this.#part = { ...part, left: part.left - 1, names }
  }

  #followColumns(content: Buffer, columns: readonly Column[]): void {
    if (!isEof(content)) throw new NativeError('server', UNREADABLE)
    if (columns.some(isWide)) this.rules.cannotRead(WIDE_RESULT)
    const { kind, statement = -1 } = this.#dialogue.current ?? {}
    const status = content.readUInt16LE(3)
    if (kind !== 'execute' || (status & STATUS.cursor) === 0) {
      this.#part = { kind: 'rows', columns }
      return
    }
    const opened = this.#dialogue.statement(statement)
    if (opened === undefined) throw new NativeError('server', UNREADABLE)
    // The server sends the rows later, when the client fetches them.
    opened.columns = columns
    this.#done()
  }

  #endResult(status: number): void {
    if ((status & STATUS.moreResults) === 0) this.#done()
    else this.#part = FIRST
  }

  #done(): void {
    this.#dialogue.done()
    this.#part = FIRST
    this.#isAnswerBegun = false
  }
}

function isEof(content: Buffer): boolean {
  return content[0] === EOF && content.length < EOF_BYTES
}

/** Returns the offset of the text in an error. */
function errorTextAt(content: Buffer): number {
  const { withState, withoutState } = ERROR_HEAD_BYTES
  return ERROR_STATE.test(content.toString('latin1', withoutState, withState)) ? withState : withoutState
}

function okStatus(content: Buffer): number {
  return content.readUInt16LE(countAt(content, countAt(content, 1).end).end)
}

/** Masks the names of a column, and the column's default. Only answers to COM_FIELD_LIST have defaults. */
function column(content: Buffer, send: (content?: Buffer) => Buffer): Outgoing {
  const { names, plain, preset } = parseColumn(content)
  const values = [...names, ...(preset === undefined ? [] : [preset])]
  return {
    kind: 'other',
    values: values.map((bytes) => ({ label: '', bytes })),
    bytes: (masked) => {
      if (masked === undefined) return send()
      const texts = masked.map(encodeLengthPrefixed)
      return send(Buffer.concat([...texts.slice(0, names.length), plain, ...texts.slice(names.length)]))
    },
  }
}

/** Returns the offset of the text in an OK packet, after status and warnings. */
function okInfoAt(content: Buffer): number {
  return Math.min(content.length, countAt(content, countAt(content, 1).end).end + 4)
}

function columnCount(content: Buffer): number {
  const { count, end } = countAt(content, 0)
  if (end !== content.length) throw new RangeError('unexpected bytes after the number of columns')
  if (count > MAX_COLUMNS) throw new RangeError('too many columns in a result')
  return count
}

/** Masks the text at the end of an error or an OK, which may quote values. */
function quoting(content: Buffer, from: number, send: (content?: Buffer) => Buffer): Outgoing {
  const [head, message] = [content.subarray(0, from), content.subarray(from)]
  return {
    kind: 'other',
    text: message,
    values: [{ label: '', bytes: message }],
    bytes: (masked) => (masked === undefined ? send() : send(Buffer.concat([head, ...masked]))),
  }
}

function headingOf(columns: readonly Column[]): Buffer {
  return Buffer.from(`${columns.map(({ name }) => name).join('\t')}\n`)
}

/** Returns the line that the program mysql prints for a row. */
function lineOf(cells: readonly (Buffer | undefined)[]): Buffer {
  const parts = cells.flatMap((cell) => [TAB, cell ?? Buffer.from('NULL')])
  return Buffer.concat([...parts.slice(1), LINE_END])
}

/** After a packet of the maximum length another packet must follow, which may be empty. */
function packetsOf(seq: number, content: Buffer): Buffer[] {
  const packets: Buffer[] = []
  for (let at = 0; at <= content.length; at += MAX_PACKET_BYTES)
    packets.push(packet(seq + packets.length, content.subarray(at, at + MAX_PACKET_BYTES)))
  return packets
}
