import * as v from 'valibot'
import { didYouMean } from '../text/nearest.ts'
import { DURATION, parseDuration, parseSize, SIZE } from '../text/units.ts'
import { defaultJson, type JsonSchema, orNull, textJson, wordsJson } from './json-schema.ts'
import type { Path, Problems } from './problems.ts'

// Parts of the shapes of settings files. Each part has its JSON schema as valibot's metadata. Messages say
// which values are accepted and never quote the value, which may be a secret.

/** Makes the message for a missing value, or for a list or map in the wrong place. */
export function expected(what: string) {
  return ({ input }: { readonly input: unknown }): string => {
    if (input === undefined || input === null) return `${what} is expected, but the value is missing`
    const found = Array.isArray(input) ? 'a list' : typeof input === 'object' ? 'a map' : 'a single value'
    return `${what} is expected, but this is ${found}`
  }
}

function isMap(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}

export function about<const Shape extends v.GenericSchema>(meaning: string, shape: Shape) {
  return v.pipe(shape, v.description<v.InferOutput<Shape>, string>(meaning))
}

export function json<const Input>(schema: JsonSchema) {
  return v.metadata<Input, Record<string, unknown>>({ ...schema })
}

/** `title` is the placeholder for the value in the usage text of a flag. */
export function named<const Shape extends v.GenericSchema>(title: string, shape: Shape) {
  return v.pipe(shape, v.title<v.InferOutput<Shape>, string>(title))
}

/** An optional shape also accepts null. */
export function jsonOf(shape: v.GenericSchema): JsonSchema {
  const meaning = v.getDescription(shape)
  const schema: JsonSchema = isOptional(shape)
    ? { ...orNull(jsonOf(shape.wrapped)), ...defaultJson(shape.default) }
    : v.getMetadata(shape)
  if (meaning === undefined) return schema
  const { description } = schema
  return { ...schema, description: description === undefined ? meaning : `${meaning}. Takes ${description}` }
}

type Optional = v.NullishSchema<v.GenericSchema, JsonSchema['default']>

function isOptional(shape: v.GenericSchema): shape is v.GenericSchema & Optional {
  return shape.type === 'nullish'
}

/**
 * A map that accepts only these settings. For an unknown setting, the issue's message is the list of known
 * names, which `checkShape` reads.
 */
export function map<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = Object.keys(entries)
  const missing = (issue: v.BaseIssue<unknown>): string =>
    issue.received === 'undefined' ? 'this setting is missing' : 'a map is expected'
  const shapes = Object.entries(entries) as [string, v.GenericSchema][]
  return v.pipe(
    v.custom<Record<string, unknown>>(isMap, expected(`a map with ${known.join(', ')}`)),
    v.objectWithRest(entries, v.never(known.join(' ')), missing),
    json({
      type: ['object'],
      properties: Object.fromEntries(shapes.map(([name, shape]) => [name, jsonOf(shape)])),
      required: shapes.filter(([, shape]) => !isOptional(shape)).map(([name]) => name),
      additionalProperties: false,
    }),
  )
}

/** `seen` says whether the values may be printed. */
export function entries<
  const Key extends v.GenericSchema<string, string>,
  const Value extends v.GenericSchema<unknown, string>,
>(key: Key, value: Value, seen: 'hidden' | 'shown' = 'hidden') {
  const record = v.pipe(
    v.custom<Record<string, unknown>>(isMap, expected('a map of names to values')),
    v.record(key, value),
    json({
      type: ['object'],
      propertyNames: jsonOf(key),
      additionalProperties: { ...jsonOf(value), ...(seen === 'hidden' && { writeOnly: true }) },
    }),
  )
  return v.nullish(record, {})
}

export function list<const Item extends v.GenericSchema>(item: Item, what: string) {
  return v.pipe(
    v.array(item, expected(`a list of ${what}`)),
    json({ type: ['array'], items: jsonOf(item), description: `a list of ${what}` }),
  )
}

/**
 * A list, or a text with commas or line breaks between its items. At least one item is required, because an
 * empty list would be ambiguous.
 */
export function listed(item: RegExp, what: string) {
  const text = `${what}, separated by commas,`
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, readonly string[]>(({ dataset, addIssue, NEVER }) => {
      const texts = itemsOf(dataset.value)
      if (texts?.every((each) => item.test(each)) === true && texts.length > 0) return texts
      addIssue({ message: `${text} or a list of them is expected` })
      return NEVER
    }),
    json({
      anyOf: [textJson(), { type: ['array'], items: textJson(item), minItems: 1 }],
      description: `${text} or a list of them`,
    }),
  )
}

function itemsOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return value.split(/[,\n]/).map((each) => each.trim())
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string')
  return isList ? value : undefined
}

export function matching(pattern: RegExp, what: string) {
  return v.pipe(
    v.string(expected(what)),
    v.regex(pattern, `${what} is expected`),
    json(referable(textJson(pattern), what)),
  )
}

/** The name of an entry is never a reference. */
export function entryName(pattern: RegExp, what: string) {
  return v.pipe(
    v.string(),
    v.regex(pattern, `${what} is expected`),
    json({ type: ['string'], pattern: pattern.source }),
  )
}

/**
 * `parse` returns undefined to refuse the text. `problemOf` returns what is wrong with a refused text, or an
 * empty text; it must not quote the text.
 */
export function parsed<Value>(
  parse: (text: string) => Value | undefined,
  what: string,
  schema: JsonSchema = textJson(),
  problemOf: (text: string) => string = () => '',
) {
  return v.pipe(
    v.string(expected(what)),
    v.rawTransform<string, Value>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value)
      if (value !== undefined) return value
      const problem = problemOf(dataset.value)
      addIssue({ message: `${what} is expected${problem === '' ? '' : `: ${problem}`}` })
      return NEVER
    }),
    json(referable(schema, what)),
  )
}

/** A number with a unit. */
function quantity(
  parse: (text: string) => number | undefined,
  {
    what,
    schema,
    bounds,
  }: { what: string; schema: JsonSchema; bounds?: readonly [from: string, to: string] },
) {
  const [from, to] = bounds ?? []
  const [low, high] = [parse(from ?? '') ?? 0, parse(to ?? '') ?? Infinity]
  const inBounds = (written: string): number | undefined => {
    const value = parse(written)
    return value !== undefined && value >= low && value <= high ? value : undefined
  }
  return parsed(inBounds, bounds === undefined ? what : `${what} from ${from} to ${to}`, schema)
}

/** Lets editors accept `file://PATH` or `env://NAME` instead of the value. */
function referable(schema: JsonSchema, what: string): JsonSchema {
  const reference = '^(?:file|env)://'
  const { pattern, anyOf } = schema
  return {
    ...schema,
    description: what.replace(/,$/, ''),
    ...(pattern === undefined ? {} : { pattern: `${reference}|${pattern}` }),
    ...(anyOf === undefined ? {} : { anyOf: [...anyOf, { type: ['string'], pattern: reference }] }),
  }
}

export function duration(...bounds: readonly [from: string, to: string]) {
  const schema = { type: ['string'], pattern: DURATION.source }
  const what = 'a duration (500ms, 10s, 5m, 1h, 7d)'
  return named('duration', quantity(parseDuration, { what, schema, bounds }))
}

export function size(...bounds: readonly [] | readonly [from: string, to: string]) {
  // 0 is the only size without a unit, and so the only size that editors read as a number.
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

/** Accepts upper and lower case. Several words may mean the same value. */
export function choice<const Value extends string>(words: Readonly<Record<string, Value>>) {
  const known = Object.keys(words)
  const parse = (text: string): Value | undefined =>
    known.includes(text.toLowerCase()) ? words[text.toLowerCase()] : undefined
  const what = `${known.slice(0, -1).join(', ')} or ${known.at(-1) ?? ''}`
  return named([...new Set(Object.values(words))].join('|'), parsed(parse, what, wordsJson(known)))
}

/** The address may contain a password, so it is not shown. */
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

/** A longer list of names in a message would hide the suggestion. */
const MAX_NAMES = 12

/** Returns undefined when the tree has a fault. Calls `report` for each fault, with its path from the top. */
export function checkShape<const Shape extends v.GenericSchema>(
  shape: Shape,
  tree: unknown,
  report: Problems['add'],
): v.InferOutput<Shape> | undefined {
  const result = v.safeParse(shape, tree)
  if (result.success) return result.output
  for (const issue of result.issues) {
    const path: Path = issue.path?.map(({ key }) => key as string | number) ?? []
    if (issue.type === 'never')
      report(path, unknownSetting(String(path.at(-1)), issue.message.split(' ')), 'key')
    else report(path, issue.message, issue.path?.at(-1)?.origin === 'key' ? 'key' : 'value')
  }
  return undefined
}

/** `known` are the names that are accepted in this place. */
export function unknownSetting(name: string, known: readonly string[]): string {
  const meant = didYouMean(name.slice(0, 100), known)
  const accepted = known.length > MAX_NAMES ? '' : `accepted here: ${known.join(', ')}`
  if (meant === undefined) return ['unknown setting', accepted].filter((part) => part !== '').join(', ')
  return `unknown setting, ${meant}${accepted === '' ? '' : ` (${accepted})`}`
}
