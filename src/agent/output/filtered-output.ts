import { within } from '../../basics/within.ts'
import { OutputStopped, type OutputFilter } from '../../policy/output-filter.ts'
import { split, type Chunk } from '../../runtime/output/child-output.ts'

/** How long a filter holds back what it could release. It may be the beginning of something longer. */
const HELD_MS = 100

/** One of the two outputs. `since` is when it began to hold bytes back. */
interface Stream<Filter> {
  readonly name: Chunk['stream']
  readonly filter: Filter
  since: number
}

/**
 * An output behind a filter for each of its streams. When a filter stops it, nothing more is given on, and the rest is
 * read all the same: the command must be able to end.
 */
export class FilteredOutput<Filter extends OutputFilter> implements AsyncIterable<Chunk> {
  readonly #output: AsyncIterable<Chunk>
  readonly #streams: readonly [Stream<Filter>, Stream<Filter>]
  readonly #stopped: (cause: OutputStopped) => void

  /**
   * @param filter makes the filter of one stream
   * @param stopped called when a filter has stopped the output
   */
  constructor(output: AsyncIterable<Chunk>, filter: () => Filter, stopped: (cause: OutputStopped) => void) {
    this.#output = output
    this.#streams = [
      { name: 'stdout', filter: filter(), since: 0 },
      { name: 'stderr', filter: filter(), since: 0 },
    ]
    this.#stopped = stopped
  }

  get filters(): Filter[] {
    return this.#streams.map(({ filter }) => filter)
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
        const passed = this.#push(result.value)
        const { stream } = result.value
        // Few filters are asynchronous, and an `await` for each chunk costs the others more than their search.
        yield* split({ stream, data: passed instanceof Promise ? await passed : passed })
        // The reader's own time does not count: the rest of a secret may already be in the pipe.
        for (const stream of this.#streams) stream.since += performance.now() - from
      }
      for (const { name, filter } of this.#streams) yield* split({ stream: name, data: await filter.end() })
    } catch (error) {
      await this.#drain(error, source)
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

  #push({ stream: name, data }: Chunk): Buffer | Promise<Buffer> {
    const stream = this.#streams[name === 'stdout' ? 0 : 1]
    const waited = stream.filter.held > 0
    const passed = stream.filter.push(data)
    if (!(passed instanceof Promise)) return begun(stream, waited, passed)
    return passed.then((bytes) => begun(stream, waited, bytes))
  }

  /**
   * @param before gives out what was held since then or longer
   * @param except leaves out the stream of which more has come
   */
  *#release(before: number, except?: Chunk['stream']): Generator<Chunk> {
    for (const { name, filter, since } of this.#releasable()) {
      if (since <= before && name !== except) yield* split({ stream: name, data: filter.release() })
    }
  }

  #releasable(): Stream<Filter>[] {
    return this.#streams.filter(({ filter }) => filter.isReleasable)
  }

  /** Reads the rest of an output that a filter has stopped. @throws every other error */
  async #drain(error: unknown, source: AsyncIterator<Chunk>): Promise<void> {
    if (!(error instanceof OutputStopped)) throw error
    this.#stopped(error)
    while ((await source.next()).done !== true);
  }
}

/** Notes when the stream has begun to hold back what it holds now. */
function begun(stream: Stream<OutputFilter>, waited: boolean, passed: Buffer): Buffer {
  if (!waited || passed.length > 0) stream.since = performance.now()
  return passed
}
