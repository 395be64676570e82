import { readRune, widthOfRune } from '../../guardrails/automaton/runes.ts'

/** Results for the first 65,536 code points, each one more than it is: 0 is not known yet. */
const folds = new Uint32Array(0x10000)
const words = new Uint8Array(0x10000)

/** One code point for all that differ in case only: Unicode's simple folding, as `(?i)` of RE2. */
export function folded(rune: number): number {
  const kept = folds[rune] ?? 0
  if (kept > 0) return kept - 1
  const fold = folding(rune)
  folds[rune] = fold + 1
  return fold
}

/** Whether a code point is a letter, a digit or `_`. */
export function isWordRune(rune: number): boolean {
  if (rune < 0) return false
  const kept = words[rune] ?? 0
  if (kept > 0) return kept === 2
  const is = /[\p{L}\p{N}_]/u.test(String.fromCodePoint(rune))
  words[rune] = is ? 2 : 1
  return is
}

/** The code point that ends at this byte; below 0 for none. */
export function runeBefore(bytes: Buffer, at: number): number {
  for (let width = 1; width <= Math.min(4, at); width++) {
    const rune = readRune(bytes, at - width)
    if (rune >= 0 && widthOfRune(rune) === width) return rune
  }
  return -1
}

function folding(rune: number): number {
  // Its capital is I, but I is the capital of i.
  if (rune === DOTLESS_I) return rune
  const upper = single(String.fromCodePoint(rune).toUpperCase(), rune)
  return single(String.fromCodePoint(upper).toLowerCase(), upper)
}

const DOTLESS_I = 0x131

/** The only code point of a text, or the other one. */
function single(text: string, other: number): number {
  const rune = text.codePointAt(0) ?? other
  return String.fromCodePoint(rune).length === text.length ? rune : other
}
