import { type Finder, regexp } from '../subject.ts'

/** Returns the digits and skips all other characters. */
export function digitsOf(match: string): number[] {
  const digits: number[] = []
  for (let offset = 0; offset < match.length; offset++) {
    const digit = match.charCodeAt(offset) - 48
    if (digit >= 0 && digit <= 9) digits.push(digit)
  }
  return digits
}

/** Returns the weighted sum of the first digits: as many digits as there are weights. */
export function weighted(digits: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, place) => sum + weight * (digits[place] ?? 0), 0)
}

export function allEqual(digits: readonly number[]): boolean {
  return digits.every((digit) => digit === digits[0])
}

/** Checks Luhn's sum of payment cards: every second digit from the right is doubled. */
export function luhn(match: string): boolean {
  const digits = digitsOf(match).reverse()
  const sum = digits.reduce((total, digit, place) => total + (place % 2 === 0 ? digit : doubled(digit)), 0)
  return digits.length > 0 && sum % 10 === 0
}

function doubled(digit: number): number {
  return digit > 4 ? digit * 2 - 9 : digit * 2
}

/** Checks ISO 7064 mod 97-10. Ignores ordinary blanks. */
export function iban(match: string): boolean {
  const plain = match.replaceAll(' ', '')
  if (!/^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/.test(plain)) return false
  let rest = 0
  for (const letter of plain.slice(4) + plain.slice(0, 4)) {
    const value = parseInt(letter, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** Checks Verhoeff's digit, by the dihedral group of order ten and powers of a permutation. */
export function verhoeff(match: string): boolean {
  const sum = digitsOf(match)
    .reverse()
    .reduce((total, digit, place) => dihedral(total, permuted(digit, place % 8)), 0)
  return sum === 0
}

/** The values 0-4 are the rotations of a pentagon, 5-9 its reflections. */
function dihedral(left: number, right: number): number {
  const turn = left < 5 ? (left % 5) + (right % 5) : (left % 5) - (right % 5) + 5
  return (turn % 5) + (left < 5 === right < 5 ? 0 : 5)
}

const PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

function permuted(digit: number, times: number): number {
  let image = digit
  for (let time = 0; time < times; time++) image = PERMUTATION[image] ?? 0
  return image
}

export interface Pattern {
  readonly find: Finder
  readonly score: number
}

export interface Recognizer {
  readonly name: string
  readonly type: string
  readonly patterns: readonly Pattern[]
  /** Words that raise the score of a match when they are among the five words before it. */
  readonly context?: readonly string[]
  /** A match that passes this check is certain. A match that fails does not count. */
  readonly check?: (match: string) => boolean
  /** A match that passes this check keeps its score. A match that fails does not count. */
  readonly accepts?: (match: string) => boolean
  /** A match counts only when one of these words is in the 24 bytes before it. */
  readonly labels?: readonly string[]
  /** Whether a match needs one of its context words to count. */
  readonly needsContext?: boolean
}

/** `source` is a regular expression for bytes. In it, `_` matches one space (Unicode's category Zs). */
export function pattern(source: string, score: number): Pattern {
  return { find: regexp(source), score }
}
