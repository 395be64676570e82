import { allEqual, digitsOf, weighted } from './digits.ts'

const CPF = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
const CNPJ = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
const PIS = [3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
const CNS = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]

export function cpf(match: string): boolean {
  return endsInTwoDigits(digitsOf(match), CPF)
}

export function cnpj(match: string): boolean {
  return endsInTwoDigits(digitsOf(match), CNPJ)
}

/** PIS, PASEP, NIS and NIT. A RENAVAM has the same weights: nothing but the words around tells one from the other. */
export function pis(match: string): boolean {
  const digits = digitsOf(match)
  return digits.length === 11 && !allEqual(digits) && checkDigit(digits, PIS) === digits[10]
}

/** The first of the two has the same weights, but for the first of them. */
function endsInTwoDigits(digits: readonly number[], weights: readonly number[]): boolean {
  const { length } = weights
  if (digits.length !== length + 1 || allEqual(digits)) return false
  return (
    checkDigit(digits, weights.slice(1)) === digits[length - 1] &&
    checkDigit(digits, weights) === digits[length]
  )
}

function checkDigit(digits: readonly number[], weights: readonly number[]): number {
  const rest = weighted(digits, weights) % 11
  return rest < 2 ? 0 : 11 - rest
}

/** A driving licence. Where the first rest is ten, the second digit is two less. */
export function cnh(match: string): boolean {
  const digits = digitsOf(match)
  if (digits.length !== 11 || allEqual(digits)) return false
  const first = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11
  const second = weighted(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11
  const shifted = first === 10 ? (second + 9) % 11 : second
  return digits[9] === first % 10 && digits[10] === (second === 10 ? 0 : shifted)
}

/** A health card: from 1 or 2 a PIS number, a block 000 or 001 and a digit; from 7, 8 or 9 only a sum. */
export function cns(match: string): boolean {
  const digits = digitsOf(match)
  if (digits.length !== 15) return false
  if (/^[789]/.test(match)) return weighted(digits, CNS) % 11 === 0
  return /^[12]/.test(match) && isDefinitiveCns(digits)
}

function isDefinitiveCns(digits: readonly number[]): boolean {
  const sum = weighted(digits, CNS.slice(0, 11))
  const isShifted = sum % 11 === 1
  const last = (11 - ((isShifted ? sum + 2 : sum) % 11)) % 11
  return digits.slice(11).join('') === `00${isShifted ? 1 : 0}${last}`
}

/** A voter's number, of the regions 01 to 28. In the regions 01 and 02 a rest of zero is written as one. */
export function titulo(match: string): boolean {
  const digits = digitsOf(match)
  const region = weighted(digits.slice(8), [10, 1])
  if (digits.length !== 12 || region < 1 || region > 28) return false
  const first = weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9]) % 11
  const second = weighted(digits.slice(8), [7, 8, 9]) % 11
  return isVoterDigit(digits[10], first, region) && isVoterDigit(digits[11], second, region)
}

function isVoterDigit(digit: number | undefined, rest: number, region: number): boolean {
  return digit === rest % 10 || (region < 3 && rest === 0 && digit === 1)
}
