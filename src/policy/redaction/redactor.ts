import { CoveredRuns } from './covered-runs.ts'
import { Matcher } from './matcher.ts'
import { NOTHING, Output } from './output.ts'
import { ROOT } from './trie.ts'

/** The texts that must not appear in a session's output. Compiled when the first byte comes. */
export class Redaction {
  readonly #texts: readonly Buffer[]
  #matcher: Matcher | undefined

  /** @param texts not to be written to any more; empty ones are left out */
  constructor(texts: readonly Buffer[]) {
    this.#texts = texts.filter(({ length }) => length > 0)
  }

  /** True when there is nothing to look for. */
  get empty(): boolean {
    return this.#texts.length === 0
  }

  /** A redactor for one stream; all of them share what is compiled. */
  stream(): Redactor {
    return new Redactor(() => (this.#matcher ??= this.empty ? undefined : new Matcher(this.#texts)))
  }
}

/**
 * Replaces every maximal run of bytes that lie inside occurrences of texts by one `[REDACTED]`.
 *
 * What may become a text is held back. It is the beginning of a text, so nothing has to be copied to keep it: the
 * matcher's state tells the bytes.
 */
export class Redactor {
  readonly #compile: () => Matcher | undefined
  readonly #covered = new CoveredRuns()
  #matcher: Matcher | undefined
  #state = ROOT
  /** Offsets in the stream: what was pushed, and what was given out, as it is or replaced. */
  #pushed = 0
  #given = 0
  /** The last that was given out is a marker: covered bytes that follow belong to its run. */
  #inRun = false
  #redacted = 0

  /** @param compile called with the first data; undefined: nothing to look for */
  constructor(compile: () => Matcher | undefined) {
    this.#compile = compile
  }

  /** Bytes that may become a text and were not given out. */
  get held(): number {
    return this.#pushed - this.#given
  }

  /** Bytes that were replaced. */
  get redacted(): number {
    return this.#redacted
  }

  /** @returns all that can go out; may share the memory of `data`, and is valid until the next call */
  push(data: Buffer): Buffer {
    this.#matcher ??= this.#compile()
    const matcher = this.#matcher
    if (matcher === undefined) return data
    const output = new Output(matcher.pendingPath(this.#state), data, this.#pushed)
    this.#state = matcher.scan(data, this.#state, this.#pushed, this.#covered)
    this.#pushed += data.length
    this.#give(this.#pushed - matcher.pendingBytes(this.#state), output)
    return output.bytes()
  }

  /**
   * Gives out what is held, as it is unless it is inside a complete text. It still counts: when what comes next
   * completes a text, the rest of that text is replaced.
   */
  release(): Buffer {
    if (this.#matcher === undefined || this.held === 0) return NOTHING
    const output = new Output(this.#matcher.pendingPath(this.#state), NOTHING, this.#pushed)
    this.#give(this.#pushed, output)
    return output.bytes()
  }

  #give(limit: number, output: Output): void {
    // What is pending may begin in front of what was released.
    if (limit <= this.#given) return
    while (this.#covered.start < limit) {
      const start = Math.max(this.#covered.start, this.#given)
      this.#giveAsIs(start, output)
      if (!this.#inRun) output.mark()
      this.#inRun = true
      this.#given = this.#covered.take(limit)
      this.#redacted += this.#given - start
    }
    this.#giveAsIs(limit, output)
  }

  #giveAsIs(limit: number, output: Output): void {
    if (limit <= this.#given) return
    output.keep(this.#given, limit)
    this.#given = limit
    this.#inRun = false
  }
}
