import type * as v from 'valibot'
import { isNeeded } from '../../contract/contract.ts'

// Reads answers by plain functions made from the contract's shapes. valibot allocated 1 MB of objects for a
// list of twenty sessions, a tenth of the command's time.

/** A reader returns this if the value is not from a gateway. */
export const UNREADABLE = Symbol('unreadable')
/** A field with this value is left out of the result. */
const ABSENT = Symbol('absent')

export type Reader<T = unknown> = (value: unknown) => T | typeof UNREADABLE

interface Field {
  readonly name: string
  readonly read: Reader
  readonly ifMissing: unknown
}

type Listed = v.ArraySchema<v.GenericSchema, undefined>
type Keyed = v.StrictObjectSchema<v.ObjectEntries, undefined>
type Wrapping = v.NullableSchema<v.GenericSchema, undefined>
type Choice = v.UnionSchema<v.GenericSchema[], undefined>
type Mapped = v.RecordSchema<v.GenericSchema<string, string>, v.GenericSchema, undefined>

/** Returns the lenient reader of answers of this shape (`Read`). */
export function readerOf(shape: v.GenericSchema): Reader {
  switch (shape.type) {
    case 'array': {
      const list = every(itemReader((shape as Listed).item))
      return (value) => (value === null ? [] : list(value))
    }
    case 'strict_object':
      return objectReader((shape as Keyed).entries)
    case 'nullable': {
      const read = readerOf((shape as Wrapping).wrapped)
      return (value) => (value === null ? null : read(value))
    }
    case 'union':
      return firstOf((shape as Choice).options.map(readerOf))
    default:
      throw new Error(`no answer is read as ${shape.type}`)
  }
}

function objectReader(entries: v.ObjectEntries): Reader {
  const fields = Object.entries(entries).map(([name, shape]) => ({ name, ...fieldReader(shape) }))
  return (value) => {
    if (!isObject(value)) return UNREADABLE
    const known = readFields(fields, value)
    return known === UNREADABLE ? UNREADABLE : Object.assign(known, { raw: value })
  }
}

function readFields(
  fields: readonly Field[],
  value: Readonly<Record<string, unknown>>,
): object | typeof UNREADABLE {
  const known: Record<string, unknown> = {}
  for (const { name, read, ifMissing } of fields) {
    const content = name in value ? read(value[name]) : ifMissing
    if (content === UNREADABLE) return UNREADABLE
    if (content !== ABSENT) known[name] = content
  }
  return known
}

function fieldReader(shape: v.GenericSchema): Omit<Field, 'name'> {
  const isOptional = !isNeeded(shape)
  const simple = simpleReader(shape)
  if (simple !== undefined) {
    const { read, blank } = simple
    return isOptional ? orElse(read, blank) : { read, ifMissing: UNREADABLE }
  }
  switch (shape.type) {
    case 'array': {
      const item = itemReader((shape as Listed).item)
      return isOptional ? orElse(readableOnes(item), []) : { read: every(item), ifMissing: UNREADABLE }
    }
    case 'record':
      return orElse(mapReader(shape as Mapped), {})
    case 'nullable':
    case 'optional':
      return nullableReader((shape as Wrapping).wrapped)
    case 'null':
      return { read: () => undefined, ifMissing: ABSENT }
    default: {
      const read = readerOf(shape)
      return isOptional ? orAbsent(read) : { read, ifMissing: UNREADABLE }
    }
  }
}

function simpleReader(
  shape: v.GenericSchema,
): { readonly read: Reader; readonly blank: unknown } | undefined {
  if (isText(shape)) return { read: text, blank: '' }
  if (shape.type === 'number') return { read: number, blank: 0 }
  if (shape.type === 'literal' || shape.type === 'boolean') return { read: boolean, blank: false }
  return undefined
}

/** Whether the shape is a text. A literal can be a text or a boolean. */
function isText({ type, literal }: v.GenericSchema & { readonly literal?: unknown }): boolean {
  return type === 'string' || type === 'picklist' || (type === 'literal' && typeof literal === 'string')
}

/**
 * Makes the reader of a field that may be null. A null or missing text becomes ''. Any other null or missing
 * value becomes undefined. An invalid number becomes undefined, too, not 0.
 */
function nullableReader(wrapped: v.GenericSchema): Omit<Field, 'name'> {
  if (isText(wrapped)) return orElse(text, '')
  if (wrapped.type === 'nullable') return nullableReader((wrapped as Wrapping).wrapped)
  const read = wrapped.type === 'number' ? number : fieldReader(wrapped).read
  return orAbsent((value) => (value === null ? undefined : read(value)))
}

function itemReader(item: v.GenericSchema): Reader {
  switch (item.type) {
    case 'unknown':
      return (value) => value
    case 'number':
      return number
    case 'record':
      return orElse(mapReader(item as Mapped), {}).read
    case 'array':
    case 'strict_object':
      return readerOf(item)
    default:
      return text
  }
}

function text(value: unknown): string | typeof UNREADABLE {
  return typeof value === 'string' ? value : UNREADABLE
}

function number(value: unknown): number | typeof UNREADABLE {
  return typeof value === 'number' ? value : UNREADABLE
}

function boolean(value: unknown): boolean | typeof UNREADABLE {
  return typeof value === 'boolean' ? value : UNREADABLE
}

function orElse(read: Reader, blank: unknown): Omit<Field, 'name'> {
  const readOrBlank = (value: unknown): unknown => {
    const content = read(value)
    return content === UNREADABLE ? blank : content
  }
  return { read: readOrBlank, ifMissing: blank }
}

function orAbsent(read: Reader): Omit<Field, 'name'> {
  return { ...orElse(read, undefined), ifMissing: ABSENT }
}

function firstOf(readers: readonly Reader[]): Reader {
  return (value) => {
    for (const read of readers) {
      const content = read(value)
      if (content !== UNREADABLE) return content
    }
    return UNREADABLE
  }
}

/** Makes a reader that refuses a list with an unreadable entry. */
function every(item: Reader): Reader {
  const list = readableOnes(item)
  return (value) => {
    const read = list(value)
    return Array.isArray(read) && read.length === (value as unknown[]).length ? read : UNREADABLE
  }
}

/** Makes a reader that drops unreadable entries of a list. */
function readableOnes(item: Reader): Reader {
  return (value) =>
    Array.isArray(value) ? value.map(item).filter((entry) => entry !== UNREADABLE) : UNREADABLE
}

function mapReader({ value: shape }: Mapped): Reader {
  const item = itemReader(shape)
  return (value) => {
    if (!isObject(value)) return UNREADABLE
    const entries = Object.entries(value).map(([key, content]) => [key, item(content)] as const)
    return entries.some(([, content]) => content === UNREADABLE) ? UNREADABLE : Object.fromEntries(entries)
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
