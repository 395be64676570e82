import { within } from '../../basics/within.ts'
import { split, type Chunk } from '../../runtime/output/child-output.ts'
import type { Redaction, Redactor } from '../../policy/redaction/redactor.ts'

/** How long what may begin a secret is held back. Then it is shown, if it is too little to give one away. */
const HELD_MS = 100

/** One of the two outputs. `since` is when it began to hold bytes back. */
interface Stream {
  readonly name: Chunk['stream']
  readonly redactor: Redactor
  since: number
}

export class RedactedOutput implements AsyncIterable<Chunk> {
  readonly #output: AsyncIterable<Chunk>
  readonly #streams: readonly Stream[]

  constructor(output: AsyncIterable<Chunk>, redaction: Redaction) {
    this.#output = output
    this.#streams = (['stdout', 'stderr'] as const).map((name) => ({
      name,
      redactor: redaction.stream(),
      since: 0,
    }))
  }

  get redacted(): number {
    return this.#streams.reduce((sum, { redactor }) => sum + redactor.redacted, 0)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    const source = this.#output[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = source.next()
        yield* this.#releaseWhileWaiting(next)
        const result = await next
        if (result.done === true) break
        const from = performance.now()
        yield* this.#release(from - HELD_MS, result.value.stream)
        yield* this.#push(result.value)
        // The reader's own time does not count: the rest of a secret may already be in the pipe.
        for (const stream of this.#streams) stream.since += performance.now() - from
      }
      for (const { name, redactor } of this.#streams) yield* split({ stream: name, data: redactor.end() })
    } finally {
      // Not awaited: it would wait for a pending read. When the caller leaves early, the child ends only after this.
      void source.return?.()
    }
  }

  /** Gives out bytes that were held long enough, until `next` settles or nothing is left to give out. */
  async *#releaseWhileWaiting(next: Promise<unknown>): AsyncGenerator<Chunk> {
    for (let held = this.#releasable(); held.length > 0; held = this.#releasable()) {
      const due = Math.min(...held.map(({ since }) => since)) + HELD_MS
      if (await within(next, due - performance.now())) return
      yield* this.#release(performance.now() - HELD_MS)
    }
  }

  *#push({ stream: name, data }: Chunk): Generator<Chunk> {
    for (const stream of this.#streams) {
      if (stream.name !== name) continue
      const waited = stream.redactor.held > 0
      const passed = stream.redactor.push(data)
      if (!waited || passed.length > 0) stream.since = performance.now()
      yield* split({ stream: name, data: passed })
    }
  }

  /**
   * @param before gives out what was held since then or longer
   * @param except leaves out the stream of which more has come
   */
  *#release(before: number, except?: Chunk['stream']): Generator<Chunk> {
    for (const { name, redactor, since } of this.#releasable()) {
      if (since <= before && name !== except) yield* split({ stream: name, data: redactor.release() })
    }
  }

  #releasable(): Stream[] {
    return this.#streams.filter(({ redactor }) => redactor.isReleasable)
  }
}
