import { MaskedStream } from '../../policy/masking/masked-stream.ts'
import type { Masking } from '../../policy/masking/masking.ts'
import type { OutputFilter } from '../../policy/output-filter.ts'
import type { MaskingResult } from './masking-result.ts'

/** Masks one stream by the local engine, and counts what was masked. */
export class LocalStream implements OutputFilter {
  readonly #stream: MaskedStream
  readonly #result: MaskingResult

  constructor(masking: Masking, result: MaskingResult) {
    this.#stream = new MaskedStream(masking)
    this.#result = result
  }

  get held(): number {
    return this.#stream.held
  }

  get isReleasable(): boolean {
    return this.#stream.isReleasable
  }

  push(data: Buffer): Buffer | Promise<Buffer> {
    return this.#counted(this.#stream.push(data))
  }

  release(): Buffer {
    return this.#stream.release()
  }

  end(): Buffer | Promise<Buffer> {
    return this.#counted(this.#stream.end())
  }

  #counted(shown: Buffer | Promise<Buffer>): Buffer | Promise<Buffer> {
    if (shown instanceof Promise) return shown.then((bytes) => this.#counted(bytes))
    const { types, bytes } = this.#stream.takeCounts()
    this.#result.masked(types, bytes)
    return shown
  }
}
