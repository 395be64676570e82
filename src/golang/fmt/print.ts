import type { ByteString } from '../text/byte-string.ts'
import { formatValue } from './format-value.ts'
import { PLAIN } from './layout.ts'
import type { Value } from './value.ts'

/** Go's Sprint: a space between two operands when neither is a string. */
export function print(values: readonly Value[]): ByteString {
  return values
    .map((value, index) => {
      const separated = index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string'
      return (separated ? ' ' : '') + formatValue(value, 'v', PLAIN)
    })
    .join('')
}

/** Go's Sprintln: spaces between all operands, a line break at the end. */
export function printLine(values: readonly Value[]): ByteString {
  return `${values.map((value) => formatValue(value, 'v', PLAIN)).join(' ')}\n`
}

/** A value as an action writes it: an absent one shows. */
export function shown(value: Value): ByteString {
  return value === undefined ? '<no value>' : print([value])
}

/** The operands of `html`, `js` and `urlquery` as one string. */
export function shownTogether(values: readonly Value[]): ByteString {
  return print(values.map((value) => value ?? '<no value>'))
}
