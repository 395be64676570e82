import { DURATION, parseDuration, parseSize, SIZE } from '../text/units.ts'
import * as v from 'valibot'
import { textJson, wordsJson } from './json-schema.ts'
import { json, named, parsed, quantity } from './shapes.ts'

// The kinds of values that settings of agent and gateway have in common.

export function duration(...bounds: readonly [from: string, to: string]) {
  const schema = { type: ['string'], pattern: DURATION.source }
  const what = 'a duration (500ms, 10s, 5m, 1h, 7d)'
  return named('duration', quantity(parseDuration, { what, schema, bounds }))
}

export function size(...bounds: readonly [] | readonly [from: string, to: string]) {
  // 0 is the only size without a unit, so the only one that editors take for a number.
  const schema = { type: ['string', 'integer'], pattern: SIZE.source, minimum: 0, maximum: 0 }
  if (bounds.length === 0)
    return named('size', quantity(parseSize, { what: 'a size (0, 100B, 512KiB, 20MiB)', schema }))
  return named('size', quantity(parseSize, { what: 'a size (100B, 512KiB, 20MiB)', schema, bounds }))
}

export const truth = parsed(
  (word) => (word === 'true' ? true : word === 'false' ? false : undefined),
  'true or false',
  { type: ['boolean', 'string'], pattern: '^(?:true|false)$' },
)

/** One of some words, in any case; a word may be another spelling of the same value. */
export function choice<const Value extends string>(words: Readonly<Record<string, Value>>) {
  const known = Object.keys(words)
  const parse = (text: string): Value | undefined =>
    known.includes(text.toLowerCase()) ? words[text.toLowerCase()] : undefined
  const what = `${known.slice(0, -1).join(', ')} or ${known.at(-1) ?? ''}`
  return named([...new Set(Object.values(words))].join('|'), parsed(parse, what, wordsJson(known)))
}

/** A password may be in it, so it is not shown. */
export const webAddress = named(
  'url',
  v.pipe(
    parsed(
      (text) => (/^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined),
      'an address that begins with http:// or https://',
      textJson(/^https?:\/\//),
    ),
    json({ writeOnly: true }),
  ),
)
