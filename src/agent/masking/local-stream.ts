import { MaskedStream, MaskingTooLong } from '../../policy/masking/masked-stream.ts'
import type { Masking } from '../../policy/masking/masking.ts'
import type { Words } from '../../policy/masking/words.ts'
import type { OutputFilter } from '../../policy/output-filter.ts'
import type { MaskingResult } from './masking-result.ts'

/** If masking took too long for this many parts of a session's output, all further output passes unmasked. */
const MAX_SLOW_PARTS = 3
const PASSES = 'masking by the local engine took too long several times: the remaining output passes unmasked'

/** Parts that took too long. The session's streams share the count. */
export interface GivenUp {
  count: number
}

export class LocalStream implements OutputFilter {
  readonly #stream: MaskedStream
  readonly #result: MaskingResult
  readonly #givenUp: GivenUp

  /**
   * @param longestMs time in milliseconds for masking one part of the output
   * @param words words that count as written before the text, such as the name of a column
   */
  constructor(masking: Masking, result: MaskingResult, givenUp: GivenUp, longestMs?: number, words?: Words) {
    this.#stream = new MaskedStream(masking, longestMs, words)
    this.#result = result
    this.#givenUp = givenUp
  }

  get held(): number {
    return this.#stream.held
  }

  get isReleasable(): boolean {
    return this.#stream.isReleasable
  }

  push(data: Buffer): Buffer | Promise<Buffer> {
    if (this.#givenUp.count >= MAX_SLOW_PARTS) return this.#passed(data)
    return this.#counted(this.#stream.push(data))
  }

  release(): Buffer {
    return this.#stream.release()
  }

  end(): Buffer | Promise<Buffer> {
    if (this.#givenUp.count >= MAX_SLOW_PARTS) return this.#stream.pass()
    return this.#counted(this.#stream.end())
  }

  #counted(shown: Buffer | Promise<Buffer>): Buffer | Promise<Buffer> {
    if (shown instanceof Promise)
      return shown.then(
        (bytes) => this.#counted(bytes),
        (error: unknown) => this.#counted(this.#unmasked(error)),
      )
    const { types, bytes } = this.#stream.takeCounts()
    this.#result.masked(types, bytes)
    return shown
  }

  /**
   * Returns the masked bytes before the part that took too long, then this part unmasked.
   * @throws OutputStopped in strict mode
   */
  #unmasked(error: unknown): Buffer {
    if (!(error instanceof MaskingTooLong)) throw error
    this.#result.failed(error.message)
    this.#givenUp.count += 1
    if (this.#givenUp.count >= MAX_SLOW_PARTS) this.#result.passes(PASSES)
    return Buffer.concat([error.masked, this.#stream.pass()])
  }

  #passed(data: Buffer): Buffer {
    return Buffer.concat([this.#stream.pass(), data])
  }
}
