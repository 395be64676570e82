import { runeAt, type ByteString } from '../../text/byte-string.ts'
import { isAlphanumeric, isSpace } from '../../text/characters.ts'

/** Where a scan ended, and whether what it passed is whole. */
export interface Scan {
  readonly end: number
  readonly ok: boolean
}

/** Numbers as the lexer takes them, loosely: whether one means anything is decided when it is read. */
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y

/** Past a number. It is broken when a letter or digit follows, which is passed as well to be shown. */
export function scanNumber(source: ByteString, at: number): Scan {
  NUMBER.lastIndex = at
  const end = at + (NUMBER.exec(source)?.[0].length ?? 0)
  if (end >= source.length) return { end, ok: true }
  const rune = runeAt(source, end)
  return isAlphanumeric(rune.value) ? { end: end + rune.width, ok: false } : { end, ok: true }
}

/** Past a string or character constant whose opening quote lies before `at`; a line break ends it broken. */
export function scanQuoted(source: ByteString, at: number, mark: string): Scan {
  for (let end = at; end < source.length; end++) {
    const character = source.charAt(end)
    if (character === '\n') break
    if (character === mark) return { end: end + 1, ok: true }
    if (character === '\\' && source.charAt(++end) === '\n') break
  }
  return { end: source.length, ok: false }
}

/** Past letters, digits and underscores. */
export function scanWord(source: ByteString, at: number): number {
  let end = at
  while (end < source.length) {
    const rune = runeAt(source, end)
    if (!isAlphanumeric(rune.value)) break
    end += rune.width
  }
  return end
}

/** Past Go's white space. */
export function scanSpace(source: ByteString, at: number): number {
  let end = at
  while (end < source.length && isSpace(source.charCodeAt(end))) end++
  return end
}

/** The end of the text before `end` without the white space there, not before `start`. */
export function trimmedEnd(source: ByteString, start: number, end: number): number {
  let trimmed = end
  while (trimmed > start && isSpace(source.charCodeAt(trimmed - 1))) trimmed--
  return trimmed
}

/** Whether a name, field or variable may end here. */
export function isTerminated(source: ByteString, at: number): boolean {
  if (at >= source.length || isSpace(source.charCodeAt(at))) return true
  return '.,|:)('.includes(source.charAt(at)) || source.startsWith('}}', at)
}
