import { OutputStopped } from '../../policy/output-filter.ts'
import type { MaskedOutput } from '../../wire/messages/masking-info.ts'
import type { ConnectionParams } from '../../wire/params.ts'

/** What masking has done to a session's output, and what of it was not told yet. */
export class MaskingResult {
  readonly #isStrict: boolean
  readonly #complain: (error: string) => void
  #bytes = 0
  #counts = new Map<string, number>()
  #errors: readonly string[]
  /** The first failure of all, and what else the close has to say. */
  readonly #failures: string[]

  /**
   * @param complain called for the first failure
   * @param unmasked what is known not to be masked before anything has come
   */
  constructor(isStrict: boolean, complain: (error: string) => void, unmasked?: string) {
    this.#isStrict = isStrict
    this.#complain = complain
    this.#failures = unmasked === undefined ? [] : [unmasked]
    this.#errors = [...this.#failures]
  }

  masked(types: ReadonlyMap<string, number>, bytes: number): void {
    for (const [type, count] of types) this.#counts.set(type, (this.#counts.get(type) ?? 0) + count)
    this.#bytes += bytes
  }

  /** The output passes as it is, if it may. @throws OutputStopped in strict mode */
  failed(error: string): void {
    if (this.#isStrict)
      throw new OutputStopped('masking', `the output has to be masked, and could not be: ${error}`)
    if (this.#failures.length === 0) {
      this.#complain(error)
      this.#failures.push(error)
    }
    if (this.#errors.length === 0) this.#errors = [error]
  }

  /** Notes that all further output passes unmasked. The log and the close say it once. */
  passes(reason: string): void {
    if (this.#failures.includes(reason)) return
    this.#complain(reason)
    this.lost(reason)
  }

  /** Output is not shown, since it could not be masked any more. Said once. */
  lost(reason: string): void {
    if (this.#failures.includes(reason)) return
    this.#failures.push(reason)
    this.#errors = [...this.#errors, reason]
  }

  /** What has come since the last call, for a packet of output; undefined when nothing has. */
  take(): MaskedOutput | undefined {
    if (this.#counts.size === 0 && this.#errors.length === 0) return undefined
    const taken = { bytes: this.#bytes, counts: this.#counts, errors: this.#errors }
    this.#bytes = 0
    this.#counts = new Map()
    this.#errors = []
    return taken
  }

  /** Returns what the close tells: what came after the last output, and whether all was masked. */
  takeLast(): MaskedOutput | undefined {
    const last = this.take()
    if (this.#failures.length === 0) return last
    return { bytes: 0, counts: new Map(), ...last, errors: this.#failures }
  }
}

/** What a session's parameters say about masking (protocol.md 8.2). */
export type AskedMasking = Pick<
  ConnectionParams,
  | 'clientVerb'
  | 'dlpProvider'
  | 'dlpMode'
  | 'dlpInfoTypes'
  | 'dlpPresidioAnalyzerUrl'
  | 'dlpPresidioAnonymizerUrl'
  | 'dataMaskingEntityTypesData'
>

/** Whether there may be something to mask. The engines are loaded only then. */
export function asksForMasking(asked: AskedMasking): boolean {
  const { dlpProvider, dlpInfoTypes, dataMaskingEntityTypesData: rules } = asked
  if (dlpProvider === '') return false
  // These are the types of Google's service. The other providers have rules.
  const infoTypes = MASKERS.has(dlpProvider) ? 0 : dlpInfoTypes.length
  return infoTypes > 0 || !(rules === undefined || NO_RULES.has(rules.toString('latin1')))
}

/** The providers that mask here. */
const MASKERS: ReadonlySet<string> = new Set(['mspresidio', 'alcatraz'])
const NO_RULES: ReadonlySet<string> = new Set(['', '[]', 'null'])
