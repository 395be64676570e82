import type { ByteString } from '../../text/byte-string.ts'
import { FunctionFailure } from '../errors.ts'
import {
  AnyFields,
  integerOf,
  isFields,
  List,
  typeName,
  Uint8,
  type Fields,
  type Value,
} from '../../fmt/value.ts'

/** What Go's reflect says about the type of nothing. */
const NO_TYPE = 'reflect: call of reflect.Value.Type on zero Value'

/** Bytes of a string, number of fields or items. */
export function lengthOf(value: Value): bigint {
  if (value === undefined) throw new FunctionFailure(NO_TYPE)
  if (typeof value === 'string') return BigInt(value.length)
  if (value instanceof List) return BigInt(value.items.length)
  if (isFields(value)) return BigInt(value.size)
  throw new FunctionFailure(`len of type ${typeName(value)}`)
}

/** `index . "name" 0`: a field by its name, an item or a byte of a string by its place, one after the other. */
export function indexed(item: Value, indexes: readonly Value[]): Value {
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
  // Go lets the end pass its own check and then fails inside reflect.
  if (at >= text.length) throw new FunctionFailure('reflect: string index out of range')
  return new Uint8(text.charCodeAt(at))
}

function itemOf({ items }: List, index: Value): Value {
  const at = placeIn(index, items.length)
  if (at >= items.length) throw new FunctionFailure('reflect: slice index out of range')
  return items[at]
}

/** An absent parameter is an empty string here, not nothing as it is for `.name`. */
function fieldOf(fields: Fields, name: Value): Value {
  if (typeof name === 'string') return fields.get(name) ?? (fields instanceof AnyFields ? undefined : '')
  if (name === undefined) throw new FunctionFailure('value is nil; should be of type string')
  throw new FunctionFailure(`value has type ${typeName(name)}; should be string`)
}

/** `slice "text" 1 3`: bytes, or items of a list, from a place up to another. */
export function sliced(item: Value, indexes: readonly Value[]): ByteString | List {
  if (item === undefined) throw new FunctionFailure('slice of untyped nil')
  if (indexes.length > 3) throw new FunctionFailure(`too many slice indexes: ${indexes.length}`)
  if (item instanceof List) return slicedList(item, indexes)
  if (typeof item !== 'string') throw new FunctionFailure(`can't slice item of type ${typeName(item)}`)
  if (indexes.length === 3) throw new FunctionFailure('cannot 3-index slice a string')
  const [start = 0, end = item.length] = indexes.map((index) => placeIn(index, item.length))
  if (start > end) throw new FunctionFailure(`invalid slice index: ${start} > ${end}`)
  return item.slice(start, end)
}

/** The third index is a capacity, which shows nowhere; here a list has no more of it than items. */
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
