import type { ByteString } from '../text/byte-string.ts'

/** Go's uint8, which `index` returns from a string. */
export class Uint8 {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** Go's []interface {}. */
export class List {
  readonly items: readonly Value[]

  constructor(items: readonly Value[]) {
    this.items = items
  }
}

/** The value of the dot at the top of a template, or a map inside data. The names are byte strings. */
export type Fields = ReadonlyMap<ByteString, Value>

/** Go's map[string]interface {}. Other `Fields` are a map[string]string of Go: the runbook's parameters. */
export class AnyFields extends Map<ByteString, Value> {}

/** A bigint is an int of Go, a number is a float64, and undefined is nil or an absent parameter. */
export type Value = ByteString | boolean | bigint | number | Uint8 | List | Fields | undefined

export function typeName(value: Exclude<Value, undefined>): string {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float64'
  if (value instanceof Uint8) return 'uint8'
  if (value instanceof List) return '[]interface {}'
  return value instanceof AnyFields ? 'map[string]interface {}' : 'map[string]string'
}

/** Tests if `if` treats a value as true. Such a value is not empty, zero or absent. */
export function isTrue(value: Value): boolean {
  if (value === undefined) return false
  if (value instanceof Uint8) return value.value !== 0
  if (value instanceof List) return value.items.length > 0
  if (typeof value === 'object') return value.size > 0
  return Boolean(value)
}

export function integerOf(value: Value): bigint | undefined {
  if (value instanceof Uint8) return BigInt(value.value)
  return typeof value === 'bigint' ? value : undefined
}

/** Returns the names sorted by their bytes. Go reads a map in the same order. */
export function sortedNames(fields: Fields): readonly ByteString[] {
  return [...fields.keys()].sort()
}

export function isFields(value: Value): value is Fields {
  return value instanceof Map
}
