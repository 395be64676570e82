import { digitsOf, luhn, weighted } from './digits.ts'

/** What a character counts at an odd place of an Italian tax code; digits count as the first ten letters. */
const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** An Italian tax code, by the table of the decree of 1976. */
export function itFiscalCode(match: string): boolean {
  const sum = Array.from(match.slice(0, 15)).reduce((total, letter, place) => {
    const value = letter > '9' ? letter.charCodeAt(0) - 65 : Number(letter)
    return total + (place % 2 === 0 ? (ODD[value] ?? 0) : value)
  }, 0)
  return String.fromCharCode(65 + (sum % 26)) === match[15]
}

export const itVat = luhn

const NIF = 'TRWAGMYFPDXBNJZSQVHLCKE'

export function esNif(match: string): boolean {
  return NIF[Number(match.slice(0, 8)) % 23] === match[8]
}

/** X, Y and Z stand for the digits 0, 1 and 2. */
export function esNie(match: string): boolean {
  return esNif(`${'XYZ'.indexOf(match.charAt(0))}${match.slice(1)}`)
}

export function plPesel(match: string): boolean {
  return weighted(digitsOf(match), [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
}

const FINNISH = '0123456789ABCDEFHJKLMNPRSTUVWXY'

export function fiPersonalCode(match: string): boolean {
  return FINNISH[Number(match.slice(0, 6) + match.slice(7, 10)) % 31] === match[10]
}

export function krRrn(match: string): boolean {
  return elevenLess(weighted(digitsOf(match), [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5])) === digitsOf(match)[12]
}

export function thTnin(match: string): boolean {
  return (
    elevenLess(weighted(digitsOf(match), [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) === digitsOf(match)[12]
  )
}

function elevenLess(sum: number): number {
  return (11 - (sum % 11)) % 10
}
