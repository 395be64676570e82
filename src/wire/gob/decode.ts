import { GobPlace, GobReader } from './reader.ts'
import {
  FIRST_DEFINED,
  type GobComplex,
  type GobInterface,
  type GobOpaque,
  type GobStruct,
  type GobType,
  type GobValue,
  isList,
  isStruct,
  KNOWN_TYPES,
  type StructType,
  WIRE_TYPE,
} from './value.ts'

/** Maximum number of types that one stream may define. The gateway's parameters define 4. */
export const MAX_DEFINITIONS = 256

/** The types that one stream defines. The number of a type is valid only within this stream. */
class Definitions {
  readonly #types = new Map<number, GobType>()
  readonly #place: GobPlace

  constructor(place: GobPlace) {
    this.#place = place
  }

  get size(): number {
    return this.#types.size
  }

  /** @throws DecodeError when there is no such type */
  lookup(id: number): GobType {
    const type = this.#types.get(id) ?? KNOWN_TYPES.get(id)
    if (type === undefined) throw this.#place.error(`type ${id} is not defined`)
    return type
  }

  /**
   * Refuses a number that is reserved or already defined. Refuses any number if MAX_DEFINITIONS types are
   * defined.
   */
  checkFree(id: number): void {
    if (id < FIRST_DEFINED) throw this.#place.error(`type ${id} cannot be defined, it is reserved`)
    if (this.#types.has(id)) throw this.#place.error(`type ${id} is defined twice`)
    if (this.size === MAX_DEFINITIONS)
      throw this.#place.error(`more than ${MAX_DEFINITIONS} type definitions`)
  }

  /** `wireType` is a value of Go's wireType struct. */
  define(id: number, wireType: GobValue): GobType {
    const type = this.#typeOf(wireType)
    this.#types.set(id, type)
    return type
  }

  add(id: number, type: GobType): void {
    this.#types.set(id, type)
  }

  #typeOf(wireType: GobValue): GobType {
    const [described, ...more] = isStruct(wireType) ? wireType.fields : []
    if (described === undefined || more.length > 0) {
      throw this.#place.error('a type definition must describe exactly one type')
    }
    const [kind, description] = described
    if (!isStruct(description)) throw this.#place.error('a type definition without a description')
    return this.#typeFrom(kind, description)
  }

  #typeFrom(kind: string, description: GobStruct): GobType {
    switch (kind) {
      case 'ArrayT':
        return { kind: 'array', element: numberIn(description, 'Elem'), length: numberIn(description, 'Len') }
      case 'SliceT':
        return { kind: 'slice', element: numberIn(description, 'Elem') }
      case 'MapT':
        return { kind: 'map', key: numberIn(description, 'Key'), element: numberIn(description, 'Elem') }
      case 'StructT':
        return this.#structFrom(description)
      default:
        return { kind: 'opaque' }
    }
  }

  #structFrom(description: GobStruct): StructType {
    const listed = description.fields.get('Field')
    const fields = (isList(listed) ? listed.filter(isStruct) : []).map((field) => ({
      name: this.#nameOf(field),
      type: numberIn(field, 'Id'),
    }))
    const names = new Set(fields.map((field) => field.name))
    if (names.size !== fields.length) throw this.#place.error('a struct type has two fields of one name')
    return { kind: 'struct', fields }
  }

  #nameOf(field: GobStruct): string {
    const name = field.fields.get('Name')
    if (typeof name !== 'string') throw this.#place.error('a struct type has a field without a name')
    return name
  }
}

// An absent number means zero. There is no type 0, so a lookup of it fails.
function numberIn(description: GobStruct, name: string): number {
  const value = description.fields.get(name)
  return typeof value === 'number' ? value : 0
}

/** The limit of gRPC messages (protocol.md 1.2), so no packet can hold a larger value. */
export const MAX_VALUE_BYTES = 17 * 1024 * 1024

/**
 * Maximum depth of a value. Known values have a depth of up to 4. Go types may be recursive, so the stack
 * needs a limit.
 */
export const MAX_GOB_DEPTH = 32

/**
 * Maximum number of values in one stream. List elements, map keys, fields and contents of interfaces count,
 * also in definitions. Sessions have hundreds of values. Linux starts no command with more than 233,016
 * arguments (2 MiB in total, and an empty argument takes 9 bytes).
 */
export const MAX_VALUES = 262_144

/** Maximum number of kept definitions. A gateway sends six; clients may send any number. */
const MAX_KEPT_DEFINITIONS = 64
/** Maximum length of a kept definition. The gateway's parameters take 470 bytes. */
const MAX_KEPT_BYTES = 4096

interface KnownDefinition {
  readonly type: GobType
  /** Number of values in the definition. */
  readonly values: number
}

/** Keeps type definitions. The bytes of a definition are its key. */
class KnownDefinitions {
  readonly #known = new Map<string, KnownDefinition>()

  get(message: Buffer): KnownDefinition | undefined {
    return message.length > MAX_KEPT_BYTES ? undefined : this.#known.get(message.toString('latin1'))
  }

  add(message: Buffer, definition: KnownDefinition): void {
    if (message.length > MAX_KEPT_BYTES) return
    if (this.#known.size === MAX_KEPT_DEFINITIONS) this.#known.clear()
    this.#known.set(message.toString('latin1'), definition)
  }
}

/**
 * Definitions from all streams. They are kept because each session sends the same definitions, and because
 * they take longest to read.
 */
const known = new KnownDefinitions()

/**
 * Reads the only value of a gob stream. `field` is the source of the bytes, for errors.
 * @throws DecodeError for every input that is not exactly one value within the limits
 */
export function decodeGob(bytes: Uint8Array, field: string): GobValue {
  const place = new GobPlace(field)
  if (bytes.length > MAX_VALUE_BYTES) {
    throw place.error(`${bytes.length} bytes, maximum is ${MAX_VALUE_BYTES}`)
  }
  return new GobDecoder(new GobReader(bytes, place), place).decode()
}

class GobDecoder {
  readonly #reader: GobReader
  readonly #place: GobPlace
  readonly #definitions: Definitions
  #depth = 0
  #count = 0

  constructor(reader: GobReader, place: GobPlace) {
    this.#reader = reader
    this.#place = place
    this.#definitions = new Definitions(place)
  }

  decode(): GobValue {
    const type = this.#typeOfNext('stream')
    const value = this.#delimited(type)
    if (!this.#reader.atEnd) throw this.#place.error('bytes after the end of the value')
    return value
  }

  /**
   * Reads type definitions, then returns the number of the value's type. Go writes a definition where an
   * interface value needs it. At this place Go ends the open message, and the value continues in the next
   * message. In an interface inside an interface, all pieces are in one message, and the length of each piece
   * is before it.
   */
  #typeOfNext(within: 'stream' | 'interface'): number {
    for (;;) {
      if (this.#reader.atMessageEnd) this.#reader.openMessage()
      const id = this.#reader.typeId()
      if (id >= 0) return id
      this.#definitions.checkFree(-id)
      if (within === 'stream') this.#defineInStream(-id)
      else this.#define(-id)
      if (!this.#reader.atMessageEnd) this.#reader.byteCount()
    }
  }

  /** A definition fills its whole message, so equal messages define equal types. */
  #defineInStream(id: number): void {
    const message = this.#reader.restOfMessage
    const before = known.get(message)
    if (before === undefined) {
      const countBefore = this.#count
      const type = this.#define(id)
      if (!this.#reader.atMessageEnd) throw this.#place.error('bytes after the end of a type definition')
      known.add(message, { type, values: this.#count - countBefore })
    } else {
      this.#reader.skipMessage()
      this.#definitions.add(id, before.type)
      this.#count += before.values
    }
  }

  #define(id: number): GobType {
    this.#place.enter('type')
    const type = this.#definitions.define(id, this.#value(WIRE_TYPE))
    this.#place.leave()
    return type
  }

  // In a stream or an interface, a zero byte is before a value that is not a struct, as if the value were
  // field 0 of a struct.
  #delimited(id: number): GobValue {
    const type = this.#definitions.lookup(id)
    if (type.kind !== 'struct' && this.#reader.unsigned() !== 0) {
      throw this.#place.error('a zero byte is missing in front of the value')
    }
    return this.#value(id)
  }

  #value(id: number): GobValue {
    const type = this.#definitions.lookup(id)
    if (this.#depth === MAX_GOB_DEPTH)
      throw this.#place.error(`nested more than ${MAX_GOB_DEPTH} levels deep`)
    if (this.#count >= MAX_VALUES) throw this.#place.error(`more than ${MAX_VALUES} values`)
    this.#count += 1
    this.#depth += 1
    const value = this.#valueOf(type)
    this.#depth -= 1
    return value
  }

  #valueOf(type: GobType): GobValue {
    switch (type.kind) {
      case 'bool':
        return this.#reader.unsigned() !== 0
      case 'int':
        return this.#reader.signed()
      case 'uint':
        return this.#reader.unsigned()
      case 'float':
        return this.#reader.float()
      case 'bytes':
        return this.#reader.bytes()
      case 'string':
        return this.#reader.text()
      case 'complex':
        return this.#complex()
      case 'interface':
        return this.#interface()
      case 'opaque':
        return this.#opaque()
      case 'struct':
        return this.#struct(type)
      case 'slice':
        return this.#list(type.element, this.#reader.elementCount())
      case 'array':
        return this.#array(type.element, type.length)
      case 'map':
        return this.#map(type.key, type.element)
    }
  }

  #complex(): GobComplex {
    return { kind: 'complex', real: this.#reader.float(), imaginary: this.#reader.float() }
  }

  #opaque(): GobOpaque {
    return { kind: 'opaque', what: 'a value with its own encoding', bytes: this.#reader.bytes() }
  }

  #struct(type: StructType): GobStruct {
    const fields = new Map<string, GobValue>()
    let index = -1
    for (;;) {
      const step = Number(this.#reader.unsigned())
      if (step === 0) return { kind: 'struct', fields }
      index += step
      const field = type.fields[index]
      if (field === undefined) throw this.#place.error(`field ${index} of a struct of ${type.fields.length}`)
      fields.set(field.name, this.#element(field.name, field.type))
    }
  }

  #array(element: number, length: number): GobValue[] {
    const count = this.#reader.elementCount()
    if (count !== length) throw this.#place.error(`${count} elements in an array of ${length}`)
    return this.#list(element, count)
  }

  #list(element: number, count: number): GobValue[] {
    const list: GobValue[] = []
    for (let index = 0; index < count; index++) list.push(this.#element(index, element))
    return list
  }

  // Errors name the number of an entry and not its key. In a damaged stream, a key may be a secret.
  #map(key: number, element: number): Map<GobValue, GobValue> {
    const count = this.#reader.elementCount()
    const map = new Map<GobValue, GobValue>()
    for (let index = 0; index < count; index++)
      map.set(this.#element(index, key), this.#element(index, element))
    return map
  }

  #element(step: string | number, type: number): GobValue {
    this.#place.enter(step)
    const value = this.#value(type)
    this.#place.leave()
    return value
  }

  #interface(): GobInterface {
    const goType = this.#reader.text()
    if (typeof goType !== 'string') throw this.#place.error('type name that is not UTF-8')
    if (goType === '') return { kind: 'interface', goType: '<nil>', value: undefined }
    const type = this.#typeOfNext('interface')
    const size = this.#reader.byteCount()
    return { kind: 'interface', goType, value: this.#sized(type, size) }
  }

  // A definition inside the value splits the value. In this case, `size` is only the size of the first piece
  // (see `#typeOfNext`).
  #sized(type: number, size: number): GobValue {
    const start = this.#reader.offset
    const definedBefore = this.#definitions.size
    const value = this.#delimited(type)
    const unsplit = this.#definitions.size === definedBefore
    if (unsplit && this.#reader.offset - start !== size) {
      throw this.#place.error('the length of an interface value is wrong')
    }
    return value
  }
}
