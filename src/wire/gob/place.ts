import { DecodeError } from '../errors.ts'

type Step = string | number

/**
 * Where in a value the decoder is, for the error it may have to throw: `CmdList[3]` below the field it was given.
 * Steps are kept apart and joined only for an error, because every element of a value makes one.
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

  /** Goes back up. Not needed when an error was thrown: decoding ends there. */
  leave(): void {
    this.#steps.pop()
  }

  /** The error to throw for what was found here. */
  error(reason: string): DecodeError {
    return new DecodeError(this.#field + this.#steps.map(written).join(''), reason)
  }
}

// Names are read from the stream, so one that cannot be a Go identifier is not repeated.
const IDENTIFIER = /^[\p{L}\p{N}_]{1,100}$/u

function written(step: Step): string {
  if (typeof step === 'number') return `[${step}]`
  return IDENTIFIER.test(step) ? `.${step}` : '.?'
}
