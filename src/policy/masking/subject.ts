import type { ByteString } from '../../golang/text/byte-string.ts'

/** The bytes to search, and the same as a string with one character per byte. */
export interface Subject {
  readonly bytes: Buffer
  readonly text: ByteString
  /**
   * The bytes together with the bytes after them. No match may begin in the latter, but the end of a match
   * may depend on them.
   */
  readonly whole?: Buffer
}

export function subjectOf(bytes: Buffer): Subject {
  return { bytes, text: bytes.toString('latin1') }
}

/** Called with the place of a match. Offsets are bytes. */
export type Matched = (start: number, end: number) => void

/**
 * Calls `found` for each match from `from` on, in order; matches do not overlap. A slow finder is a
 * generator, and pauses after each match.
 */
export type Finder = (subject: Subject, from: number, found: Matched) => Iterable<undefined> | undefined

/**
 * A space separator of Unicode (`\p{Zs}`), as bytes of UTF-8. Never a tab or a line end, so that cells and
 * rows of a table are not joined.
 */
const SPACE = String.raw`(?: |\xc2\xa0|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80)`

/**
 * Makes a finder from a regular expression for bytes; `_` in it stands for one space separator. The
 * expression must be linear: an attempt reads a bounded number of bytes, or ends where the next attempt
 * cannot begin.
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
