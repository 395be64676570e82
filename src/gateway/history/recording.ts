import { EVENT_COST_BYTES } from './cost.ts'
import type { EventKind, HistoryError, SessionEnd, SessionEvent } from './session.ts'

/** Longest row of the events table; longer events become several. Keeps a page of reading small (database.ts). */
const CHUNK_BYTES = 64 * 1024

/** Recorded per session, protocol.md 7: output (`o` and `e` together), and as much again of input. */
export const RECORDED_BYTES = 110 * 1024 * 1024

/** Sizes of a terminal that changes all the time: some 9000 of them. */
const RECORDED_SIZES_BYTES = 64 * 1024

const STREAMS = { i: 'input', o: 'output', e: 'output', r: 'sizes' } as const

/** What is still unwritten of one session, and how much of it may yet be recorded. */
export class Recording {
  readonly user: string
  /** Set once the session has ended; nothing comes after it. */
  end: SessionEnd | undefined
  /** A text about the record, to be written with its end. */
  note: SessionEvent | undefined
  /** Somebody was told that a write has failed. */
  isTold = false
  #pending: SessionEvent[] = []
  #room = { input: RECORDED_BYTES, output: RECORDED_BYTES, sizes: RECORDED_SIZES_BYTES }
  #cost = 0
  #dropped = 0
  #failure: HistoryError | undefined

  constructor(user: string) {
    this.user = user
  }

  /** The unwritten events in their order. */
  get pending(): readonly SessionEvent[] {
    return this.#pending
  }

  /** The same, and the note when it is its turn. */
  get unwritten(): readonly SessionEvent[] {
    return this.end !== undefined && this.note !== undefined ? [...this.#pending, this.note] : this.#pending
  }

  /** Memory held by unwritten events, in bytes. */
  get cost(): number {
    return this.#cost
  }

  /** Bytes that are missing from the record: beyond the limit, or lost to a failed write. */
  get dropped(): number {
    return this.#dropped
  }

  /** The first write that failed. */
  get failure(): HistoryError | undefined {
    return this.#failure
  }

  /** Copies what there is room for: the caller's buffer may be a slice of a much longer packet. */
  add(kind: EventKind, bytes: Buffer, seconds: number): void {
    const stream = STREAMS[kind]
    const kept = Math.min(bytes.length, this.#room[stream])
    this.#room[stream] -= kept
    this.#dropped += bytes.length - kept
    for (let start = 0; start < kept; start += CHUNK_BYTES) {
      const chunk = Buffer.from(bytes.subarray(start, Math.min(start + CHUNK_BYTES, kept)))
      this.#pending.push({ kind, seconds, bytes: chunk })
      this.#cost += chunk.length + EVENT_COST_BYTES
    }
  }

  /** They are written. */
  clear(): void {
    this.#pending = []
    this.#cost = 0
  }

  /**
   * The unwritten events could not be written and are lost. Nothing more is recorded after them: a record that
   * stops is honest, one with a hole in it looks whole.
   */
  fail(error: HistoryError): void {
    this.#failure ??= error
    this.#stop()
  }

  /** The same, for a reason that is no failure and stands in the record. */
  cut(reason: string): void {
    const seconds = this.#pending.at(-1)?.seconds ?? 0
    this.note ??= { kind: 'e', seconds, bytes: Buffer.from(`\n${reason}\n`) }
    this.#stop()
  }

  #stop(): void {
    this.#room = { input: 0, output: 0, sizes: 0 }
    this.#dropped += this.#pending.reduce((sum, event) => sum + event.bytes.length, 0)
    this.clear()
  }
}

/** Cuts one long text or input into rows. */
export function chunksOf(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / CHUNK_BYTES)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES))
}
