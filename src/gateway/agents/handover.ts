import { onAbort } from '../../basics/abort.ts'

/** Passes things on to one reader, one by one. Whoever gives something waits until the reader is done with it. */
export class Handover<T> implements AsyncIterable<T> {
  /** As many as there are givers that wait. */
  readonly #given: { readonly item: T; readonly taken: () => void }[] = []
  readonly #over: AbortSignal
  #error: Error | undefined
  #hasLeft = false
  #wake: () => void = () => undefined

  /** @param over aborted when nobody wants to read any more */
  constructor(over: AbortSignal) {
    this.#over = over
    onAbort(over, () => this.#wake())
  }

  /** Settles when the reader is done with it, or reads no more. */
  async give(item: T): Promise<void> {
    if (this.#over.aborted || this.#hasLeft) return
    await new Promise<void>((taken) => {
      this.#given.push({ item, taken })
      this.#wake()
    })
  }

  /** The reader gets this error, behind what was given before. */
  fail(error: Error): void {
    this.#error ??= error
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      while (!this.#over.aborted) {
        const next = this.#given[0]
        if (next === undefined) await this.#more()
        else {
          yield next.item
          this.#given.shift()
          next.taken()
        }
      }
    } finally {
      this.#hasLeft = true
      for (const { taken } of this.#given.splice(0)) taken()
    }
  }

  async #more(): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}
