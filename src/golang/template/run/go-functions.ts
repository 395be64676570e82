import { print, printf, printLine, shownTogether } from '../../fmt/printf.ts'
import {
  AnyFields,
  type Fields,
  integerOf,
  isFields,
  isTrue,
  List,
  typeName,
  Uint8,
  type Value,
} from '../../fmt/value.ts'
import { type ByteString, encodeText, runeAt } from '../../text/byte-string.ts'
import { isPrintable } from '../../text/quote.ts'
import { FunctionFailure, WORK_PER_FORMATTED_BYTE } from '../errors.ts'
import type { TemplateFunction } from './function.ts'

/** Tests if a value equals one of the others. nil equals only nil. Other values must have the same type. */
function isEqualToAny(first: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new FunctionFailure('missing argument for comparison')
  return others.some((other) => isEqual(first, other))
}

function isEqual(left: Value, right: Value): boolean {
  if (left === undefined || right === undefined) return left === right
  const leftInteger = integerOf(left)
  const rightInteger = integerOf(right)
  if (leftInteger !== undefined && rightInteger !== undefined) return leftInteger === rightInteger
  if (typeName(left) !== typeName(right)) throw incompatible(left, right)
  if (typeof left === 'object') {
    // Go's message also contains the value. It may have secret parameters, so this message has only the type.
    throw new FunctionFailure(`non-comparable type ${typeName(left)}`)
  }
  return left === right
}

/** Compares integers, floats, or strings by their bytes. */
function isLess(left: Value, right: Value): boolean {
  if (!isBasic(left) || !isBasic(right)) throw new FunctionFailure('invalid type for comparison')
  const leftInteger = integerOf(left)
  const rightInteger = integerOf(right)
  if (leftInteger !== undefined && rightInteger !== undefined) return leftInteger < rightInteger
  if (typeof left === 'string' && typeof right === 'string') return left < right
  if (typeof left === 'number' && typeof right === 'number') return left < right
  if (typeName(left) !== typeName(right)) throw incompatible(left, right)
  throw new FunctionFailure('invalid type for comparison')
}

function isBasic(value: Value): value is Exclude<Value, Fields | List | undefined> {
  return value instanceof Uint8 || (value !== undefined && typeof value !== 'object')
}

function incompatible(left: Exclude<Value, undefined>, right: Exclude<Value, undefined>): FunctionFailure {
  return new FunctionFailure(`incompatible types for comparison: ${typeName(left)} and ${typeName(right)}`)
}

/** The error of Go's package reflect when it is asked for the type of nil. */
const NO_TYPE = 'reflect: call of reflect.Value.Type on zero Value'

/** Returns the number of bytes, fields or items. */
function lengthOf(value: Value): bigint {
  if (value === undefined) throw new FunctionFailure(NO_TYPE)
  if (typeof value === 'string') return BigInt(value.length)
  if (value instanceof List) return BigInt(value.items.length)
  if (isFields(value)) return BigInt(value.size)
  throw new FunctionFailure(`len of type ${typeName(value)}`)
}

/** Evaluates `index . "name" 0`. Each index is the name of a field, or the place of an item or a byte. */
function indexed(item: Value, indexes: readonly Value[]): Value {
  if (item === undefined) throw new FunctionFailure('index of untyped nil')
  return indexes.reduce<Value>((at, index) => {
    if (at === undefined) throw new FunctionFailure('index of nil pointer')
    return element(at, index)
  }, item)
}

function element(item: Exclude<Value, undefined>, index: Value): Value {
  if (typeof item === 'string') return byteOf(item, index)
  if (item instanceof List) return itemOf(item, index)
  if (isFields(item)) return fieldOf(item, index)
  throw new FunctionFailure(`can't index item of type ${typeName(item)}`)
}

function byteOf(text: ByteString, index: Value): Uint8 {
  const at = placeIn(index, text.length)
  // If the index equals the length, Go's check accepts it, and Go's package reflect reports this error.
  if (at >= text.length) throw new FunctionFailure('reflect: string index out of range')
  return new Uint8(text.charCodeAt(at))
}

function itemOf({ items }: List, index: Value): Value {
  const at = placeIn(index, items.length)
  if (at >= items.length) throw new FunctionFailure('reflect: slice index out of range')
  return items[at]
}

/** Returns an empty string for an absent parameter. In contrast, the value of `.name` is then absent. */
function fieldOf(fields: Fields, name: Value): Value {
  if (typeof name === 'string') return fields.get(name) ?? (fields instanceof AnyFields ? undefined : '')
  if (name === undefined) throw new FunctionFailure('value is nil; should be of type string')
  throw new FunctionFailure(`value has type ${typeName(name)}; should be string`)
}

/** Evaluates `slice "text" 1 3`. Returns bytes of a string, or items of a list. */
function sliced(item: Value, indexes: readonly Value[]): ByteString | List {
  if (item === undefined) throw new FunctionFailure('slice of untyped nil')
  if (indexes.length > 3) throw new FunctionFailure(`too many slice indexes: ${indexes.length}`)
  if (item instanceof List) return slicedList(item, indexes)
  if (typeof item !== 'string') throw new FunctionFailure(`can't slice item of type ${typeName(item)}`)
  if (indexes.length === 3) throw new FunctionFailure('cannot 3-index slice a string')
  const [start = 0, end = item.length] = indexes.map((index) => placeIn(index, item.length))
  if (start > end) throw new FunctionFailure(`invalid slice index: ${start} > ${end}`)
  return item.slice(start, end)
}

/** The third index is a capacity, which templates cannot see. A list's capacity is its number of items. */
function slicedList({ items }: List, indexes: readonly Value[]): List {
  const [start = 0, end = items.length, most = items.length] = indexes.map((index) =>
    placeIn(index, items.length),
  )
  if (start > end) throw new FunctionFailure(`invalid slice index: ${start} > ${end}`)
  if (end > most) throw new FunctionFailure(`invalid slice index: ${end} > ${most}`)
  return new List(items.slice(start, end))
}

function placeIn(index: Value, length: number): number {
  if (index === undefined) throw new FunctionFailure('cannot index slice/array with nil')
  const place = integerOf(index)
  if (place === undefined) throw new FunctionFailure(`cannot index slice/array with type ${typeName(index)}`)
  if (place < 0n || place > BigInt(length)) throw new FunctionFailure(`index out of range: ${place}`)
  return Number(place)
}

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
}

const NUL_IN_HTML = encodeText('\ufffd')

const JAVASCRIPT: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
}

/** Escapes bytes for the text of an HTML page, or for an attribute in quotes. */
function escapeHtml(bytes: ByteString): ByteString {
  return bytes.replace(/["'&<>]/g, (character) => HTML[character] ?? character).replaceAll('\0', NUL_IN_HTML)
}

/** Matches characters that may need escaping, as many as follow each other. */
const SPECIAL_IN_JAVASCRIPT = /[^ !#-%(-;?-[\]-\x7f]+/g

/** Escapes bytes for a string literal of JavaScript. */
function escapeJavaScript(bytes: ByteString): ByteString {
  return bytes.replace(SPECIAL_IN_JAVASCRIPT, escapeJavaScriptRun)
}

function escapeJavaScriptRun(run: ByteString): ByteString {
  const parts: ByteString[] = []
  for (let at = 0; at < run.length;) {
    const { value, width } = runeAt(run, at)
    parts.push(escapeJavaScriptRune(value, run.slice(at, at + width)))
    at += width
  }
  return parts.join('')
}

function escapeJavaScriptRune(value: number, bytes: ByteString): ByteString {
  const named = JAVASCRIPT[bytes]
  if (named !== undefined) return named
  const isPlain = value < 0x80 ? value >= 0x20 : isPrintable(value)
  return isPlain ? bytes : `\\u${value.toString(16).toUpperCase().padStart(4, '0')}`
}

/** Replaces a space by `+`. Replaces each other byte by `%XX`, except letters, digits and `-_.~`. */
function escapeUrlQuery(bytes: ByteString): ByteString {
  return bytes.replace(/[^A-Za-z0-9\-_.~]/g, (character) =>
    character === ' ' ? '+' : `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** Makes a function that costs the same for values of any size. */
export function cheap(target: TemplateFunction): TemplateFunction {
  return { ...target, workPerByte: 0 }
}

function comparison(compare: (left: Value, right: Value) => boolean): TemplateFunction {
  return { fixed: ['any', 'any'], apply: ([left, right]) => compare(left, right) }
}

function ofAny(apply: (values: readonly Value[]) => Value): TemplateFunction {
  return { fixed: [], rest: 'any', apply }
}

function formatting(target: TemplateFunction): TemplateFunction {
  return { ...target, workPerByte: WORK_PER_FORMATTED_BYTE }
}

function ofFirst(apply: (first: Value, others: readonly Value[]) => Value): TemplateFunction {
  return { fixed: ['any'], rest: 'any', apply: ([first, ...others]) => apply(first, others) }
}

/** Go's own functions. For `and`, `or` and `call`, only the types are used: expressions.ts evaluates them. */
export const GO_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  and: ofFirst((first) => first),
  or: ofFirst((first) => first),
  not: cheap({ fixed: ['any'], apply: ([value]) => !isTrue(value) }),
  eq: ofFirst(isEqualToAny),
  ne: comparison((left, right) => !isEqualToAny(left, [right])),
  lt: comparison(isLess),
  le: comparison((left, right) => isLess(left, right) || isEqualToAny(left, [right])),
  gt: comparison((left, right) => !isLess(left, right) && !isEqualToAny(left, [right])),
  ge: comparison((left, right) => !isLess(left, right)),
  len: cheap({ fixed: ['any'], apply: ([value]) => lengthOf(value) }),
  index: cheap(ofFirst(indexed)),
  slice: cheap(ofFirst(sliced)),
  call: ofFirst((first) => first),
  print: ofAny(print),
  println: ofAny(printLine),
  printf: formatting({
    fixed: ['string'],
    rest: 'any',
    apply: ([format, ...values]) => printf(typeof format === 'string' ? format : '', values),
  }),
  html: formatting(ofAny((values) => escapeHtml(shownTogether(values)))),
  js: formatting(ofAny((values) => escapeJavaScript(shownTogether(values)))),
  urlquery: formatting(ofAny((values) => escapeUrlQuery(shownTogether(values)))),
}
