import { RE2JS } from 're2js'

/** What our search needs to know of a compiled pattern: Go's instructions (package regexp/syntax). */
export interface Instruction {
  readonly op: number
  readonly out: number
  /** The second way of a fork, or the bits of a condition. */
  readonly arg: number
  readonly runes: Int32Array
}

interface Program {
  readonly start: number
  readonly inst: readonly Instruction[]
}

/** Numbers of `Inst` in re2js, which does not export them: package.json has its exact version, and a test compares. */
export const OP = {
  fork: 1,
  forkToMatch: 2,
  capture: 3,
  condition: 4,
  fail: 5,
  match: 6,
  nothing: 7,
  runes: 8,
  oneRune: 9,
  anyRune: 10,
  anyRuneNotLineEnd: 11,
} as const

/** Bits of a condition's `arg`. */
export const WHERE = {
  lineBegins: 1,
  lineEnds: 2,
  textBegins: 4,
  textEnds: 8,
  wordBoundary: 16,
  noWordBoundary: 32,
} as const

const MAX_RUNE = 0x10ffff
const FOLDS_CASE = 1

export function programOf(compiled: RE2JS): Program {
  // Typed as `any`-free here: the package's own types leave out what is inside.
  return (compiled.re2() as unknown as { readonly prog: Program }).prog
}

/** The runes that an instruction takes, as pairs of first and last. Empty for instructions that take none. */
export function rangesOf({ op, arg, runes }: Instruction): Int32Array {
  switch (op) {
    case OP.anyRune:
      return ANY
    case OP.anyRuneNotLineEnd:
      return ANY_NOT_LINE_END
    case OP.runes:
    case OP.oneRune:
      if (runes.length !== 1) return runes
      return (arg & FOLDS_CASE) === 0 ? single(runes[0] ?? 0) : folded(runes[0] ?? 0)
    default:
      return NONE
  }
}

const NONE = Int32Array.of()
const ANY = Int32Array.of(0, MAX_RUNE)
const ANY_NOT_LINE_END = Int32Array.of(0, 9, 11, MAX_RUNE)

const single = (rune: number) => Int32Array.of(rune, rune)

const foldedRunes = new Map<number, Int32Array>()

/** A class has its runes written out by the parser, in every case. The NUL in it keeps it from becoming a letter again. */
function folded(rune: number): Int32Array {
  let ranges = foldedRunes.get(rune)
  if (ranges === undefined) {
    const { inst, start } = programOf(RE2JS.compile(`(?i)[\\x00\\x{${rune.toString(16)}}]`))
    ranges = (inst[start]?.runes ?? NONE).slice(2)
    foldedRunes.set(rune, ranges)
  }
  return ranges
}
