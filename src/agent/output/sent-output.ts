import { within } from '../../basics/abort.ts'
import { type OutputFilter, OutputStopped } from '../../policy/output-filter.ts'
import type { Redaction, Redactor } from '../../policy/redaction/redactor.ts'
import { type Chunk, split } from '../../runtime/child.ts'
import { OutputCap, type TailMemory } from '../../runtime/output-tail.ts'
import { deferred } from '../../basics/deferred.ts'

/**
 * Holds back a session's output while its client does not read (`AgentSessionPause`). Meanwhile the stream is
 * free for other sessions. The gate opens permanently when the session ends.
 */
export class OutputGate {
  #state: 'open' | 'paused' | 'open for good' = 'open'
  #resumed = deferred()

  pause(): void {
    if (this.#state !== 'open') return
    this.#state = 'paused'
    this.#resumed = deferred()
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'open'
    this.#resumed.resolve()
  }

  openForGood(): void {
    this.#state = 'open for good'
    this.#resumed.resolve()
  }

  get isClosed(): boolean {
    return this.#state === 'paused'
  }

  async passed(): Promise<void> {
    while (this.isClosed) await this.#resumed.promise
  }
}

/**
 * Time in milliseconds for which a filter holds back releasable bytes, because they may begin a longer match.
 */
const HELD_MS = 100

/** `since`: the time at which the filter began to hold bytes back. */
interface Stream<Filter> {
  readonly name: Chunk['stream']
  readonly filter: Filter
  since: number
}

/**
 * Passes output through one filter for each stream. After a filter has stopped the output, nothing more is
 * passed on. The output is still read, so that the command can end.
 */
export class FilteredOutput<Filter extends OutputFilter> implements AsyncIterable<Chunk> {
  readonly #output: AsyncIterable<Chunk>
  readonly #streams: readonly [Stream<Filter>, Stream<Filter>]
  readonly #stopped: (cause: OutputStopped) => void

  /** @param filter called for each stream @param stopped called when a filter has stopped the output */
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
        // Few filters are asynchronous. An `await` for each chunk would cost more than their search.
        yield* split({ stream, data: passed instanceof Promise ? await passed : passed })
        // The reader's time does not count as waiting time, because the end of a secret may already be in the
        // pipe.
        for (const each of this.#streams) each.since += performance.now() - from
      }
      for (const { name, filter } of this.#streams) yield* split({ stream: name, data: await filter.end() })
    } catch (error) {
      await this.#drain(error, source)
    } finally {
      // There is no `await`, because `return` waits for a pending read. This read may wait for the end of the
      // child, and the caller ends the child only after this generator.
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
   * @param except the stream that has just received more bytes; its bytes are not released
   */
  *#release(before: number, except?: Chunk['stream']): Generator<Chunk> {
    for (const { name, filter, since } of this.#releasable()) {
      if (since <= before && name !== except) yield* split({ stream: name, data: filter.release() })
    }
  }

  #releasable(): Stream<Filter>[] {
    return this.#streams.filter(({ filter }) => filter.isReleasable)
  }

  /** Reads an output to its end after a filter has stopped it. @throws `error` if no filter has caused it */
  async #drain(error: unknown, source: AsyncIterator<Chunk>): Promise<void> {
    if (!(error instanceof OutputStopped)) throw error
    this.#stopped(error)
    while ((await source.next()).done !== true);
  }
}

/** Sets `since`, the time at which the stream began to hold back its current bytes. Returns `passed`. */
function begun(stream: Stream<OutputFilter>, waited: boolean, passed: Buffer): Buffer {
  if (!waited || passed.length > 0) stream.since = performance.now()
  return passed
}

interface OutputRules {
  /** The cap in bytes, and the memory for the tail. If undefined, everything is sent. */
  readonly cap: { readonly bytes: number; readonly tails: TailMemory } | undefined
  readonly gate: OutputGate
  /** Each function makes the filter of one stream. The output passes them in this order. */
  readonly filters: readonly (() => OutputFilter)[]
  /** Used after the filters. */
  readonly redaction: Redaction | undefined
  /** Called when a filter has stopped the output. After that `isStopped` must return true. */
  readonly stopped: (cause: OutputStopped) => void
  /** Whether nothing more may be sent. Output is then read only so that the command can end. */
  readonly isStopped: () => boolean
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
 * One execution's output for the gateway, filtered by its policies. Captured output is then redacted and
 * capped.
 */
export class SentOutput implements AsyncIterable<Chunk>, Disposable {
  readonly #output: AsyncIterable<Chunk>
  readonly #rules: OutputRules
  readonly #cap: OutputCap | undefined
  #redacted: FilteredOutput<Redactor> | undefined
  #isFiltered = false
  #isDiscarded = false
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

  /** Stops sending. The output is still read, so that the command can end. */
  discard(): void {
    this.#isDiscarded = true
  }

  /** Puts the message on a line of its own, because the gateway puts it directly after the output. */
  onOwnLine(message: string): string {
    const glued = this.#lastByte !== undefined && this.#lastByte !== 0x0a
    return message !== '' && glued ? `\n${message}` : message
  }

  /**
   * Yields the output. A slow reader slows the command down. Everything is in one generator, because each
   * further generator costs 1 to 2 % of the speed of bulk output.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    const { isStopped, overflowed, gate } = this.#rules
    for await (const chunk of this.#shown()) {
      if (!this.#isFiltered) this.#read += chunk.data.length
      if (isStopped()) continue
      const live = this.#cap === undefined ? chunk : this.#cap.head(chunk)
      if (live !== undefined) {
        if (gate.isClosed) await gate.passed()
        if (!this.#isDiscarded) yield live
        this.#count(live)
      }
      if (this.#cap?.exceeded === true) overflowed()
    }
    if (!isStopped()) yield* this.#rest()
  }

  /** Yields the tail that the cap has kept for the end. */
  async *#rest(): AsyncGenerator<Chunk, void, undefined> {
    for (const chunk of this.#cap?.finish() ?? []) {
      await this.#rules.gate.passed()
      if (!this.#isDiscarded) yield chunk
      this.#count(chunk)
    }
  }

  /** Without filters, returns the command's own output: each layer costs time. */
  #shown(): AsyncIterable<Chunk> {
    const { filters, redaction, stopped } = this.#rules
    const redacts = redaction !== undefined && !redaction.empty
    if (!redacts && filters.length === 0) return this.#output
    this.#isFiltered = true
    let shown: AsyncIterable<Chunk> = this.#counted()
    for (const filter of filters) shown = new FilteredOutput(shown, filter, stopped)
    return redacts ? (this.#redacted = new FilteredOutput(shown, () => redaction.stream(), stopped)) : shown
  }

  /** Counts the bytes before any replacement. Discarded output does not wait for a slow filter. */
  async *#counted(): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of this.#output) {
      this.#read += chunk.data.length
      if (!this.#rules.isStopped()) yield chunk
    }
  }

  /**
   * Counts a chunk when the reader asks for the next chunk: this chunk was then sent, or `discard` was
   * called.
   */
  #count({ data }: Chunk): void {
    if (this.#isDiscarded) return
    this.#sent += data.length
    this.#lastByte = data.at(-1)
  }
}
