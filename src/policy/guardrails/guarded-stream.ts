import { setImmediate as otherWork } from 'node:timers/promises'
import { HeldBytes, NOTHING, type OutputFilter, OutputStopped, OutputStream } from '../output-filter.ts'
import type { RuleReading } from '../automaton/automaton.ts'
import type { CompiledRules } from './compile-rules.ts'
import type { Unjudged, Violation } from './rules.ts'

/**
 * Maximum number of bytes held back. If a match is longer, its beginning is shown, but no output after the
 * match.
 */
const MAX_HELD = 64 * 1024

/** The message quotes no output. */
export class GuardrailViolation extends OutputStopped {
  readonly verdict: Violation | Unjudged

  constructor(verdict: Violation | Unjudged) {
    super('guardrails', verdict.outcome === 'error' ? verdict.closing : 'the output broke a guardrail rule')
    this.verdict = verdict
  }
}

interface StreamOptions {
  /** Whether held bytes are sent after a pause in the output, because people wait for a prompt. */
  readonly isInteractive: boolean
  /** Aborts when the output is no longer needed, so that the rest is not read. */
  readonly ended?: AbortSignal
}

/**
 * Searches one stream for matches, also across chunks. The first complete match decides which rule counts. If
 * several matches are complete at the same byte, the first of their rules counts. Some matches depend on the
 * text after them (`\b`, `$`). Such a match is complete when that text was received.
 */
export class GuardedStream implements OutputFilter {
  readonly #rules: CompiledRules
  readonly #options: StreamOptions
  readonly #reading: RuleReading
  readonly #held = new HeldBytes()
  /** The beginning of an incomplete rune. */
  #unread = NOTHING
  #offset = 0
  #given = 0
  #violation: GuardrailViolation | undefined
  #isGivenUp = false

  constructor(rules: CompiledRules, options: StreamOptions) {
    this.#rules = rules
    this.#options = options
    this.#reading = rules.automaton.begin()
    if (rules.broken !== undefined) this.#violation = new GuardrailViolation(rules.broken)
  }

  /** Number of bytes that may belong to a match. */
  get held(): number {
    return this.#offset - this.#given
  }

  get isReleasable(): boolean {
    return this.held > 0 && this.#options.isInteractive && this.#violation === undefined
  }

  /**
   * `data` must not change until the call or the returned promise has ended. The output may share memory with
   * `data`, and is valid until the next call.
   */
  push(data: Buffer): Buffer | Promise<Buffer> {
    if (this.#rules.isEmpty) return data
    if (this.#isGivenUp) return NOTHING
    const text = this.#unread.length === 0 ? data : Buffer.concat([this.#unread, data])
    this.#reading.at = 0
    this.#reading.idleAt = Math.min(0, this.#unread.length - this.held)
    return this.#readOn(text) ? this.#give(data, text) : this.#pushSlowly(data, text)
  }

  release(): Buffer {
    return this.isReleasable ? this.#giveHeld() : NOTHING
  }

  end(): Buffer {
    if (this.#isGivenUp) return NOTHING
    this.#look(this.#reading.state.targets)
    for (const targets of this.#rules.targetsAtEnd(this.#reading, this.#unread.length)) this.#look(targets)
    return this.#giveHeld()
  }

  async #pushSlowly(data: Buffer, text: Buffer): Promise<Buffer> {
    do {
      await otherWork()
      if (this.#options.ended?.aborted === true) return this.#giveUp()
    } while (!this.#readOn(text))
    return this.#give(data, text)
  }

  /** Ends the output, because the rest of the stream was not searched. */
  #giveUp(): Buffer {
    this.#isGivenUp = true
    this.#given = this.#offset
    return NOTHING
  }

  /** Returns false when other work should run before the rest is read. */
  #readOn(text: Buffer): boolean {
    this.#look(this.#reading.state.targets)
    const stop = this.#rules.automaton.scan(this.#reading, text)
    this.#look(this.#reading.state.targets)
    return stop === 'end'
  }

  #look(targets: readonly number[]): void {
    if (this.#violation === undefined && targets.length > 0)
      this.#violation = new GuardrailViolation(this.#rules.violationOf(targets))
    if (this.#violation !== undefined) throw this.#violation
  }

  #give(data: Buffer, text: Buffer): Buffer {
    const { at, idleAt } = this.#reading
    const offset = this.#offset
    this.#offset += data.length
    this.#unread = at === text.length ? NOTHING : Buffer.from(text.subarray(at))
    const kept = Math.min(text.length - idleAt, MAX_HELD)
    const output = new OutputStream(this.#held.bytes, data, offset)
    const until = Math.max(this.#given, this.#offset - kept)
    output.keep(this.#given, until)
    const passed = output.bytes()
    this.#given = until
    this.#held.keepLast(this.held, data)
    return passed
  }

  #giveHeld(): Buffer {
    const bytes = Buffer.from(this.#held.bytes)
    this.#held.keepLast(0, NOTHING)
    this.#given = this.#offset
    return bytes
  }
}
