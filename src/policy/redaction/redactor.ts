import { HeldBytes, NOTHING, type OutputFilter, OutputStream } from '../output-filter.ts'
import { CoveredRuns, Matcher, Reading } from './matcher.ts'
import { isLineBreak } from './secrets.ts'

/** The texts that must not appear in a session's output. Compiled at the first byte. */
export class Redaction {
  readonly #texts: readonly Buffer[]
  #matcher: Matcher | undefined

  /** @param texts must not change afterwards; empty texts are ignored */
  constructor(texts: readonly Buffer[]) {
    this.#texts = texts.filter(({ length }) => length > 0)
  }

  get empty(): boolean {
    return this.#texts.length === 0
  }

  /** Approximate memory of the search: one node of the automaton for each byte of the texts. */
  get memoryBytes(): number {
    return this.#texts.reduce((sum, { length }) => sum + length * NODE_BYTES, 0)
  }

  /** Replaces the secrets in a complete text. The result may share the memory of `text`. */
  replaceIn(text: Buffer): Buffer {
    const redactor = this.stream()
    const passed = redactor.push(text)
    const rest = redactor.flush()
    return rest.length === 0 ? passed : Buffer.concat([passed, rest])
  }

  /** Returns a redactor for one stream. All redactors share the compiled texts. */
  stream(): Redactor {
    return new Redactor(() => (this.#matcher ??= this.empty ? undefined : new Matcher(this.#texts)))
  }
}

const NODE_BYTES = 16

/**
 * Minimum number of bytes for which the beginning of a text is hidden. A shorter beginning is often
 * an ordinary word.
 */
const LEAST_BYTES = 8
/**
 * Minimum number of bytes for which the last line of a stream is hidden, with its line break.
 * `postgres` alone in a line is probably just this word.
 */
const LEAST_BYTES_OF_LINE = 24

/**
 * Replaces secret texts in output: bytes in sequence that belong to secret texts become one `[REDACTED]`. Holds
 * back the last bytes while they may be the beginning of a secret text.
 */
export class Redactor implements OutputFilter {
  readonly #compile: () => Matcher | undefined
  readonly #covered = new CoveredRuns()
  readonly #reading = new Reading()
  readonly #held = new HeldBytes()
  #matcher: Matcher | undefined
  /** Offset in the stream up to which all bytes were sent on, replaced or not. */
  #given = 0
  /** Whether the last output was a marker. Covered bytes that follow belong to the same run. */
  #inRun = false
  #redacted = 0

  /** @param compile called with the first data; undefined when there is nothing to look for */
  constructor(compile: () => Matcher | undefined) {
    this.#compile = compile
  }

  /** Number of bytes held back because they may become a text. */
  get held(): number {
    return this.#reading.offset - this.#given
  }

  /** Whether `release` would return held bytes. */
  get isReleasable(): boolean {
    return this.held > 0 && this.#reading.length < LEAST_BYTES
  }

  get redacted(): number {
    return this.#redacted
  }

  /**
   * @returns all output that can be sent; may share the memory of `data`, and is valid until the next call
   */
  push(data: Buffer): Buffer {
    this.#matcher ??= this.#compile()
    if (this.#matcher === undefined) return data
    const output = new OutputStream(this.#held.bytes, data, this.#reading.offset)
    this.#matcher.scan(data, this.#reading, this.#covered)
    this.#give(this.#reading.start, output)
    const passed = output.bytes()
    this.#held.keepLast(this.held, data)
    return passed
  }

  /**
   * Returns the held bytes when they have fewer than 8 bytes of a text's beginning. Replaces parts
   * of a complete text. When later bytes complete a text, the rest of that text is still replaced.
   */
  release(): Buffer {
    return this.isReleasable ? this.#giveHeld() : NOTHING
  }

  /**
   * Returns the held bytes at the end of the stream. 8 or more bytes of a text's beginning (24 in a
   * whole line) count as the text and are replaced.
   */
  end(): Buffer {
    const { start, offset, length } = this.#reading
    const isLine = isLineBreak(this.#held.bytes.at(-1) ?? 0)
    if (length >= (isLine ? LEAST_BYTES_OF_LINE : LEAST_BYTES)) this.#covered.add(start, offset)
    return this.flush()
  }

  /** Returns the held bytes at the end of a text or stream. Only whole secrets in them are replaced. */
  flush(): Buffer {
    return this.held > 0 ? this.#giveHeld() : NOTHING
  }

  #giveHeld(): Buffer {
    const { offset } = this.#reading
    const output = new OutputStream(this.#held.bytes, NOTHING, offset)
    this.#give(offset, output)
    const passed = output.bytes()
    this.#held.keepLast(0, NOTHING)
    return passed
  }

  #give(limit: number, output: OutputStream): void {
    // The pending text may begin before bytes that were already released.
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

  #giveAsIs(limit: number, output: OutputStream): void {
    if (limit <= this.#given) return
    output.keep(this.#given, limit)
    this.#given = limit
    this.#inRun = false
  }
}
