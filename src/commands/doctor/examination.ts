import { within } from '../../basics/within.ts'
import type { Finding, Level, Line } from './finding.ts'

/** Time for one check. Longer than any wait inside it, since a check that runs into this can say less. */
const DEADLINE_MS = 10_000

/** The result of a check. `fact` is what later checks need; `obstacle` is the check because of which it is missing. */
export interface Examined<Fact> {
  readonly level: Level
  readonly fact: Fact | undefined
  readonly obstacle: string
}

/** The signal aborts when the check has taken too long: it then has to give back what it holds. */
type Check<Fact> = (signal: AbortSignal) => Finding<Fact> | Promise<Finding<Fact>>

/** Makes checks one after the other, and reports each one at once. */
export class Examination {
  readonly #tell: (line: Line) => void
  readonly #deadlineMs: number

  constructor(tell: (line: Line) => void, deadlineMs = DEADLINE_MS) {
    this.#tell = tell
    this.#deadlineMs = deadlineMs
  }

  /** Never rejects: if a check throws, that is its finding. */
  async check<Fact>(name: string, check: Check<Fact>): Promise<Examined<Fact>> {
    const { fact, ...finding } = await this.#within(check)
    this.#tell({ name, ...finding })
    return { level: finding.level, fact, obstacle: name }
  }

  /** A check that needs the fact of an earlier one. Skipped when that is missing. */
  async checkWith<Need, Fact>(
    need: Examined<Need>,
    name: string,
    check: (need: Need, signal: AbortSignal) => ReturnType<Check<Fact>>,
  ): Promise<Examined<Fact>> {
    const { fact, obstacle } = need
    if (fact !== undefined) return this.check(name, (signal) => check(fact, signal))
    this.#tell({ name, level: 'skipped', found: `cannot be tried before this is in order: ${obstacle}` })
    return { level: 'skipped', fact: undefined, obstacle }
  }

  async #within<Fact>(check: Check<Fact>): Promise<Finding<Fact>> {
    const life = new AbortController()
    try {
      const finding = Promise.resolve(check(life.signal))
      return (await within(finding, this.#deadlineMs)) ? await finding : tooLate(this.#deadlineMs)
    } catch (error) {
      return failed(error)
    } finally {
      life.abort()
    }
  }
}

function tooLate(ms: number): Finding<never> {
  return {
    level: 'broken',
    found: `no result within ${ms / 1000} s`,
    advice: 'Try again when the machine is less busy',
  }
}

function failed(error: unknown): Finding<never> {
  const { code, message } = error as NodeJS.ErrnoException
  return {
    level: 'broken',
    found: `the check itself failed: ${code ?? message}`,
    advice: 'This may be a bug of runbook-agent',
  }
}
