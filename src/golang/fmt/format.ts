import { FunctionFailure } from '../template/errors.ts'
import { type ByteString, countRunes, encodeRune, firstRunes, REPLACEMENT_RUNE } from '../text/byte-string.ts'
import { canBackquote, isPrintable, quote, quoteRune } from '../text/quote.ts'
import { type Fields, List, sortedNames, typeName, Uint8, type Value } from './value.ts'

/** Flags, width and precision of one verb. `goSyntax` is set for `%#v`. */
export interface Layout {
  readonly minus: boolean
  readonly plus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  readonly goSyntax: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
}

export const PLAIN: Layout = {
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  goSyntax: false,
  width: undefined,
  precision: undefined,
}

/** Pads to the width of a layout, counted in code points. */
function pad(text: ByteString, layout: Layout): ByteString {
  const missing = (layout.width ?? 0) - (layout.width === undefined ? 0 : countRunes(text))
  if (missing <= 0) return text
  if (layout.minus) return text + ' '.repeat(missing)
  return (layout.zero ? '0' : ' ').repeat(missing) + text
}

/** Pads a number with spaces only. Its zeros are already added. */
function padWithSpaces(text: ByteString, layout: Layout): ByteString {
  return pad(text, { ...layout, zero: false })
}

/** The number 0.DIGITS * 10^`point`, which is not negative. The number 0 has no digits. */
interface Decimal {
  readonly digits: string
  readonly point: number
}

/** Maximum number of digits after the point in the exact value of a float64; further digits are zeros. */
const MAX_FRACTION = 1100

const ZERO: Decimal = { digits: '', point: 0 }

/** Returns the fewest digits that read back as the same float64. */
function shortest(value: number): Decimal {
  if (value === 0) return ZERO
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return { digits: digits.replace('.', ''), point: Number(exponent) + 1 }
}

/** Rounds to places after the point. Unlike JavaScript, Go rounds a half to the even digit. */
function roundedToPlaces(value: number, places: number): Decimal {
  const exact = Math.min(places, MAX_FRACTION)
  const digits = scaledAndRounded(value, exact).toString()
  return digits === '0' ? ZERO : { digits, point: digits.length - exact }
}

/** Rounds to at least one significant digit. */
function roundedToDigits(value: number, count: number): Decimal {
  if (value === 0) return ZERO
  const wanted = Math.min(count, MAX_FRACTION)
  let point = shortest(value).point
  let digits = scaledAndRounded(value, wanted - point).toString()
  if (digits.length < wanted) digits = scaledAndRounded(value, wanted - --point).toString()
  if (digits.length > wanted) point++
  return { digits: digits.slice(0, wanted), point }
}

/** Returns value * 10^places as a whole number. A half is rounded to even. `places` may be negative. */
function scaledAndRounded(value: number, places: number): bigint {
  const { mantissa, exponent } = parts(value)
  const numerator = mantissa * 10n ** BigInt(Math.max(places, 0)) * 2n ** BigInt(Math.max(exponent, 0))
  const denominator = 10n ** BigInt(Math.max(-places, 0)) * 2n ** BigInt(Math.max(-exponent, 0))
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  const roundsUp = twice > denominator || (twice === denominator && quotient % 2n === 1n)
  return roundsUp ? quotient + 1n : quotient
}

/** Splits a float64 that is not negative into mantissa * 2^exponent, exactly. */
function parts(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const fraction = bits & 0xfffffffffffffn
  const biased = Number((bits >> 52n) & 0x7ffn)
  if (biased === 0) return { mantissa: fraction, exponent: -1074 }
  return { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 }
}

/** Number of digits after the point for `%e` and `%f` without a precision. */
const DEFAULT_PLACES = 6

/** Returns undefined for verbs of other types. The binary verbs %b %x %X are refused. */
function formatFloat(value: number, verb: string, layout: Layout): ByteString | undefined {
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

/** Formats `%g`: very small and very large numbers with an exponent, others with plain digits. */
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

/** If a number has this power of ten or a larger one, `%g` without a precision writes an exponent. */
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

/** Applies the `#` flag. It adds a point. For `%g` it also adds the zeros that were dropped. */
function withPoint(number: string, verb: string, precision: number | undefined): string {
  const [mantissa = '', tail] = number.split(/(?=[eE])/)
  const significant = mantissa.replace('.', '').replace(/^0+/, '').length
  const wanted = 'vgG'.includes(verb) ? (precision ?? DEFAULT_PLACES) : 0
  const counted = mantissa === '0' ? 1 : significant
  const point = mantissa.includes('.') ? '' : '.'
  return mantissa + point + '0'.repeat(Math.max(wanted - counted, 0)) + (tail ?? '')
}

/** Puts the zeros of the 0 flag between the sign and the digits. */
function withSign(number: string, isNegative: boolean, layout: Layout): string {
  const sign = isNegative ? '-' : layout.plus ? '+' : layout.space ? ' ' : ''
  const missing = (layout.width ?? 0) - sign.length - number.length
  if (layout.zero && !layout.minus && missing > 0) return sign + '0'.repeat(missing) + number
  return pad(sign + number, layout)
}

const BASES: Readonly<Record<string, 2 | 8 | 10 | 16>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 }

/** Returns undefined for verbs of other types. `signed` is false for a uint8. */
function formatInteger(value: bigint, signed: boolean, verb: string, layout: Layout): ByteString | undefined {
  if (verb === 'v' && layout.goSyntax && !signed) return inBase(value, 16, 'v', { ...layout, sharp: true })
  const base = BASES[verb]
  if (base !== undefined) return inBase(value, base, verb, layout)
  const rune = runeOf(value)
  if (verb === 'c') return pad(encodeRune(rune), layout)
  if (verb === 'q') return pad(quoteRune(rune, layout.plus), layout)
  return verb === 'U' ? unicode(value, layout) : undefined
}

function runeOf(value: bigint): number {
  return value >= 0n && value <= 0x10ffffn ? Number(value) : REPLACEMENT_RUNE
}

function inBase(value: bigint, base: 2 | 8 | 10 | 16, verb: string, layout: Layout): ByteString {
  if (layout.precision === 0 && value === 0n) return ' '.repeat(layout.width ?? 0)
  const magnitude = (value < 0n ? -value : value).toString(base)
  const digits = (verb === 'X' ? magnitude.toUpperCase() : magnitude).padStart(
    leastDigits(value, layout),
    '0',
  )
  return padWithSpaces(sign(value, layout) + prefix(digits, base, verb, layout) + digits, layout)
}

/** Returns the precision. With the 0 flag and no precision, returns the width without the sign's place. */
function leastDigits(value: bigint, layout: Layout): number {
  if (layout.precision !== undefined) return layout.precision
  if (!layout.zero || layout.minus || layout.width === undefined) return 0
  return layout.width - (value < 0n || layout.plus || layout.space ? 1 : 0)
}

function sign(value: bigint, layout: Layout): string {
  if (value < 0n) return '-'
  if (layout.plus) return '+'
  return layout.space ? ' ' : ''
}

function prefix(digits: string, base: number, verb: string, layout: Layout): string {
  const octal = verb === 'O' ? '0o' : ''
  if (!layout.sharp) return octal
  if (base === 2) return '0b'
  if (base === 8) return octal + (digits.startsWith('0') ? '' : '0')
  if (base === 16) return verb === 'X' ? '0X' : '0x'
  return octal
}

/**
 * Formats a number as `U+0041`. The flag `#` adds the character: `U+0041 'A'`. A negative number is formatted
 * as its 64 bits.
 */
function unicode(value: bigint, layout: Layout): ByteString {
  const bits = BigInt.asUintN(64, value)
  const digits = bits
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, layout.precision ?? 4), '0')
  const shown = layout.sharp && bits <= 0x10ffffn && isPrintable(Number(bits))
  return padWithSpaces(`U+${digits}${shown ? ` '${encodeRune(Number(bits))}'` : ''}`, layout)
}

/** Formats like Go's fmt. If the verb does not fit the value, the result is a text like `%!d(string=abc)`. */
export function formatValue(value: Value, verb: ByteString, layout: Layout): ByteString {
  if (value === undefined) return verb === 'T' || verb === 'v' ? pad('<nil>', layout) : `%!${verb}(<nil>)`
  if (verb === 'T') return pad(truncated(typeName(value), layout), layout)
  return formatted(value, verb, layout) ?? `%!${verb}(${typeName(value)}=${formatValue(value, 'v', layout)})`
}

function formatted(value: Exclude<Value, undefined>, verb: string, layout: Layout): ByteString | undefined {
  if (typeof value === 'string') return formatString(value, verb, layout)
  if (typeof value === 'boolean') return verb === 't' || verb === 'v' ? pad(String(value), layout) : undefined
  if (typeof value === 'bigint') return formatInteger(value, true, verb, layout)
  if (typeof value === 'number') return formatFloat(value, verb, layout)
  if (value instanceof Uint8) return formatInteger(BigInt(value.value), false, verb, layout)
  if (verb === 'p' || verb === 'w') return undefined
  return value instanceof List ? formatList(value, verb, layout) : formatFields(value, verb, layout)
}

/** Formats fields as `map[a:1 b:2]`, sorted by name. Each name and each value is formatted by the verb. */
function formatFields(fields: Fields, verb: string, layout: Layout): ByteString {
  const entries = sortedNames(fields).map((name) =>
    [name, fields.get(name)].map((part) => formatInside(part, verb, layout)).join(':'),
  )
  return layout.goSyntax ? `${typeName(fields)}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`
}

/** Formats a list as `[a 1 true]`. Each item is formatted by the verb. */
function formatList(list: List, verb: string, layout: Layout): ByteString {
  const items = list.items.map((item) => formatInside(item, verb, layout))
  return layout.goSyntax ? `${typeName(list)}{${items.join(', ')}}` : `[${items.join(' ')}]`
}

function formatInside(value: Value, verb: string, layout: Layout): ByteString {
  if (value !== undefined) return formatValue(value, verb, layout)
  return layout.goSyntax ? 'interface {}(nil)' : '<nil>'
}

function formatString(text: ByteString, verb: string, layout: Layout): ByteString | undefined {
  switch (verb) {
    case 'v':
      return layout.goSyntax ? quoted(text, layout) : pad(truncated(text, layout), layout)
    case 's':
      return pad(truncated(text, layout), layout)
    case 'q':
      return quoted(text, layout)
    case 'x':
    case 'X':
      return hexadecimal(text, verb, layout)
    default:
      return undefined
  }
}

function truncated(text: ByteString, layout: Layout): ByteString {
  return layout.precision === undefined ? text : firstRunes(text, layout.precision)
}

function quoted(text: ByteString, layout: Layout): ByteString {
  const shown = truncated(text, layout)
  if (layout.sharp && canBackquote(shown)) return pad(`\`${shown}\``, layout)
  return pad(quote(shown, layout.plus), layout)
}

/**
 * Writes two digits per byte. The space flag puts a space between the bytes. The `#` flag adds `0x` once, or
 * to each byte if they are separated.
 */
function hexadecimal(text: ByteString, verb: 'x' | 'X', layout: Layout): ByteString {
  const bytes = Buffer.from(text, 'latin1').subarray(0, layout.precision)
  const digits = verb === 'X' ? bytes.toString('hex').toUpperCase() : bytes.toString('hex')
  if (digits === '') return pad('', layout)
  const mark = layout.sharp ? `0${verb}` : ''
  if (!layout.space) return pad(mark + digits, layout)
  return pad((digits.match(/../g) ?? []).map((pair) => mark + pair).join(' '), layout)
}
