/** The types of elements, keys and fields are given as the numbers of other types. */
export type TypeDefinition = { readonly id: number; readonly name: string } & (
  | { readonly kind: 'struct'; readonly fields: Readonly<Record<string, number>> }
  | { readonly kind: 'slice'; readonly element: number }
  | { readonly kind: 'map'; readonly key: number; readonly element: number }
)

/** Numbers of the types that Go knows without a definition. */
export const BYTES = 5
export const STRING = 6
export const INTERFACE = 8

/**
 * Encodes the definitions, then the value. The value has the first of these types, because Go sends the
 * outermost type first.
 */
export function encodeGob(
  definitions: readonly [TypeDefinition, ...TypeDefinition[]],
  value: Buffer,
): Buffer {
  const [outermost] = definitions
  const singletonMark = outermost.kind === 'struct' ? [] : [encodeUnsigned(0)]
  return Buffer.concat([beginningOf(definitions), message(outermost.id, ...singletonMark, value)])
}

/**
 * Encoded definitions. They are kept because they never change, and because they take longer to encode than
 * most values.
 */
const beginnings = new WeakMap<readonly TypeDefinition[], Buffer>()

function beginningOf(definitions: readonly TypeDefinition[]): Buffer {
  const known = beginnings.get(definitions)
  if (known !== undefined) return known
  const bytes = Buffer.concat(
    definitions.map((definition) => message(-definition.id, encodeDefinition(definition))),
  )
  beginnings.set(definitions, bytes)
  return bytes
}

export function encodeGobText(text: string): Buffer {
  return encodeBytes(Buffer.from(text, 'utf8'))
}

export function encodeBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([encodeUnsigned(bytes.length), bytes])
}

/** Encodes a string in a Go `any`: the name of the type, its number, the size, a zero byte, and the value. */
export function encodeTextInside(text: string): Buffer {
  const value = Buffer.concat([encodeUnsigned(0), encodeGobText(text)])
  return Buffer.concat([encodeGobText('string'), encodeSigned(STRING), encodeBytes(value)])
}

export function encodeList(elements: readonly Buffer[]): Buffer {
  return Buffer.concat([encodeUnsigned(elements.length), ...elements])
}

export function encodeMap(entries: readonly (readonly [Buffer, Buffer])[]): Buffer {
  return Buffer.concat([encodeUnsigned(entries.length), ...entries.flat()])
}

/** Encodes a struct. An undefined field has the zero value, which Go leaves out. */
export function encodeStruct(fields: readonly (Buffer | undefined)[]): Buffer {
  const parts: Buffer[] = []
  let previous = -1
  fields.forEach((field, index) => {
    if (field === undefined) return
    parts.push(encodeUnsigned(index - previous), field)
    previous = index
  })
  return Buffer.concat([...parts, encodeUnsigned(0)])
}

function message(id: number, ...parts: Buffer[]): Buffer {
  return encodeBytes(Buffer.concat([encodeSigned(id), ...parts]))
}

// Encodes Go's wireType. Only one of its fields is present, and this field gives the kind of the type
// (value.ts has the reading side).
function encodeDefinition(definition: TypeDefinition): Buffer {
  const name = definition.name === '' ? undefined : encodeGobText(definition.name)
  const common = encodeStruct([name, encodeSigned(definition.id)])
  switch (definition.kind) {
    case 'slice':
      return encodeStruct([undefined, encodeStruct([common, encodeSigned(definition.element)])])
    case 'struct':
      return encodeStruct([undefined, undefined, encodeStruct([common, encodeFields(definition.fields)])])
    case 'map': {
      const map = encodeStruct([common, encodeSigned(definition.key), encodeSigned(definition.element)])
      return encodeStruct([undefined, undefined, undefined, map])
    }
  }
}

function encodeFields(fields: Readonly<Record<string, number>>): Buffer {
  return encodeList(
    Object.entries(fields).map(([name, type]) => encodeStruct([encodeGobText(name), encodeSigned(type)])),
  )
}

function encodeSigned(value: number): Buffer {
  return encodeUnsigned(value < 0 ? -value * 2 - 1 : value * 2)
}

// A value of 128 or more is written as its number of bytes, negated, and then its bytes, high byte first.
function encodeUnsigned(value: number): Buffer {
  if (value < 0x80) return Buffer.of(value)
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(value, 0, 6)
  const significant = bytes.subarray(bytes.findIndex((byte) => byte !== 0))
  return Buffer.concat([Buffer.of(0x100 - significant.length), significant])
}
