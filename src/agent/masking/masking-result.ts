import { OutputStopped } from '../../policy/output-filter.ts'
import type { MaskedOutput } from '../../wire/messages/masking-info.ts'
import type { ConnectionParams } from '../../wire/params.ts'

/** The masking results of a session's output, and which of them the gateway does not know yet. */
export class MaskingResult {
  readonly #isStrict: boolean
  readonly #complain: (error: string) => void
  #bytes = 0
  #counts = new Map<string, number>()
  #errors: readonly string[]
  /** Texts for the session's close: the first failure, and reasons why further output is not masked. */
  readonly #failures: string[]

  /**
   * @param complain called for the first failure
   * @param unmasked the reason why a part of the output is not masked, if it is known before any output
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

  /**
   * Notes a failure. Output that could not be masked then passes unmasked.
   * @throws OutputStopped in strict mode
   */
  failed(error: string): void {
    if (this.#isStrict)
      throw new OutputStopped(
        'masking',
        `the output must be masked (strict mode), but masking failed: ${error}`,
      )
    if (this.#failures.length === 0) {
      this.#complain(error)
      this.#failures.push(error)
    }
    if (this.#errors.length === 0) this.#errors = [error]
  }

  /** Notes that all further output passes unmasked. The log and the close contain the reason once. */
  passes(reason: string): void {
    if (this.#failures.includes(reason)) return
    this.#complain(reason)
    this.lost(reason)
  }

  /**
   * Notes that output is not shown, because it could no longer be masked. The close contains the reason once.
   */
  lost(reason: string): void {
    if (this.#failures.includes(reason)) return
    this.#failures.push(reason)
    this.#errors = [...this.#errors, reason]
  }

  /** Returns the results since the last call, for a packet of output. */
  take(): MaskedOutput | undefined {
    if (this.#counts.size === 0 && this.#errors.length === 0) return undefined
    const taken = { bytes: this.#bytes, counts: this.#counts, errors: this.#errors }
    this.#bytes = 0
    this.#counts = new Map()
    this.#errors = []
    return taken
  }

  /** Returns the results after the last packet of output, and all failures. */
  takeLast(): MaskedOutput | undefined {
    const last = this.take()
    if (this.#failures.length === 0) return last
    return { bytes: 0, counts: new Map(), ...last, errors: this.#failures }
  }
}

/** The masking parameters of a session (protocol.md 8.2). */
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

/** Whether a session asks for masking. Only for such a session are the engines loaded. */
export function asksForMasking(asked: AskedMasking): boolean {
  const { dlpProvider, dlpInfoTypes, dataMaskingEntityTypesData: rules } = asked
  if (dlpProvider === '') return false
  // `dlpInfoTypes` are the types of Google's service. The other providers have rules instead.
  const infoTypes = MASKERS.has(dlpProvider) ? 0 : dlpInfoTypes.length
  return infoTypes > 0 || !(rules === undefined || NO_RULES.has(rules.toString('latin1')))
}

/** The providers that this agent serves. */
const MASKERS: ReadonlySet<string> = new Set(['mspresidio', 'alcatraz'])
const NO_RULES: ReadonlySet<string> = new Set(['', '[]', 'null'])
