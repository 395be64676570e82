import { EVENT_COST_BYTES } from './rows.ts'
import type { Holder } from './disk/removal.ts'
import type { RecordedEnd, SessionEvent } from './session.ts'
import type { HistoryError } from '../store/errors.ts'

/** Longest row of the events table; longer events are split. Keeps a page of reading small (database.ts). */
const CHUNK_BYTES = 64 * 1024

/** Limit per session (protocol.md 7) for output (`o` and `e` together), and the same again for input. */
export const RECORDED_BYTES = 110 * 1024 * 1024

/** Limit for the sizes of a terminal that changes all the time: some 9000 of them. */
const RECORDED_SIZES_BYTES = 64 * 1024

const STREAMS = { i: 'input', o: 'output', e: 'output', r: 'sizes' } as const

/** The part of a session that is not written yet, and how much more of it may be recorded. */
export class Recording {
  readonly holder: Holder
  /** Set once the session has ended; nothing comes after it. */
  end: RecordedEnd | undefined
  /** A text about the record, written together with its end. */
  note: SessionEvent | undefined
  /** Whether somebody was told that a write has failed. */
  isTold = false
  #pending: SessionEvent[] = []
  #room = { input: RECORDED_BYTES, output: RECORDED_BYTES, sizes: RECORDED_SIZES_BYTES }
  #cost = 0
  #dropped = 0
  #failure: HistoryError | undefined

  constructor({ user, connection }: Holder) {
    this.holder = { user, connection }
  }

  get pending(): readonly SessionEvent[] {
    return this.#pending
  }

  /** The unwritten events, and the note when the session has ended. */
  get unwritten(): readonly SessionEvent[] {
    return this.end !== undefined && this.note !== undefined ? [...this.#pending, this.note] : this.#pending
  }

  /** Memory that the unwritten events take, in bytes. */
  get cost(): number {
    return this.#cost
  }

  /** Bytes that are missing from the record: beyond the limit, or lost to a failed write. */
  get dropped(): number {
    return this.#dropped
  }

  get failure(): HistoryError | undefined {
    return this.#failure
  }

  /** Copies what there is room for: the caller's buffer may be a slice of a much longer packet. */
  add({ bytes, ...event }: SessionEvent): void {
    const stream = STREAMS[event.kind]
    const kept = Math.min(bytes.length, this.#room[stream])
    this.#room[stream] -= kept
    this.#dropped += bytes.length - kept
    for (let start = 0; start < kept; start += CHUNK_BYTES) {
      const chunk = Buffer.from(bytes.subarray(start, Math.min(start + CHUNK_BYTES, kept)))
      this.#pending.push({ ...event, bytes: chunk })
      this.#cost += chunk.length + EVENT_COST_BYTES
    }
  }

  clear(): void {
    this.#pending = []
    this.#cost = 0
  }

  /**
   * The unwritten events are lost, since they could not be written. Nothing more is recorded after them: a record that
   * stops is honest, one with a hole in it looks whole.
   */
  fail(error: HistoryError): void {
    this.#failure ??= error
    this.#stop()
  }

  /** Like `fail`, but for a reason that is no failure; it is written into the record. */
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
