import { inspect } from 'node:util'

/** Prints as `<set>`. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '<set>'
  }

  toJSON(): string {
    return '<set>'
  }

  [inspect.custom](): string {
    return '<set>'
  }
}
