import { encodeRune, REPLACEMENT_RUNE, type ByteString } from '../text/byte-string.ts'
import { isPrintable } from '../text/characters.ts'
import { pad, padWithSpaces, type Layout } from './layout.ts'
import { quoteRune } from '../text/quote.ts'

const BASES: Readonly<Record<string, 2 | 8 | 10 | 16>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 }

/** An integer for a verb, undefined when the verb is none for integers. `signed` is false for a uint8. */
export function formatInteger(
  value: bigint,
  signed: boolean,
  verb: string,
  layout: Layout,
): ByteString | undefined {
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

/** Leading zeros come from a precision, or from the 0 flag with a width; then the sign takes one place. */
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

/** `U+0041`, with `#` also the character. A negative number shows its 64 bits. */
function unicode(value: bigint, layout: Layout): ByteString {
  const bits = BigInt.asUintN(64, value)
  const digits = bits
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(4, layout.precision ?? 4), '0')
  const shown = layout.sharp && bits <= 0x10ffffn && isPrintable(Number(bits))
  return padWithSpaces(`U+${digits}${shown ? ` '${encodeRune(Number(bits))}'` : ''}`, layout)
}
