import { within } from '../../basics/within.ts'
import type { Finding, Level, Line } from './finding.ts'

/** Longer than any wait of a check itself; one that comes here says less than it could. */
const DEADLINE_MS = 10_000

/** Of a check that was made. `fact` is what the next ones need; `obstacle` the check that kept it from being had. */
export interface Examined<Fact> {
  readonly level: Level
  readonly fact: Fact | undefined
  readonly obstacle: string
}

/** Aborted when the check has taken too long: what it holds is to be given back then. */
type Check<Fact> = (signal: AbortSignal) => Finding<Fact> | Promise<Finding<Fact>>

/** Makes checks one after the other, and tells each as soon as it is made. */
export class Examination {
  readonly #tell: (line: Line) => void
  readonly #deadlineMs: number

  constructor(tell: (line: Line) => void, deadlineMs = DEADLINE_MS) {
    this.#tell = tell
    this.#deadlineMs = deadlineMs
  }

  /** Never rejects: a check that throws is broken itself. */
  async check<Fact>(name: string, check: Check<Fact>): Promise<Examined<Fact>> {
    const { fact, ...finding } = await this.#within(check)
    this.#tell({ name, ...finding })
    return { level: finding.level, fact, obstacle: name }
  }

  /** One that needs what an earlier one found out; skipped when that is not known. */
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
