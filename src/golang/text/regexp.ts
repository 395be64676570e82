import { RE2JS, RE2JSSyntaxException } from 're2js'

/** Largest pattern in bytes: nothing can stop the compiling of a pattern. */
export const MAX_PATTERN_BYTES = 4 * 1024

/**
 * Largest size with repetitions. Compiling begins before the real size is known; this much takes some
 * hundredths of a second.
 */
const MAX_PATTERN_GROWTH = 20_000

/**
 * Limit of such ranges in a pattern that ignores case. Case is folded character by character: each range
 * takes up to 10 ms (measured).
 */
const MAX_WIDE_RANGES = 4

/**
 * Limit of the classes such as `\pL`, each with hundreds of ranges. A thousand classes block for some 300 ms
 * (measured), this many for 20 to 40.
 */
const MAX_UNICODE_CLASSES = 50

/**
 * Go rejects the pattern, or it would block other work. The message gives the reason, in Go's words if Go
 * rejects it.
 */
export class PatternError extends Error {
  override readonly name = 'PatternError'
  /** True when Go accepts the pattern, and only its work is too much. */
  readonly isTooLarge: boolean

  constructor(message: string, isTooLarge: boolean) {
    super(message)
    this.isTooLarge = isTooLarge
  }
}

/**
 * Compiles a Go regular expression. Never use JavaScript's own engine for it: that engine can take
 * exponential time, and `(?i)`, `\z` or `[[:alpha:]]` mean something else there.
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

/** Adds up the counts of `{n}`, `{n,}` and `{n,m}`: each repeats at most the whole pattern that often. */
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
