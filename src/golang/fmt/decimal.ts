/** The digits of a positive number: 0.DIGITS times ten to the power of `point`, or no digits for zero. */
export interface Decimal {
  readonly digits: string
  readonly point: number
}

/** The exact decimal value of a float64 has at most this many digits after the point; more would all be zeros. */
const MAX_FRACTION = 1100

const ZERO: Decimal = { digits: '', point: 0 }

/** The fewest digits that read back as the same float64. */
export function shortest(value: number): Decimal {
  if (value === 0) return ZERO
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return { digits: digits.replace('.', ''), point: Number(exponent) + 1 }
}

/** Rounds to a number of places after the point, halves to even as Go does (JavaScript rounds them up). */
export function roundedToPlaces(value: number, places: number): Decimal {
  const exact = Math.min(places, MAX_FRACTION)
  const digits = scaledAndRounded(value, exact).toString()
  return digits === '0' ? ZERO : { digits, point: digits.length - exact }
}

/** Rounded to a number of significant digits, which is at least one. */
export function roundedToDigits(value: number, count: number): Decimal {
  if (value === 0) return ZERO
  const wanted = Math.min(count, MAX_FRACTION)
  let point = shortest(value).point
  let digits = scaledAndRounded(value, wanted - point).toString()
  if (digits.length < wanted) digits = scaledAndRounded(value, wanted - --point).toString()
  if (digits.length > wanted) point++
  return { digits: digits.slice(0, wanted), point }
}

/** value * 10^places as an integer, halves to even; `places` may be negative. */
function scaledAndRounded(value: number, places: number): bigint {
  const { mantissa, exponent } = parts(value)
  const numerator = mantissa * 10n ** BigInt(Math.max(places, 0)) * 2n ** BigInt(Math.max(exponent, 0))
  const denominator = 10n ** BigInt(Math.max(-places, 0)) * 2n ** BigInt(Math.max(-exponent, 0))
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  const roundsUp = twice > denominator || (twice === denominator && quotient % 2n === 1n)
  return roundsUp ? quotient + 1n : quotient
}

/** A float64 that is not negative as mantissa * 2^exponent, exactly. */
function parts(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const fraction = bits & 0xfffffffffffffn
  const biased = Number((bits >> 52n) & 0x7ffn)
  if (biased === 0) return { mantissa: fraction, exponent: -1074 }
  return { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 }
}
