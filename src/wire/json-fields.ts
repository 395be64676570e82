import { DecodeError } from './errors.ts'

/**
 * The fields of a JSON object, read as Go reads them into a struct: absent and null mean the zero value, unknown ones
 * are ignored. Errors name the field, and never quote its content.
 */
export class JsonFields {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #place: string

  private constructor(fields: Readonly<Record<string, unknown>>, place: string) {
    this.#fields = fields
    this.#place = place
  }

  /** @throws DecodeError for what is no JSON object; null counts as an empty one */
  static parse(json: Buffer): JsonFields {
    let value: unknown
    try {
      value = JSON.parse(json.toString('utf8'))
    } catch {
      // Not the parser's own message, which quotes the text.
      throw new DecodeError('payload', 'not valid JSON')
    }
    return new JsonFields(asObject(value ?? {}, 'payload'), '')
  }

  text(name: string): string {
    return asText(this.#value(name) ?? '', this.#placeOf(name))
  }

  texts(name: string): readonly string[] {
    const value = this.#value(name) ?? []
    const place = this.#placeOf(name)
    if (!Array.isArray(value)) throw new DecodeError(place, 'expected a list of texts')
    return value.map((item: unknown, at) => asText(item ?? '', `${place}[${at}]`))
  }

  textMap(name: string): ReadonlyMap<string, string> {
    const place = this.#placeOf(name)
    const object = asObject(this.#value(name) ?? {}, place)
    const entries = Object.entries(object).map(
      ([key, value]) => [key, asText(value ?? '', `${place}[${JSON.stringify(key)}]`)] as const,
    )
    return new Map(entries)
  }

  /** Any object; null when it is absent. */
  object(name: string): Readonly<Record<string, unknown>> | null {
    const value = this.#value(name) ?? null
    return value === null ? null : asObject(value, this.#placeOf(name))
  }

  /** An object inside, to read fields from; an empty one when it is absent. */
  inner(name: string): JsonFields {
    return new JsonFields(this.object(name) ?? {}, this.#placeOf(name))
  }

  /** Own fields only: `__proto__` is data. */
  #value(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }

  #placeOf(name: string): string {
    return this.#place === '' ? name : `${this.#place}.${name}`
  }
}

function asText(value: unknown, place: string): string {
  if (typeof value === 'string') return value
  throw new DecodeError(place, 'expected a text')
}

function asObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  throw new DecodeError(place, 'expected an object')
}
