import { regexp, type Finder } from '../find/subject.ts'

/** One shape of a type, and how sure a match is. */
export interface Pattern {
  readonly find: Finder
  readonly score: number
}

/** How one type of data is found. */
export interface Recognizer {
  readonly name: string
  readonly type: string
  readonly patterns: readonly Pattern[]
  /** Words that, among the five before a match, make it surer. */
  readonly context?: readonly string[]
  /** A match that passes is certain, one that fails is none. */
  readonly check?: (match: string) => boolean
  /** A match that fails is none; passing says nothing. */
  readonly accepts?: (match: string) => boolean
  /** A match counts only after one of these words, in the 24 bytes before it. */
  readonly labels?: readonly string[]
  /** A match without one of its context words is none. */
  readonly needsContext?: boolean
}

/** A regular expression for bytes, `_` for one space separator, and its score. */
export function pattern(source: string, score: number): Pattern {
  return { find: regexp(source), score }
}
