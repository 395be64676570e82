import { HIDDEN, visibleForm } from '../../parts/visible.ts'
import { WrittenLine, type Row } from './row.ts'
import { afterCodes, PLAIN, withFlag, type Style } from './style.ts'

/** Maximum length of a row. A longer line would block the page, so it continues in the next row. */
export const MAX_ROW_CHARACTERS = 2000
/** Maximum length of an incomplete sequence. A longer text is not a sequence. */
const MAX_SEQUENCE_CHARACTERS = 4096

/**
 * Matches everything except plain text. This means control characters, characters that change the direction
 * of other text, and terminal sequences. The sequences are CSI, sequences of two characters, OSC and other
 * strings. A string ends at the end of the line at the latest.
 */
const SPECIAL = new RegExp(
  [
    '\\u001b\\[[0-?]*[ -/]*[@-~]',
    '\\u001b[\\]PX^_][^\\u0007\\u001b\\n]*(?:\\u0007|\\u001b\\\\)?',
    '\\u001b[ -/]*[0-Z\\\\`-~]',
    '[^\\P{Cc}\\t]',
    HIDDEN,
  ].join('|'),
  'gu',
)
/** Matches an incomplete sequence at the end of a piece. The next piece has the rest of the sequence. */
const INCOMPLETE = new RegExp(
  [
    '\u001b\\[[0-?]*[ -/]*$',
    '\u001b[\\]PX^_][^\u0007\u001b\n]*\u001b?$',
    '\u001b[ -/]*$',
    // The first half of a surrogate pair.
    '[\ud800-\udbff]$',
  ].join('|'),
  'u',
)

/** Who wrote a row. `note` means the gateway. */
export type Source = 'stdout' | 'stderr' | 'note'

/**
 * Errors in records begin with this prefix. hoop writes the prefix for programs. The page does not show the
 * prefix to people.
 */
const RPC_PREFIX = /^(\n?)rpc error: code = \w+ desc = /

/**
 * Turns a program's output into rows, with colours and moves within a line. Drops other effects of a
 * terminal: moving up, titles, links, clearing the screen. Shows other controls as text.
 */
export class RowReader {
  readonly #line = new WrittenLine()
  readonly #rows: Row[] = []
  #style: Style
  #rest = ''

  /** `style` is the style of the text before the first row. */
  constructor(style: Style = PLAIN) {
    this.#style = style
  }

  get style(): Style {
    return this.#style
  }

  /** The incomplete row; undefined while it is empty. */
  get current(): Row | undefined {
    return this.#line.isEmpty ? undefined : this.#line.row()
  }

  feed(piece: string, source: Source = 'stdout'): void {
    const text = this.#rest + (source === 'note' ? piece.replace(RPC_PREFIX, '$1') : piece)
    const rest = INCOMPLETE.exec(text)?.[0] ?? ''
    this.#rest = rest.length > MAX_SEQUENCE_CHARACTERS ? '' : rest
    const whole = text.slice(0, text.length - this.#rest.length)
    let start = 0
    for (const { 0: found, index } of whole.matchAll(SPECIAL)) {
      this.#write(whole.slice(start, index), source)
      this.#obey(found, source)
      start = index + found.length
    }
    this.#write(whole.slice(start), source)
  }

  /** Returns the rows that were completed since the last call. */
  take(): Row[] {
    return this.#rows.splice(0)
  }

  /** Returns all remaining rows, including the incomplete one. */
  end(): Row[] {
    this.#rest = ''
    if (!this.#line.isEmpty) this.#rows.push(this.#line.take())
    return this.take()
  }

  #write(text: string, source: Source): void {
    const style = this.#styleOf(source)
    for (let start = 0; start < text.length;) {
      if (this.#line.length >= MAX_ROW_CHARACTERS) this.#rows.push(this.#line.take())
      const part = text.slice(start, start + MAX_ROW_CHARACTERS - this.#line.length)
      this.#line.write(part, style)
      start += part.length
    }
  }

  #obey(found: string, source: Source): void {
    if (found === '\n') this.#rows.push(this.#line.take())
    else if (found === '\r') this.#line.moveTo(0)
    else if (found === '\b') this.#line.moveBy(-1)
    else if (found.startsWith('\u001b[')) this.#command(found)
    else if (found.length === 1 || !found.startsWith('\u001b')) this.#show(found, source)
  }

  #show(control: string, source: Source): void {
    if (this.#line.length >= MAX_ROW_CHARACTERS) this.#rows.push(this.#line.take())
    this.#line.write(visibleForm(control), withFlag(this.#styleOf(source), 'control'))
  }

  #styleOf(source: Source): Style {
    return source === 'stdout' ? this.#style : withFlag(this.#style, source)
  }

  #command(sequence: string): void {
    const parameters = sequence.slice(2, -1)
    if (!/^[\d;:]*$/.test(parameters)) return
    const numbers = parameters.split(/[;:]/).map(Number)
    const [first = 0] = numbers
    const final = sequence.at(-1)
    if (final === 'm') this.#style = afterCodes(this.#style, numbers)
    else if (final === 'K' && first === 0) this.#line.erase()
    else if (final === 'K' && first === 2) this.#line.clear()
    else if (final === 'C') this.#line.moveBy(Math.max(1, first))
    else if (final === 'D') this.#line.moveBy(-Math.max(1, first))
    else if (final === 'G') this.#line.moveTo(Math.max(1, first) - 1)
  }
}
