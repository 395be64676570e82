import { firstRunes, type ByteString } from '../text/byte-string.ts'
import { formatFloat } from './format-float.ts'
import { formatInteger } from './format-integer.ts'
import { pad, type Layout } from './layout.ts'
import { canBackquote, quote } from '../text/quote.ts'
import { List, sortedNames, typeName, Uint8, type Fields, type Value } from './value.ts'

/** A value as Go's fmt prints it for a verb. A verb that does not fit gives `%!d(string=abc)`, as in Go. */
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

/** `map[a:1 b:2]`, sorted by name; every name and value is printed for the verb on its own. */
function formatFields(fields: Fields, verb: string, layout: Layout): ByteString {
  const entries = sortedNames(fields).map((name) =>
    [name, fields.get(name)].map((part) => formatInside(part, verb, layout)).join(':'),
  )
  return layout.goSyntax ? `${typeName(fields)}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`
}

/** `[a 1 true]`; every item is printed for the verb on its own. */
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

/** Two digits per byte. With a space flag bytes stand apart, with `#` there is a `0x` before all or before each. */
function hexadecimal(text: ByteString, verb: 'x' | 'X', layout: Layout): ByteString {
  const bytes = Buffer.from(text, 'latin1').subarray(0, layout.precision)
  const digits = verb === 'X' ? bytes.toString('hex').toUpperCase() : bytes.toString('hex')
  if (digits === '') return pad('', layout)
  const mark = layout.sharp ? `0${verb}` : ''
  if (!layout.space) return pad(mark + digits, layout)
  return pad((digits.match(/../g) ?? []).map((pair) => mark + pair).join(' '), layout)
}
