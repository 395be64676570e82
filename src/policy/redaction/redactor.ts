import { HeldBytes, NOTHING, type OutputFilter, OutputStream } from '../output-filter.ts'
import { CoveredRuns, Matcher, Reading } from './matcher.ts'
import { isLineBreak } from './secrets.ts'

/** The secret texts of a session. They are compiled when the first byte of output arrives. */
export class Redaction {
  readonly #texts: readonly Buffer[]
  #matcher: Matcher | undefined

  /** `texts` must not change afterwards. Empty texts are ignored. */
  constructor(texts: readonly Buffer[]) {
    this.#texts = texts.filter(({ length }) => length > 0)
  }

  get empty(): boolean {
    return this.#texts.length === 0
  }

  /** Approximate memory: one node of the automaton per byte. */
  get memoryBytes(): number {
    return this.#texts.reduce((sum, { length }) => sum + length * NODE_BYTES, 0)
  }

  /** The result may share the memory of `text`. */
  replaceIn(text: Buffer): Buffer {
    const redactor = this.stream()
    const passed = redactor.push(text)
    const rest = redactor.flush()
    return rest.length === 0 ? passed : Buffer.concat([passed, rest])
  }

  /** Returns a new redactor. All redactors share the compiled texts. */
  stream(): Redactor {
    return new Redactor(() => (this.#matcher ??= this.empty ? undefined : new Matcher(this.#texts)))
  }
}

const NODE_BYTES = 16

/**
 * At the end of the output, the beginning of a secret is hidden if it has at least this many bytes. A shorter
 * beginning is often an ordinary word.
 */
const MIN_BYTES = 8
/**
 * The same minimum for a last line that has its line break. A line that is only `postgres` is often an
 * ordinary word.
 */
const MIN_LINE_BYTES = 24

/**
 * Replaces secret texts in output. Adjoining bytes of secrets become one `[REDACTED]`. Holds back the last
 * bytes while they may be the beginning of a secret.
 */
export class Redactor implements OutputFilter {
  readonly #compile: () => Matcher | undefined
  readonly #covered = new CoveredRuns()
  readonly #reading = new Reading()
  readonly #held = new HeldBytes()
  #matcher: Matcher | undefined
  /** Offset in the stream up to which all bytes were sent on, replaced or not. */
  #given = 0
  /** Whether the last output was a marker. Covered bytes directly after a marker get no second marker. */
  #inRun = false
  #redacted = 0

  /** `compile` is called with the first data, and returns undefined when there is nothing to look for. */
  constructor(compile: () => Matcher | undefined) {
    this.#compile = compile
  }

  get held(): number {
    return this.#reading.offset - this.#given
  }

  get isReleasable(): boolean {
    return this.held > 0 && this.#reading.length < MIN_BYTES
  }

  get redacted(): number {
    return this.#redacted
  }

  /** The output may share the memory of `data`, and is valid until the next call. */
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
   * Returns the held bytes if fewer than 8 bytes may begin a secret. If later bytes complete the secret, the
   * rest of the secret is still replaced.
   */
  release(): Buffer {
    return this.isReleasable ? this.#giveHeld() : NOTHING
  }

  /**
   * Returns the held bytes. Replaces the beginning of a secret if it has 8 or more bytes (24 or more bytes if
   * a line break follows).
   */
  end(): Buffer {
    const { start, offset, length } = this.#reading
    const isLine = isLineBreak(this.#held.bytes.at(-1) ?? 0)
    if (length >= (isLine ? MIN_LINE_BYTES : MIN_BYTES)) this.#covered.add(start, offset)
    return this.flush()
  }

  /** Returns the held bytes and replaces only whole secrets in them. */
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
