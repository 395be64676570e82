import { RECORDED_BYTES } from '../../contract/executions.ts'
import { EVENT_COST_BYTES } from './rows.ts'
import type { Holder } from './disk/removal.ts'
import type { RecordedEnd, SessionEvent } from './session.ts'
import type { HistoryError } from '../store/errors.ts'

/** Longer events are split, so that a page of reads stays small (statements.ts). */
const CHUNK_BYTES = 64 * 1024

/** Bytes per session: some 9000 sizes of a terminal that changes all the time. */
const RECORDED_SIZES_BYTES = 64 * 1024

const STREAMS = { i: 'input', o: 'output', e: 'output', r: 'sizes' } as const

/** The unwritten part of a session, and how much may still be recorded. */
export class Recording {
  readonly holder: Holder
  /** No event is added after the end. */
  end: RecordedEnd | undefined
  /** A text about the record, written with the session's end. */
  note: SessionEvent | undefined
  /** Whether a failed write was reported. */
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

  /** Unwritten events, and the note when the session has ended. */
  get unwritten(): readonly SessionEvent[] {
    return this.end !== undefined && this.note !== undefined ? [...this.#pending, this.note] : this.#pending
  }

  /** Memory of the unwritten events, in bytes. */
  get cost(): number {
    return this.#cost
  }

  /** Bytes missing from the record, because of the limit or a failed write. */
  get dropped(): number {
    return this.#dropped
  }

  get failure(): HistoryError | undefined {
    return this.#failure
  }

  /** Adds an event, up to its stream's limit. Copies the bytes: they may be a slice of a long packet. */
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

  /** Drops unwritten events and records nothing more: a record with a gap would look complete. */
  fail(error: HistoryError): void {
    this.#failure ??= error
    this.#stop()
  }

  /** Stops without a failure, and writes the reason into the record. */
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

export function chunksOf(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / CHUNK_BYTES)
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES))
}
