import { RE2JS, RE2JSSyntaxException } from 're2js'

/** Largest pattern in bytes: the work of compiling it is done before it can be stopped. */
export const MAX_PATTERN_BYTES = 4 * 1024

/** Compiling is work before its size is known: this much takes some hundredths of a second. */
const MAX_PATTERN_GROWTH = 20_000

/** Case is folded character by character: each such range takes up to 10 ms (measured). */
const MAX_WIDE_RANGES = 4

/** A class such as `\pL` has hundreds of ranges: a thousand take some 300 ms at once (measured), so many 20 to 40. */
const MAX_UNICODE_CLASSES = 50

/** Go rejects the pattern, or it would hold up other work. The message says why, as Go does where it refuses it. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
  /** True when Go accepts the pattern, which is only too much work here. */
  readonly isTooLarge: boolean

  constructor(message: string, isTooLarge: boolean) {
    super(message)
    this.isTooLarge = isTooLarge
  }
}

/**
 * A Go regular expression. JavaScript's own engine is never used for it: it can take exponential time, and `(?i)`, `\z`
 * or `[[:alpha:]]` mean something else there.
 */
export function compileRegexp(pattern: string): RE2JS {
  if (Buffer.byteLength(pattern) > MAX_PATTERN_BYTES) {
    throw new PatternError(`the pattern is longer than ${MAX_PATTERN_BYTES} bytes`, true)
  }
  if (repetitions(pattern) * pattern.length > MAX_PATTERN_GROWTH) {
    throw new PatternError('the repetitions of the pattern make it too large', true)
  }
  if (unicodeClasses(pattern) > MAX_UNICODE_CLASSES) {
    throw new PatternError(`the pattern has more than ${MAX_UNICODE_CLASSES} Unicode classes`, true)
  }
  if (wideRanges(pattern) > MAX_WIDE_RANGES) {
    throw new PatternError(
      'the pattern ignores case in too many ranges beyond ASCII: write (?-i) before them',
      true,
    )
  }
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new PatternError(reason(error), false)
  }
}

/** The counts of `{n}`, `{n,}` and `{n,m}` added up: each repeats at most the whole pattern that often. */
function repetitions(pattern: string): number {
  const counts = pattern.match(/(?<!\\[xpP])\{\d+(,\d*)?\}/g) ?? []
  return counts.reduce((sum, count) => sum + Math.max(...(count.match(/\d+/g) ?? []).map(Number)), 0)
}

function unicodeClasses(pattern: string): number {
  return pattern.match(/\\[pP]/g)?.length ?? 0
}

function wideRanges(pattern: string): number {
  if (!/\(\?[a-zA-Z]*i/.test(pattern)) return 0
  return pattern.match(/(\}|[^\0-\x7f])-|-(\\x\{|[^\0-\x7f])/g)?.length ?? 0
}

function reason(error: unknown): string {
  if (error instanceof RE2JSSyntaxException) {
    return `error parsing regexp: ${error.getDescription()}: \`${error.getPattern() ?? ''}\``
  }
  return 'the pattern cannot be compiled'
}
