import { CoveredRuns } from './covered-runs.ts'
import { HeldBytes } from './held-bytes.ts'
import { isLineBreak } from './variants/line-breaks.ts'
import { Matcher, Reading } from './matcher/matcher.ts'
import { NOTHING, OutputStream } from './output.ts'

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

  /** Bytes of memory that looking for them takes, about: a node of the automaton for each of their bytes. */
  get memoryBytes(): number {
    return this.#texts.reduce((sum, { length }) => sum + length * NODE_BYTES, 0)
  }

  /** A text that is whole, with the secrets in it replaced; may share its memory. */
  replaceIn(text: Buffer): Buffer {
    const redactor = this.stream()
    const passed = redactor.push(text)
    const rest = redactor.flush()
    return rest.length === 0 ? passed : Buffer.concat([passed, rest])
  }

  /** A redactor for one stream; all of them share what is compiled. */
  stream(): Redactor {
    return new Redactor(() => (this.#matcher ??= this.empty ? undefined : new Matcher(this.#texts)))
  }
}

const NODE_BYTES = 16

/** So many characters of a text in a row are not shown: fewer are a guess at what it is, and often an ordinary word. */
const LEAST_BYTES = 8
/** The same at the end of the stream with a line break behind them: `postgres` as the last line means just that. */
const LEAST_BYTES_OF_LINE = 24

/** Replaces every maximal run of bytes that lie inside occurrences of texts by one `[REDACTED]`; holds back what may become one. */
export class Redactor {
  readonly #compile: () => Matcher | undefined
  readonly #covered = new CoveredRuns()
  readonly #reading = new Reading()
  readonly #held = new HeldBytes()
  #matcher: Matcher | undefined
  /** Offset in the stream of what was not given out yet, as it is or replaced. */
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
    return this.#reading.offset - this.#given
  }

  /** Something is held, and `release` gives it out. */
  get isReleasable(): boolean {
    return this.held > 0 && this.#reading.length < LEAST_BYTES
  }

  /** Bytes that were replaced. */
  get redacted(): number {
    return this.#redacted
  }

  /** @returns all that can go out; may share the memory of `data`, and is valid until the next call */
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
   * Gives out what is held, unless it is the first 8 characters of a text or more: as it is where it is not inside a
   * complete text. It still counts: when what comes next completes a text, the rest of that text is replaced.
   */
  release(): Buffer {
    return this.isReleasable ? this.#giveHeld() : NOTHING
  }

  /** Gives out what is held at the end of the stream: 8 characters of a text or more are a part of it, and replaced. */
  end(): Buffer {
    const { start, offset, length } = this.#reading
    const isLine = isLineBreak(this.#held.bytes.at(-1) ?? 0)
    if (length >= (isLine ? LEAST_BYTES_OF_LINE : LEAST_BYTES)) this.#covered.add(start, offset)
    return this.flush()
  }

  /** Gives out what is held, as it is where it is not inside a complete text: nothing is missing at the stream's end. */
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

  #giveAsIs(limit: number, output: OutputStream): void {
    if (limit <= this.#given) return
    output.keep(this.#given, limit)
    this.#given = limit
    this.#inRun = false
  }
}
