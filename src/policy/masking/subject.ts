import type { ByteString } from '../../golang/text/byte-string.ts'

/** `text` has one character for each byte of `bytes`. */
export interface Subject {
  readonly bytes: Buffer
  readonly text: ByteString
  /**
   * `bytes` and the bytes after them. No match begins in the bytes after `bytes`, but the end of a match may
   * depend on them.
   */
  readonly whole?: Buffer
}

export function subjectOf(bytes: Buffer): Subject {
  return { bytes, text: bytes.toString('latin1') }
}

/** Offsets are bytes. */
export type Matched = (start: number, end: number) => void

/** Calls `found` for the matches from `from` on, in order, without overlaps. May pause after each match. */
export type Finder = (subject: Subject, from: number, found: Matched) => Iterable<undefined> | undefined

/**
 * Matches a space separator (`\p{Zs}`) in UTF-8. It matches no tab and no line end, so a match never joins
 * cells or rows of a table.
 */
const SPACE = String.raw`(?: |\xc2\xa0|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80)`

/**
 * Makes a finder from a regular expression for bytes, in which `_` is one space separator. The expression
 * must take linear time. So each attempt to match must read a bounded number of bytes, or must end at a place
 * before which the next attempt cannot begin.
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
