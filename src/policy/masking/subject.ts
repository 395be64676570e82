import type { ByteString } from '../../golang/text/byte-string.ts'

/** The bytes to search, also as a string with one character per byte. */
export interface Subject {
  readonly bytes: Buffer
  readonly text: ByteString
  /**
   * `bytes` together with the bytes after them. No match may begin in the bytes after them, but the
   * end of a match may depend on these bytes.
   */
  readonly whole?: Buffer
}

export function subjectOf(bytes: Buffer): Subject {
  return { bytes, text: bytes.toString('latin1') }
}

/** Called with the place of a match. Offsets are bytes. */
export type Matched = (start: number, end: number) => void

/**
 * Calls `found` for each match from `from` on, in order. Matches do not overlap. A slow finder is a
 * generator that pauses after each match.
 */
export type Finder = (subject: Subject, from: number, found: Matched) => Iterable<undefined> | undefined

/**
 * A space separator of Unicode (`\p{Zs}`), as bytes of UTF-8. A tab or a line end is not a space
 * separator, so cells and rows of a table are not joined.
 */
const SPACE = String.raw`(?: |\xc2\xa0|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80)`

/**
 * Makes a finder from a regular expression for bytes. `_` in the expression stands for one space
 * separator. The expression must take linear time: an attempt reads a bounded number of bytes, or
 * ends where the next attempt cannot begin.
 */
export function regexp(source: string): Finder {
  const compiled = new RegExp(source.replaceAll('_', SPACE), 'g')
  return ({ text }, from, found) => {
    compiled.lastIndex = from
    for (let match = compiled.exec(text); match !== null; match = compiled.exec(text)) {
      found(match.index, match.index + match[0].length)
    }
    return undefined
  }
}
