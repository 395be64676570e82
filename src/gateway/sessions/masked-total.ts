import { sumOfCounts } from '../../basics/text/units.ts'
import type { MaskedOutput } from '../../wire/messages/masking-info.ts'

/** Bound of the types that are named; a connection has fewer. Types beyond it count in the total alone. */
const NAMED_TYPES = 100
/** The same as in gateway.yaml. */
const LONGEST_TYPE = 100

/** Sum of what the agent has masked in a session, added up as in hoop's gateway (protocol.md 8.2). */
export class MaskedTotal {
  #errors = 0
  #bytes = 0
  #count = 0
  readonly #types = new Map<string, number>()

  /** Adds the masking of one packet of output. */
  add({ bytes, counts, errors }: MaskedOutput): void {
    this.#errors += errors.length
    this.#bytes = sumOfCounts(this.#bytes, bytes)
    for (const [type, count] of counts) this.#addType(type, count)
  }

  /** Adds the masking in the close message, in which agents report failures a second time. */
  addLast(masked: MaskedOutput): void {
    this.add(this.#errors === 0 ? masked : { ...masked, errors: [] })
  }

  /** `data_masking` of a session's metrics; undefined while nothing was masked and nothing has failed. */
  get json(): string | undefined {
    if (this.#errors + this.#bytes + this.#count === 0) return undefined
    return JSON.stringify({
      err_count: this.#errors,
      info_types: Object.fromEntries(this.#types),
      total_redact_count: this.#count,
      transformed_bytes: this.#bytes,
    })
  }

  #addType(type: string, count: number): void {
    this.#count = sumOfCounts(this.#count, count)
    const known = this.#types.get(type)
    const isNamed = known !== undefined || (this.#types.size < NAMED_TYPES && type.length <= LONGEST_TYPE)
    if (isNamed) this.#types.set(type, sumOfCounts(known ?? 0, count))
  }
}
