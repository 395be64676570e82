/** A zero-valued struct field is not sent and is absent from `fields`. */
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

/** `fields` has the fields that were sent, by their Go name. */
export interface GobStruct {
  readonly kind: 'struct'
  readonly fields: ReadonlyMap<string, GobValue>
}

/** A Go `any`: the registered name of its type and the value, undefined for nil. */
export interface GobInterface {
  readonly kind: 'interface'
  readonly goType: string
  readonly value: GobValue | undefined
}

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

/** Describes the kind of a value, never its content. */
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

// The name comes from the stream. A damaged name could contain anything, so only a possible Go type is shown.
const TYPE_NAME = /^[\w.*[\]{}/ <>-]{1,100}$/

function printableTypeName(goType: string): string {
  return TYPE_NAME.test(goType) ? goType : 'a type with an unprintable name'
}

/**
 * A type of values in a gob stream. It refers to other types by number, and the decoder looks them up when it
 * needs them.
 */
export type GobType =
  | {
      readonly kind:
        'bool' | 'int' | 'uint' | 'float' | 'bytes' | 'string' | 'complex' | 'interface' | 'opaque'
    }
  | StructType
  | { readonly kind: 'slice'; readonly element: number }
  | { readonly kind: 'array'; readonly element: number; readonly length: number }
  | { readonly kind: 'map'; readonly key: number; readonly element: number }

/** The fields are in the order of their numbers. */
export interface StructType {
  readonly kind: 'struct'
  readonly fields: readonly { readonly name: string; readonly type: number }[]
}

/** The type of type definitions themselves. */
export const WIRE_TYPE = 16

/** Go's firstUserId. Both sides know the types with lower numbers. */
export const FIRST_DEFINED = 64

const INT = 2
const STRING = 6
const COMMON = 18
const FIELD = 21
const FIELD_LIST = 22
// Our own number, which Go never sends, for a type that encodes itself.
const SELF_ENCODED = 24

/** Types that both sides know: the basic types and the parts of definitions. */
export const KNOWN_TYPES: ReadonlyMap<number, GobType> = new Map<number, GobType>([
  [1, { kind: 'bool' }],
  [INT, { kind: 'int' }],
  [3, { kind: 'uint' }],
  [4, { kind: 'float' }],
  [5, { kind: 'bytes' }],
  [STRING, { kind: 'string' }],
  [7, { kind: 'complex' }],
  [8, { kind: 'interface' }],
  [WIRE_TYPE, wireType()],
  [17, struct({ CommonType: COMMON, Elem: INT, Len: INT })],
  [COMMON, struct({ Name: STRING, Id: INT })],
  [19, struct({ CommonType: COMMON, Elem: INT })],
  [20, struct({ CommonType: COMMON, Field: FIELD_LIST })],
  [FIELD, struct({ Name: STRING, Id: INT })],
  [FIELD_LIST, { kind: 'slice', element: FIELD }],
  [23, struct({ CommonType: COMMON, Key: INT, Elem: INT })],
  [SELF_ENCODED, struct({ CommonType: COMMON })],
])

function wireType(): StructType {
  return struct({
    ArrayT: 17,
    SliceT: 19,
    StructT: 20,
    MapT: 23,
    GobEncoderT: SELF_ENCODED,
    BinaryMarshalerT: SELF_ENCODED,
    TextMarshalerT: SELF_ENCODED,
  })
}

function struct(fields: Readonly<Record<string, number>>): StructType {
  return { kind: 'struct', fields: Object.entries(fields).map(([name, type]) => ({ name, type })) }
}
