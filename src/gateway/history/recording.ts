import { RECORDED_BYTES } from '../../contract/executions.ts'
import { EVENT_COST_BYTES } from './rows.ts'
import type { Holder } from './disk/removal.ts'
import type { RecordedEnd, SessionEvent } from './session.ts'
import type { HistoryError } from '../store/errors.ts'

/** Longer events are split, so that a page of reads stays small (statements.ts). */
const CHUNK_BYTES = 64 * 1024

/** Maximum bytes of terminal sizes per session. This is enough for some 9000 changes of the size. */
const RECORDED_SIZES_BYTES = 64 * 1024

const STREAMS = { i: 'input', o: 'output', e: 'output', r: 'sizes' } as const

/**
 * The events of a session that are not in the file yet, and the number of bytes that may still be recorded.
 */
export class Recording {
  readonly holder: Holder
  /** Time in ms at which the command began, if this process has seen it. */
  beganAt: number | undefined
  /** Whether the file has `beganAt`. */
  isBeginningWritten = false
  /** Set when the session has ended. No event is added afterwards. */
  end: RecordedEnd | undefined
  /** A text about the record. It is written together with the end of the session. */
  note: SessionEvent | undefined
  /** True after a failed write of this session was reported. */
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

  /** The beginning, unless the file has it. */
  get unwrittenBeginning(): number | undefined {
    return this.isBeginningWritten ? undefined : this.beganAt
  }

  /** The events that are not in the file yet. After the end, they include the note. */
  get unwritten(): readonly SessionEvent[] {
    return this.end !== undefined && this.note !== undefined ? [...this.#pending, this.note] : this.#pending
  }

  /** Memory in bytes that the unwritten events take. */
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

  /**
   * Adds an event, up to the limit of its stream. Copies the bytes, because they may belong to a long packet,
   * which would stay in memory.
   */
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
   * Drops the unwritten events, and records nothing more. Later events would follow a gap, and the record
   * would look complete.
   */
  fail(error: HistoryError): void {
    this.#failure ??= error
    this.#stop()
  }

  /** Records nothing more, and writes the reason into the record. This is not a failure. */
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
