/** How values of one type are encoded. Other types are named by their number and looked up when needed. */
export type GobType =
  | {
      readonly kind:
        'bool' | 'int' | 'uint' | 'float' | 'bytes' | 'string' | 'complex' | 'interface' | 'opaque'
    }
  | StructType
  | { readonly kind: 'slice'; readonly element: number }
  | { readonly kind: 'array'; readonly element: number; readonly length: number }
  | { readonly kind: 'map'; readonly key: number; readonly element: number }

/** A struct: its fields in the order that gives them their numbers. */
export interface StructType {
  readonly kind: 'struct'
  readonly fields: readonly { readonly name: string; readonly type: number }[]
}

/** Number of the type that type definitions themselves have. */
export const WIRE_TYPE = 16

/** Lowest number a definition may take (Go's firstUserId); those below are known to both sides beforehand. */
export const FIRST_DEFINED = 64

const INT = 2
const STRING = 6
const COMMON = 18
const FIELD = 21
const FIELD_LIST = 22
// Stands for a type that encodes itself. The number is ours; Go never sends it.
const SELF_ENCODED = 24

/** The types both sides know beforehand, by number: the basic ones and those that definitions are made of. */
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
