/** A value read from a gob stream. A zero-valued struct field was not sent and is absent from `fields`. */
export type GobValue =
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | readonly GobValue[]
  | ReadonlyMap<GobValue, GobValue>
  | GobStruct
  | GobInterface
  | GobComplex
  | GobOpaque

/** A Go struct; the fields that were sent, by their Go name. */
export interface GobStruct {
  readonly kind: 'struct'
  readonly fields: ReadonlyMap<string, GobValue>
}

/** What a Go `any` held: the registered name of its type and the value, undefined for nil. */
export interface GobInterface {
  readonly kind: 'interface'
  readonly goType: string
  readonly value: GobValue | undefined
}

/** A Go complex128. */
export interface GobComplex {
  readonly kind: 'complex'
  readonly real: number
  readonly imaginary: number
}

/** Bytes that only their own Go type can read. `what` says why they are not decoded. */
export interface GobOpaque {
  readonly kind: 'opaque'
  readonly what: string
  readonly bytes: Buffer
}

export function isStruct(value: GobValue | undefined): value is GobStruct {
  return kindOf(value) === 'struct'
}

export function isList(value: GobValue | undefined): value is readonly GobValue[] {
  return Array.isArray(value)
}

export function isMap(value: GobValue | undefined): value is ReadonlyMap<GobValue, GobValue> {
  return value instanceof Map
}

export function isInterface(value: GobValue | undefined): value is GobInterface {
  return kindOf(value) === 'interface'
}

/** The kind of a value in words for an error message, never its content. */
export function describeValue(value: GobValue | undefined): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'number'
    case 'object':
      return describeObject(value)
    default:
      return typeof value
  }
}

function describeObject(value: Exclude<GobValue, string | number | bigint | boolean>): string {
  if (Buffer.isBuffer(value)) return 'bytes'
  if (isMap(value)) return 'map'
  if (isList(value)) return 'list'
  if (value.kind === 'opaque') return value.what
  return value.kind === 'interface' ? printableTypeName(value.goType) : value.kind
}

function kindOf(value: GobValue | undefined): string | undefined {
  return typeof value === 'object' && 'kind' in value ? value.kind : undefined
}

// The name comes from the stream. A damaged one could have anything, so only what may be a Go type is shown.
const TYPE_NAME = /^[\w.*[\]{}/ <>-]{1,100}$/

function printableTypeName(goType: string): string {
  return TYPE_NAME.test(goType) ? goType : 'a type with an unprintable name'
}
