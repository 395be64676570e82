import { DecodeError } from '../errors.ts'

type Step = string | number

/**
 * Where the decoder is in a value, for an error: `CmdList[3]` below the given field. The steps are joined only for an
 * error, since every element of a value makes one.
 */
export class GobPlace {
  readonly #field: string
  readonly #steps: Step[] = []

  constructor(field: string) {
    this.#field = field
  }

  /** Goes one level down: to a struct field by its name, to an element or map entry by its number. */
  enter(step: Step): void {
    this.#steps.push(step)
  }

  /** Goes back up. Not needed after an error, which ends the decoding. */
  leave(): void {
    this.#steps.pop()
  }

  error(reason: string): DecodeError {
    return new DecodeError(this.#field + this.#steps.map(written).join(''), reason)
  }
}

// Names come from the stream; one that cannot be a Go identifier is not repeated.
const IDENTIFIER = /^[\p{L}\p{N}_]{1,100}$/u

function written(step: Step): string {
  if (typeof step === 'number') return `[${step}]`
  return IDENTIFIER.test(step) ? `.${step}` : '.?'
}
