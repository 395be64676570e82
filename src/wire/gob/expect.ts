import { DecodeError } from '../errors.ts'
import {
  describeValue,
  isInterface,
  isList,
  isMap,
  isStruct,
  type GobStruct,
  type GobValue,
} from './value.ts'
// All of these accept undefined for a field that was not sent, which means its zero value.

/** The struct, or DecodeError. */
export function expectStruct(value: GobValue | undefined, field: string): GobStruct {
  if (isStruct(value)) return value
  throw new DecodeError(field, `expected struct, found ${describeValue(value)}`)
}

/** The string, `''` when absent, or DecodeError. `key` is that of an element of `field`. */
export function expectText(value: GobValue | undefined, field: string, key?: string): string {
  if (value === undefined || typeof value === 'string') return value ?? ''
  throw new DecodeError(placeOf(field, key), `expected string, found ${describeValue(value)}`)
}

/** The bytes, undefined when absent or empty, or DecodeError. */
export function expectBytes(value: GobValue | undefined, field: string): Buffer | undefined {
  if (value === undefined) return undefined
  if (Buffer.isBuffer(value)) return value.length === 0 ? undefined : value
  throw new DecodeError(field, `expected bytes, found ${describeValue(value)}`)
}

/** The list of strings, empty when absent, or DecodeError. */
export function expectTextList(value: GobValue | undefined, field: string): string[] {
  if (value === undefined) return []
  if (isList(value)) return value.map((element, index) => expectText(element, `${field}[${index}]`))
  throw new DecodeError(field, `expected list of strings, found ${describeValue(value)}`)
}

/**
 * The map with string keys, empty when absent, or DecodeError. `expectElement` turns an element into a string or
 * throws; it gets the field and the key, a variable's name, for the error.
 */
export function expectTextMap(
  value: GobValue | undefined,
  field: string,
  expectElement: (element: GobValue, field: string, key: string) => string,
): Map<string, string> {
  if (value === undefined) return new Map()
  if (!isMap(value)) throw new DecodeError(field, `expected map, found ${describeValue(value)}`)
  const texts = new Map<string, string>()
  const keys = `${field} key`
  for (const [key, element] of value) {
    const name = expectText(key, keys)
    texts.set(name, expectElement(element, field, name))
  }
  return texts
}

/** The string in a Go `any` or a plain one; DecodeError with the Go type of what is there instead. */
export function expectTextInside(value: GobValue, field: string, key: string): string {
  if (!isInterface(value)) return expectText(value, field, key)
  if (value.goType === 'string') return expectText(value.value, field, key)
  throw new DecodeError(placeOf(field, key), `expected string, found ${describeValue(value)}`)
}

function placeOf(field: string, key: string | undefined): string {
  return key === undefined ? field : `${field}[${quoted(key)}]`
}

// Longer names are cut: errors go into log lines and the closing texts of sessions.
const MAX_QUOTED_CHARACTERS = 200

function quoted(name: string): string {
  const cut = name.length > MAX_QUOTED_CHARACTERS
  return JSON.stringify(cut ? `${name.slice(0, MAX_QUOTED_CHARACTERS)}...` : name)
}
