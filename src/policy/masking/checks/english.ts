import { allEqual, digitsOf, weighted } from './digits.ts'

/** A US social security number that can have been given out. */
export function usSsn(match: string): boolean {
  const digits = match.replaceAll('-', '')
  if (!/^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(digits)) return false
  return !allEqual(digitsOf(digits)) && !'0123456789'.includes(digits)
}

/** A US taxpayer number, by the ranges in use of its second and third digit. */
export function usItin(match: string): boolean {
  return /^9(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])(?!00)\d{2}(?!0000)\d{4}$/.test(match.replaceAll('-', ''))
}

export function abaRouting(match: string): boolean {
  return weighted(digitsOf(match), [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
}

/** A rest of ten has no digit: such numbers are not given out. */
export function ukNhs(match: string): boolean {
  const digits = digitsOf(match)
  return (11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === digits[9]
}

/** A national insurance number, but for prefixes that are not used. */
export function ukNino(match: string): boolean {
  return !/^(?:BG|GB|NK|KN|TN|NT|ZZ)/.test(match)
}

export function auTfn(match: string): boolean {
  return weighted(digitsOf(match), [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0
}

/** The first digit counts one less. */
export function auAbn(match: string): boolean {
  const [first = 0, ...others] = digitsOf(match)
  return weighted([Math.max(first - 1, 0), ...others], [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) % 89 === 0
}

export function auAcn(match: string): boolean {
  return weighted(digitsOf(match), [8, 7, 6, 5, 4, 3, 2, 1, 1]) % 10 === 0
}

export function auMedicare(match: string): boolean {
  const digits = digitsOf(match)
  return /^[2-6]/.test(match) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digits[8]
}

const SINGAPORE_FG = 'XWUTRQPNMLK'
const SINGAPORE_M = 'XWUTRQPNJLK'

/** A foreigner's number of Singapore: each first letter adds a number of its own. */
export function sgFin(match: string): boolean {
  const sum = weighted(digitsOf(match), [2, 7, 6, 5, 4, 3, 2])
  if (match.startsWith('M')) return SINGAPORE_M[(sum + 3) % 11] === match[8]
  return SINGAPORE_FG[(sum + (match.startsWith('G') ? 4 : 0)) % 11] === match[8]
}
