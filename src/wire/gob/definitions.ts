import type { GobPlace } from './place.ts'
import { FIRST_DEFINED, KNOWN_TYPES, type GobType, type StructType } from './types.ts'
import { isList, isStruct, type GobStruct, type GobValue } from './value.ts'

/** Types that one value may define. The gateway's parameters define 4; each Go type that occurs takes one. */
export const MAX_DEFINITIONS = 256

/** What a stream has defined. Numbers are valid within it; in the next they may mean another type. */
export class Definitions {
  readonly #types = new Map<number, GobType>()
  readonly #place: GobPlace

  constructor(place: GobPlace) {
    this.#place = place
  }

  get size(): number {
    return this.#types.size
  }

  /** The type with this number; DecodeError when there is none. */
  lookup(id: number): GobType {
    const type = this.#types.get(id) ?? KNOWN_TYPES.get(id)
    if (type === undefined) throw this.#place.error(`type ${id} is not defined`)
    return type
  }

  /** Refuses a type number that is reserved or taken, and one definition too many, before the definition is read. */
  checkFree(id: number): void {
    if (id < FIRST_DEFINED) throw this.#place.error(`type ${id} cannot be defined, it is reserved`)
    if (this.#types.has(id)) throw this.#place.error(`type ${id} is defined twice`)
    if (this.size === MAX_DEFINITIONS)
      throw this.#place.error(`more than ${MAX_DEFINITIONS} type definitions`)
  }

  /** Adds a definition, which is a value of Go's wireType struct. */
  define(id: number, wireType: GobValue): GobType {
    const type = this.#typeOf(wireType)
    this.#types.set(id, type)
    return type
  }

  /** Adds one that was read before. */
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

// Absent means zero. Type 0 does not exist, so the lookup of such an element will fail.
function numberIn(description: GobStruct, name: string): number {
  const value = description.fields.get(name)
  return typeof value === 'number' ? value : 0
}
