import type { ByteString } from '../text/byte-string.ts'
import { roundedToDigits, roundedToPlaces, shortest, type Decimal } from './decimal.ts'
import { FunctionFailure } from '../template/errors.ts'
import { pad, type Layout } from './layout.ts'

/** Digits after the point for `%e` and `%f` when no precision is given. */
const DEFAULT_PLACES = 6

/** A float64 for a verb, undefined when the verb is none for floats. The binary verbs %b %x %X are refused. */
export function formatFloat(value: number, verb: string, layout: Layout): ByteString | undefined {
  if ('bxX'.includes(verb)) throw new FunctionFailure(`%${verb} of a float64 is not supported`)
  if (!'vgGeEfF'.includes(verb)) return undefined
  const isNegative = value < 0 || Object.is(value, -0)
  const unsigned = magnitudeText(Math.abs(value), verb, layout.precision)
  const number = layout.sharp ? withPoint(unsigned, verb, layout.precision) : unsigned
  return withSign(number, isNegative, layout)
}

function magnitudeText(value: number, verb: string, precision: number | undefined): string {
  switch (verb) {
    case 'e':
    case 'E': {
      const places = precision ?? DEFAULT_PLACES
      return withExponent(roundedToDigits(value, places + 1), places, verb)
    }
    case 'f':
    case 'F': {
      const places = precision ?? DEFAULT_PLACES
      return plainDigits(roundedToPlaces(value, places), places)
    }
    default:
      return compact(value, verb === 'G' ? 'E' : 'e', precision)
  }
}

/** `%g`: an exponent for very small and very large numbers, else plain digits. */
function compact(value: number, letter: string, precision: number | undefined): string {
  const wanted = precision === 0 ? 1 : precision
  const decimal = wanted === undefined ? shortest(value) : withoutZeros(roundedToDigits(value, wanted))
  const { digits, point } = decimal
  const exponent = point - 1
  if (exponent < -4 || exponent >= exponentLimit(decimal, wanted)) {
    return withExponent(decimal, Math.max(digits.length - 1, 0), letter)
  }
  return plainDigits(decimal, Math.max(digits.length - point, 0))
}

/** From this exponent on `%g` without a precision writes one. */
const SHORTEST_EXPONENT_LIMIT = 6

function exponentLimit({ digits, point }: Decimal, precision: number | undefined): number {
  if (precision === undefined) return SHORTEST_EXPONENT_LIMIT
  return precision > digits.length && digits.length >= point ? digits.length : precision
}

function withoutZeros(decimal: Decimal): Decimal {
  return { digits: decimal.digits.replace(/0+$/, ''), point: decimal.point }
}

function withExponent({ digits, point }: Decimal, places: number, letter: string): string {
  const exponent = digits === '' ? 0 : point - 1
  const first = digits.charAt(0) || '0'
  const rest = places > 0 ? `.${digits.slice(1, places + 1).padEnd(places, '0')}` : ''
  const power = Math.abs(exponent).toString().padStart(2, '0')
  return `${first}${rest}${letter}${exponent < 0 ? '-' : '+'}${power}`
}

function plainDigits({ digits, point }: Decimal, places: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (places <= 0) return whole
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(Math.min(-point, places)) + digits
  return `${whole}.${fraction.slice(0, places).padEnd(places, '0')}`
}

/** The `#` flag: always a point, and for `%g` the zeros that were dropped. */
function withPoint(number: string, verb: string, precision: number | undefined): string {
  const [mantissa = '', tail] = number.split(/(?=[eE])/)
  const significant = mantissa.replace('.', '').replace(/^0+/, '').length
  const wanted = 'vgG'.includes(verb) ? (precision ?? DEFAULT_PLACES) : 0
  const counted = mantissa === '0' ? 1 : significant
  const point = mantissa.includes('.') ? '' : '.'
  return mantissa + point + '0'.repeat(Math.max(wanted - counted, 0)) + (tail ?? '')
}

/** Zeros of the 0 flag stand between the sign and the digits. */
function withSign(number: string, isNegative: boolean, layout: Layout): string {
  const sign = isNegative ? '-' : layout.plus ? '+' : layout.space ? ' ' : ''
  const missing = (layout.width ?? 0) - sign.length - number.length
  if (layout.zero && !layout.minus && missing > 0) return sign + '0'.repeat(missing) + number
  return pad(sign + number, layout)
}
