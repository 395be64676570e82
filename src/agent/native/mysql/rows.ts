import type { Value } from '../../masking/values.ts'
import type { Column } from './dialogue.ts'
import { binaryAt, countAt, isText, printed, textAt, encodeLengthPrefixed } from './values.ts'

interface MysqlRow {
  /** The cells as a program prints them; undefined for NULL. */
  readonly cells: readonly (Buffer | undefined)[]
  /** The cells that are not NULL. */
  readonly values: readonly Value[]
  /** Returns the row with these values in place of its own. */
  readonly rebuilt: (values: readonly Buffer[]) => Buffer
}

const UTF16 = 54

/** Number of bytes of a column's description after its names. */
const COLUMN_BYTES = 12

const NAMES = 6

interface ColumnParts {
  readonly names: readonly Buffer[]
  /** The numbers of the description, which are not masked: charset, length, type and flags. */
  readonly plain: Buffer
  /** The default of a column that COM_FIELD_LIST shows. */
  readonly preset: Buffer | undefined
}

/**
 * Splits the description of a column. The names of catalog, schema, tables and columns are masked, too,
 * because an alias can be made of a value.
 * @throws RangeError
 */
export function parseColumn(content: Buffer): ColumnParts {
  const names: Buffer[] = []
  let at = 0
  while (names.length < NAMES) {
    const { value, end } = textAt(content, at)
    names.push(value ?? Buffer.alloc(0))
    at = end
  }
  const end = countAt(content, at).end + COLUMN_BYTES
  if (end > content.length) throw new RangeError('a column definition is cut')
  const preset = end === content.length ? undefined : textAt(content, end)
  if ((preset?.end ?? end) !== content.length)
    throw new RangeError('unexpected bytes after a column definition')
  // The default NULL is one byte. It contains no value, so it stays in `plain`.
  const plainEnd = preset?.value === undefined ? content.length : end
  return { names, plain: content.subarray(at, plainEnd), preset: preset?.value }
}

/** @throws RangeError */
export function columnOf(content: Buffer): Column {
  const { names, plain, preset } = parseColumn(content)
  const at = countAt(plain, 0).end
  if (plain.length !== at + COLUMN_BYTES || preset !== undefined)
    throw new RangeError('a column with a default in a result')
  return {
    name: (names[4] ?? Buffer.alloc(0)).toString('utf8'),
    // Numbers have no charset of their own. They have the charset of the result, and so has the catalog's
    // name: if the name contains a zero byte, the charset is a wide one.
    charset: names[0]?.includes(0) === true ? UTF16 : plain.readUInt16LE(at),
    type: plain.readUInt8(at + 6),
    isUnsigned: (plain.readUInt16LE(at + 7) & 0x20) !== 0,
  }
}

/**
 * Ranges of collation numbers of UCS-2, UTF-16 and UTF-32. Rules and masking cannot find words in these
 * charsets.
 */
const WIDE: readonly (readonly [number, number])[] = [
  [35, 35],
  [54, 56],
  [60, 62],
  [90, 90],
  [101, 124],
  [128, 151],
  [159, 183],
  // MariaDB's collations of Unicode 14, for the same three charsets.
  [2560, 3327],
]
/** MariaDB adds this to the number of a collation if blanks at the end of a text count. */
const NO_PAD = 1024

/** Whether each letter has several bytes. */
export function isWide({ charset }: Column): boolean {
  const number = charset > NO_PAD && charset < 2 * NO_PAD ? charset - NO_PAD : charset
  return WIDE.some(([first, last]) => number >= first && number <= last)
}

/** @throws RangeError */
export function textRow(content: Buffer, columns: readonly Column[]): MysqlRow {
  let at = 0
  const cells = columns.map(() => {
    const { value, end } = textAt(content, at)
    at = end
    return value
  })
  if (at !== content.length) throw new RangeError('unexpected bytes after the columns of a row')
  return {
    cells,
    values: labelled(cells, columns),
    rebuilt: (values) => {
      let next = 0
      return Buffer.concat(
        cells.map((cell) => encodeLengthPrefixed(cell === undefined ? cell : values[next++])),
      )
    },
  }
}

/** Number of unused bits before the NULL bits of a binary row. */
const UNUSED_BITS = 2

/**
 * Reads a row in the binary form. A masked number or date becomes NULL, because it cannot contain the
 * replacement.
 * @throws RangeError
 */
export function binaryRow(content: Buffer, columns: readonly Column[]): MysqlRow {
  const nullBytes = (columns.length + 7 + UNUSED_BITS) >> 3
  let at = 1 + nullBytes
  const isNull = (n: number) =>
    ((content.readUInt8(1 + ((n + UNUSED_BITS) >> 3)) >> ((n + UNUSED_BITS) & 7)) & 1) === 1
  const raws = columns.map(({ type }, n) => {
    if (isNull(n)) return undefined
    const { raw, end } = binaryAt(content, at, type)
    at = end
    return raw
  })
  if (at !== content.length) throw new RangeError('unexpected bytes after the columns of a row')
  const cells = raws.map((raw, n) => {
    const { type = 0, isUnsigned = false } = columns[n] ?? {}
    return raw && printed(raw, type, isUnsigned)
  })
  const rebuilt = (values: readonly Buffer[]) => {
    const head = Buffer.from(content.subarray(0, 1 + nullBytes))
    let next = 0
    const parts = raws.map((raw, n) => {
      if (raw === undefined) return Buffer.alloc(0)
      const value = values[next++]
      if (value === cells[n]) return raw
      if (isText(columns[n]?.type ?? 0)) return encodeLengthPrefixed(value)
      const bit = n + UNUSED_BITS
      head[1 + (bit >> 3)] = (head[1 + (bit >> 3)] ?? 0) | (1 << (bit & 7))
      return Buffer.alloc(0)
    })
    return Buffer.concat([head, ...parts])
  }
  return { cells, values: labelled(cells, columns), rebuilt }
}

function labelled(cells: readonly (Buffer | undefined)[], columns: readonly Column[]): Value[] {
  return cells.flatMap((bytes, n) => (bytes === undefined ? [] : [{ label: columns[n]?.name ?? '', bytes }]))
}
