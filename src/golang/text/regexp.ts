import { RE2JS, RE2JSSyntaxException } from 're2js'

/** Maximum length in bytes. Nothing can stop a compilation that takes too long. */
export const MAX_PATTERN_BYTES = 4 * 1024

/** Maximum of length times repetitions. Such a pattern takes some hundredths of a second to compile. */
const MAX_PATTERN_GROWTH = 20_000

/** Maximum number of ranges beyond ASCII with `(?i)`. Each takes up to 10 ms to compile (measured). */
const MAX_WIDE_RANGES = 4

/** Maximum number of classes such as `\pL`. 50 classes take 20 to 40 ms, and 1000 take 300 ms (measured). */
const MAX_UNICODE_CLASSES = 50

/** For a pattern that Go rejects, the message is Go's. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
  /** True if the pattern costs too much work. Go may accept such a pattern. */
  readonly isTooLarge: boolean

  constructor(message: string, isTooLarge: boolean) {
    super(message)
    this.isTooLarge = isTooLarge
  }
}

/**
 * Compiles an expression of Go. Never use JavaScript's own engine for such expressions: it can take
 * exponential time, and reads `(?i)`, `\z` or `[[:alpha:]]` differently.
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
      'the pattern ignores case in too many ranges beyond ASCII; write (?-i) before these ranges',
      true,
    )
  }
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new PatternError(reason(error), false)
  }
}

/** Adds the counts in `{n}`, `{n,}` and `{n,m}`. Each count repeats at most the whole pattern. */
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
