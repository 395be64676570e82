import { within } from '../../basics/abort.ts'
import { type OutputFilter, OutputStopped } from '../../policy/output-filter.ts'
import type { Redaction, Redactor } from '../../policy/redaction/redactor.ts'
import { type Chunk, split } from '../../runtime/child.ts'
import { OutputCap, type TailMemory } from '../../runtime/output-tail.ts'

/**
 * A gate where a session's output waits while its client does not read (`AgentSessionPause`). Meanwhile the
 * stream stays free for other sessions. When the session ends, the gate opens for good, so no output waits
 * for ever.
 */
export class OutputGate {
  #state: 'open' | 'paused' | 'open for good' = 'open'
  #wake: () => void = () => undefined
  #resumed: Promise<void> | undefined

  pause(): void {
    if (this.#state !== 'open') return
    this.#state = 'paused'
    this.#resumed = new Promise((resolve) => (this.#wake = resolve))
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'open'
    this.#wake()
  }

  openForGood(): void {
    this.#state = 'open for good'
    this.#wake()
  }

  get isClosed(): boolean {
    return this.#state === 'paused'
  }

  async passed(): Promise<void> {
    while (this.isClosed) await this.#resumed
  }
}

/**
 * Time for which a filter holds back bytes that it could release. They may be the beginning of a longer
 * match.
 */
const HELD_MS = 100

/** One of the two outputs. `since` is the time at which it began to hold bytes back. */
interface Stream<Filter> {
  readonly name: Chunk['stream']
  readonly filter: Filter
  since: number
}

/**
 * An output whose streams each pass through a filter. When a filter stops the output, nothing more is passed
 * on, but the rest is still read: the command must be able to end.
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
        const { stream } = result.value
        const from = performance.now()
        yield* this.#release(from - HELD_MS, stream)
        const passed = this.#push(result.value)
        // Few filters are asynchronous, and an `await` for each chunk costs the others more than their
        // search.
        yield* split({ stream, data: passed instanceof Promise ? await passed : passed })
        // The reader's own time does not count, because the rest of a secret may already be in the pipe.
        for (const each of this.#streams) each.since += performance.now() - from
      }
      for (const { name, filter } of this.#streams) yield* split({ stream: name, data: await filter.end() })
    } catch (error) {
      await this.#drain(error, source)
    } finally {
      // Without `await`, since `return` waits for a pending read. When the caller leaves early, that read can wait
      // for the end of the child, which the caller ends only after this.
      void source.return?.()
    }
  }

  /** Releases bytes that were held long enough, until `next` settles or no bytes are left. */
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
   * @param before releases bytes that have been held since this time or longer
   * @param except leaves out the stream for which more bytes have come
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

/** Notes since when the stream holds back the bytes that it holds now. */
function begun(stream: Stream<OutputFilter>, waited: boolean, passed: Buffer): Buffer {
  if (!waited || passed.length > 0) stream.since = performance.now()
  return passed
}

interface OutputRules {
  /** Largest output in bytes, and the memory for its tail; undefined sends everything. */
  readonly cap: { readonly bytes: number; readonly tails: TailMemory } | undefined
  /** Paused while the client does not read. */
  readonly gate: OutputGate
  /** Filters of the policies, in this order; each function makes the filter of one stream. */
  readonly filters: readonly (() => OutputFilter)[]
  /** Replaces secrets in what the filters let through; undefined replaces nothing. */
  readonly redaction: Redaction | undefined
  /** Called when a filter has stopped the output. From then on `isUnwanted` must return true. */
  readonly stopped: (cause: OutputStopped) => void
  /** Returns true when nothing more may be sent. The output is then read only to let the command end. */
  readonly isUnwanted: () => boolean
  /** Called for each piece of output beyond the cap. */
  readonly overflowed: () => void
}

export interface OutputBytes {
  readonly read: number
  readonly sent: number
  readonly leftOut: number
  readonly redacted: number
}

export const NO_BYTES: OutputBytes = { read: 0, sent: 0, leftOut: 0, redacted: 0 }

/**
 * One execution's output for the gateway, filtered by its policies. In captured output secrets are then
 * replaced, and the output is capped.
 */
export class SentOutput implements AsyncIterable<Chunk>, Disposable {
  readonly #output: AsyncIterable<Chunk>
  readonly #rules: OutputRules
  readonly #cap: OutputCap | undefined
  #redacted: FilteredOutput<Redactor> | undefined
  #isFiltered = false
  #isAbandoned = false
  #read = 0
  #sent = 0
  #lastByte: number | undefined

  constructor(output: AsyncIterable<Chunk>, rules: OutputRules) {
    this.#output = output
    this.#rules = rules
    this.#cap = rules.cap && new OutputCap(rules.cap.bytes, rules.cap.tails)
  }

  [Symbol.dispose](): void {
    this.#cap?.[Symbol.dispose]()
  }

  get bytes(): OutputBytes {
    return {
      read: this.#read,
      sent: this.#sent,
      leftOut: this.#cap?.omitted ?? 0,
      redacted: this.#redacted?.filters.reduce((sum, { redacted }) => sum + redacted, 0) ?? 0,
    }
  }

  /** Sends nothing more. The output is still read, so that the command can end. */
  abandon(): void {
    this.#isAbandoned = true
  }

  /** Starts the message on a new line, since the gateway puts it directly after the output. */
  onOwnLine(message: string): string {
    const glued = this.#lastByte !== undefined && this.#lastByte !== 0x0a
    return message !== '' && glued ? `\n${message}` : message
  }

  /**
   * Yields the output. A slow reader slows the command down. There is only one generator, since each more
   * costs 1 to 2 % of bulk output.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    const { isUnwanted, overflowed, gate } = this.#rules
    for await (const chunk of this.#shown()) {
      if (!this.#isFiltered) this.#read += chunk.data.length
      if (isUnwanted()) continue
      const live = this.#cap === undefined ? chunk : this.#cap.head(chunk)
      if (live !== undefined) {
        if (gate.isClosed) await gate.passed()
        if (!this.#isAbandoned) yield live
        this.#count(live)
      }
      if (this.#cap?.exceeded === true) overflowed()
    }
    if (!isUnwanted()) yield* this.#rest()
  }

  /** Yields the tail that the cap has kept for the end. */
  async *#rest(): AsyncGenerator<Chunk, void, undefined> {
    for (const chunk of this.#cap?.finish() ?? []) {
      await this.#rules.gate.passed()
      if (!this.#isAbandoned) yield chunk
      this.#count(chunk)
    }
  }

  /**
   * Returns the output after its filters. Without filters it is the command's own output, since each layer
   * costs time.
   */
  #shown(): AsyncIterable<Chunk> {
    const { filters, redaction, stopped } = this.#rules
    const redacts = redaction !== undefined && !redaction.empty
    if (!redacts && filters.length === 0) return this.#output
    this.#isFiltered = true
    let shown: AsyncIterable<Chunk> = this.#counted()
    for (const filter of filters) shown = new FilteredOutput(shown, filter, stopped)
    return redacts ? (this.#redacted = new FilteredOutput(shown, () => redaction.stream(), stopped)) : shown
  }

  /** Counts the bytes before any replacement. Unwanted output need not wait for a slow filter. */
  async *#counted(): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of this.#output) {
      this.#read += chunk.data.length
      if (!this.#rules.isUnwanted()) yield chunk
    }
  }

  /**
   * Counts a chunk. Runs when the reader asks for more: by then the chunk was sent, or `abandon` was called.
   */
  #count({ data }: Chunk): void {
    if (this.#isAbandoned) return
    this.#sent += data.length
    this.#lastByte = data.at(-1)
  }
}
