import type { Row, Value } from '../../masking/values.ts'
import { NativeError } from '../native-error.ts'
import type { NativeClient } from '../protocol.ts'
import { OutgoingMessages, type Outgoing } from '../rules/outgoing.ts'
import { type ConnectionRules, MAX_WHOLE_BYTES, type Refusal } from '../rules/session-rules.ts'
import { MaskedStream } from '../rules/streams.ts'
import { type Cut, type Handling, MessageCutter } from './message-cutter.ts'
import { errorOf, HEAD_BYTES, messageOf, type, sendNoKey } from './messages.ts'

const ROW = 0x44
const ROW_DESCRIPTION = 0x54
const COPY_OUT = 0x48
const COPY_DATA = 0x64
const COPY_IN = 0x47
const PARAMETER_DESCRIPTION = 0x74
const COMMAND_COMPLETE = 0x43
const PARAMETER_STATUS = 0x53
const NOTIFICATION = 0x41
/** Messages that may contain values of a database. */
const WITH_VALUES: ReadonlySet<number> = new Set([
  ROW,
  ROW_DESCRIPTION,
  COPY_OUT,
  COPY_DATA,
  COMMAND_COMPLETE,
  PARAMETER_STATUS,
  NOTIFICATION,
  type.error,
  type.notice,
])
/**
 * Messages that cannot contain a value, with the maximum length of their content in bytes. `t` and `G`
 * contain numbers of types or formats.
 */
const WITHOUT_VALUES: ReadonlyMap<number, number> = new Map([
  ...Array.from('123nsIc', (letter) => [letter.charCodeAt(0), 0] as const),
  [type.readyForQuery, 1],
  ...Array.from('tG', (letter) => [letter.charCodeAt(0), MAX_WHOLE_BYTES] as const),
])

/**
 * Matches a field of an error or notice that quotes no value (severity, code, position, line), if the field
 * has at most the usual length.
 */
const PLAIN = /^([SV]\p{L}{1,20}|[CPpL][0-9A-Z]{1,10})$/u

/** Object ids of types whose binary format is text. bytea is not such a type. */
const TEXT_TYPES: ReadonlySet<number> = new Set([18, 19, 25, 114, 142, 705, 1042, 1043, 2275])

const SQLSTATE_REFUSED = '42501'
const TAB = Buffer.from('\t')
const LINE_END = Buffer.from('\n')
const BINARY_RESULT = 'a result in the binary format of PostgreSQL (a binary cursor)'
const BINARY_COPY = 'the binary format of COPY'
const TOO_LONG = `a row of more than ${MAX_WHOLE_BYTES / 1024 / 1024} MiB`

interface Column {
  readonly name: string
  /** Whether the column's values are texts that can be masked. */
  readonly isText: boolean
}

export class MaskedMessages extends MaskedStream<Cut> {
  protected readonly cutter: MessageCutter
  /** Columns of the last described result. */
  #columns: readonly Column[] = []
  #isCopyBinary = false

  constructor(client: NativeClient, rules: ConnectionRules) {
    super(client, rules, new OutgoingMessages(rules))
    this.cutter = new MessageCutter(rules, (messageType, length) => this.#handle(messageType, length))
  }

  #handle(messageType: number, length: number): Handling {
    if (!this.rules.judgesOutput && messageType !== type.error) return 'piece'
    if (!WITH_VALUES.has(messageType)) {
      const most = WITHOUT_VALUES.get(messageType)
      if (most !== undefined && length - HEAD_BYTES <= most) return 'whole'
      throw new NativeError('protocol', 'the server sent an unexpected message')
    }
    if (length <= MAX_WHOLE_BYTES && this.rules.hasRoomFor(length)) return 'whole'
    this.rules.cannotRead(TOO_LONG)
    return 'piece'
  }

  protected async passOne(cut: Cut): Promise<void> {
    const refusal = cut.type === type.error ? this.rules.refusalIn(cut.bytes) : undefined
    if (refusal !== undefined) {
      await this.refuse(refusal, false)
      return
    }
    const added = this.outgoing.add(this.#outgoingOf(cut))
    if (added !== undefined) await added
  }

  /** Sends the refusal in a packet of its own: hoop's gateway replaces the whole packet by an error. */
  protected async refuse({ message, info }: Refusal, isLast: boolean): Promise<void> {
    await this.send(await this.outgoing.takeJudged())
    await this.client.send(errorOf(isLast ? 'FATAL' : 'ERROR', SQLSTATE_REFUSED, message), info)
  }

  protected override async send(bytes: Buffer): Promise<void> {
    if (bytes.length > 0) await sendNoKey(this.client, bytes)
  }

  #outgoingOf({ type: messageType, handling, bytes }: Cut): Outgoing {
    if (handling === 'piece') return asItIs(bytes)
    const content = bytes.subarray(HEAD_BYTES)
    switch (messageType) {
      case ROW:
        return this.#row(bytes, content)
      case ROW_DESCRIPTION:
        return this.#heading(bytes, content)
      case COPY_DATA:
        return this.#isCopyBinary ? asItIs(bytes) : copied(bytes, content)
      case COPY_OUT:
        this.#isCopyBinary = content[0] !== 0
        if (this.#isCopyBinary) this.rules.cannotRead(BINARY_COPY)
        return asItIs(bytes)
      case type.error:
      case type.notice:
        return said(messageType, bytes, errorFields(content))
      case PARAMETER_STATUS:
        return said(messageType, bytes, texts(content, 0, 1))
      case COMMAND_COMPLETE:
        return said(messageType, bytes, texts(content, 0, 0))
      case NOTIFICATION:
        return said(messageType, bytes, texts(content, 4, 0))
      case PARAMETER_DESCRIPTION:
      case COPY_IN:
        return readable(() => numbersAlone(messageType, bytes, content))
      default:
        return asItIs(bytes)
    }
  }

  #heading(bytes: Buffer, content: Buffer): Outgoing {
    const { columns, isBinary, parts } = columnsIn(content)
    this.#columns = columns
    if (isBinary) this.rules.cannotRead(BINARY_RESULT)
    const text = Buffer.from(`${columns.map(({ name }) => name).join('\t')}\n`)
    // Names of columns are masked, too, because an alias can be made of a value.
    return { ...said(ROW_DESCRIPTION, bytes, parts), kind: 'heading', text }
  }

  #row(bytes: Buffer, content: Buffer): Outgoing {
    const cells = cellsIn(content)
    const columns = this.#columns.length === cells.length ? this.#columns : []
    const shown = cells.flatMap((cell, at): Value[] =>
      // The description of the columns alone does not prove that a cell is binary: the description may belong
      // to another portal than the row. A zero byte proves it, because the text format has no zero bytes.
      cell === undefined || (columns[at]?.isText === false && cell.includes(0))
        ? []
        : [{ label: columns[at]?.name ?? '', bytes: cell }],
    )
    return {
      kind: 'row',
      ...(this.rules.outputRules !== undefined && { text: lineOf(cells) }),
      values: shown,
      bytes: (masked) => (masked === undefined ? bytes : rowOf(cells, shown, masked)),
    }
  }
}

function asItIs(bytes: Buffer): Outgoing {
  return { kind: 'other', bytes: () => bytes }
}

/** Passes on a message that contains only a count and the numbers of types or formats. */
function numbersAlone(messageType: number, bytes: Buffer, content: Buffer): Outgoing {
  const isCopy = messageType === COPY_IN
  const count = content.readUInt16BE(isCopy ? 1 : 0)
  if (content.length !== (isCopy ? 3 + 2 * count : 2 + 4 * count)) throw new RangeError('more than numbers')
  return asItIs(bytes)
}

/** Masks a row of COPY in the text or CSV format. */
function copied(bytes: Buffer, content: Buffer): Outgoing {
  return {
    kind: 'row',
    text: content,
    values: [{ label: '', bytes: content }],
    bytes: (masked) => (masked === undefined ? bytes : messageOf(COPY_DATA, ...masked)),
  }
}

/** A part of a message. Only `value` is masked. */
interface Part {
  readonly before: Buffer
  readonly value: Buffer | undefined
}

function said(messageType: number, bytes: Buffer, parts: readonly Part[]): Outgoing {
  const values = parts.flatMap(({ value }) => (value === undefined ? [] : [{ label: '', bytes: value }]))
  return {
    kind: 'other',
    text: Buffer.concat(values.flatMap(({ bytes: value }) => [value, LINE_END])),
    values,
    bytes: (masked) => (masked === undefined ? bytes : messageOf(messageType, ...filled(parts, masked))),
  }
}

function filled(parts: readonly Part[], masked: readonly Buffer[]): Buffer[] {
  let at = 0
  return parts.flatMap(({ before, value }) =>
    value === undefined ? [before] : [before, masked[at++] ?? Buffer.alloc(0)],
  )
}

/** Reads the fields of an error. Each field is a letter and a text. A zero byte ends the fields. */
function errorFields(content: Buffer): Part[] {
  const parts: Part[] = []
  let at = 0
  for (; at < content.length && content[at] !== 0;) {
    const end = content.indexOf(0, at)
    if (end < 0) throw new NativeError('protocol', 'an error of the server is not terminated')
    const isQuoting = !PLAIN.test(content.toString('utf8', at, end))
    parts.push(
      isQuoting
        ? { before: content.subarray(at, at + 1), value: content.subarray(at + 1, end) }
        : { before: content.subarray(at, end), value: undefined },
      { before: content.subarray(end, end + 1), value: undefined },
    )
    at = end + 1
  }
  // Bytes after the zero byte are refused, because they would not be masked.
  if (at + 1 < content.length)
    throw new NativeError('protocol', 'an error of the server has bytes after its fields')
  return [...parts, { before: content.subarray(at), value: undefined }]
}

/**
 * Reads texts that end with a zero byte.
 * @param kept number of names at the beginning, which are not masked
 */
function texts(content: Buffer, from: number, kept: number): Part[] {
  const parts: Part[] = []
  let before = 0
  for (let [at, n] = [from, 0]; at < content.length; n += 1) {
    const end = content.indexOf(0, at)
    if (end < 0) throw new NativeError('protocol', 'a text of the server is not terminated')
    if (n >= kept) {
      parts.push({ before: content.subarray(before, at), value: content.subarray(at, end) })
      before = end
    }
    at = end + 1
  }
  return [...parts, { before: content.subarray(before), value: undefined }]
}

interface Description {
  readonly columns: readonly Column[]
  readonly isBinary: boolean
  readonly parts: readonly Part[]
}

function columnsIn(content: Buffer): Description {
  return readable(() => {
    const columns: Column[] = []
    const parts: Part[] = []
    let before = 0
    let [at, isBinary] = [2, false]
    for (let left = content.readUInt16BE(0); left > 0; left -= 1) {
      const end = content.indexOf(0, at)
      if (end < 0) throw new RangeError('a name without an end')
      const typeOid = content.readUInt32BE(end + 7)
      const isText = content.readUInt16BE(end + 17) === 0 || TEXT_TYPES.has(typeOid)
      columns.push({ name: content.toString('utf8', at, end), isText })
      parts.push({ before: content.subarray(before, at), value: content.subarray(at, end) })
      before = end
      isBinary ||= content.readUInt16BE(end + 17) !== 0
      at = end + 19
    }
    if (at !== content.length) throw new RangeError('unexpected bytes after the columns of a description')
    return { columns, isBinary, parts: [...parts, { before: content.subarray(before), value: undefined }] }
  })
}

/** A cell is undefined for NULL. */
function cellsIn(content: Buffer): (Buffer | undefined)[] {
  return readable(() => {
    const cells: (Buffer | undefined)[] = []
    let at = 2
    for (let left = content.readUInt16BE(0); left > 0; left -= 1) {
      const length = content.readInt32BE(at)
      at += 4
      if (length < -1 || at + length > content.length) throw new RangeError('a cell beyond its row')
      cells.push(length < 0 ? undefined : content.subarray(at, at + length))
      at += Math.max(0, length)
    }
    if (at !== content.length) throw new RangeError('unexpected bytes after the cells of a row')
    return cells
  })
}

/** @throws NativeError in place of a RangeError */
function readable<Read>(read: () => Read): Read {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new NativeError('protocol', 'a result of the server cannot be read')
  }
}

/** Returns the line that psql prints for a row without alignment. */
function lineOf(cells: readonly (Buffer | undefined)[]): Buffer {
  const parts = cells.flatMap((cell) => [TAB, cell ?? Buffer.alloc(0)])
  return Buffer.concat([...parts.slice(1), LINE_END])
}

/** @param shown the values that were passed to the masking, in order */
function rowOf(cells: readonly (Buffer | undefined)[], shown: Row, masked: readonly Buffer[]): Buffer {
  const count = Buffer.alloc(2)
  count.writeUInt16BE(cells.length)
  let at = 0
  const parts = cells.flatMap((cell) => {
    const value = cell !== undefined && cell === shown[at]?.bytes ? masked[at++] : cell
    const length = Buffer.alloc(4)
    length.writeInt32BE(value?.length ?? -1)
    return value === undefined ? [length] : [length, value]
  })
  return messageOf(ROW, count, ...parts)
}
