import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import * as v from 'valibot'
import { claimFile } from '../../../basics/files/private-path.ts'
import type { RecordedEnd } from '../session.ts'

/**
 * Size of one entry. The longest entry without cause and masking has an id of 200 escaped characters and four
 * numbers, and fits.
 */
const SLOT_BYTES = 512
/** Number of ends that the gateway can keep while the disk is full. */
export const RESERVED_ENDS = 1000
const EMPTY = Buffer.alloc(SLOT_BYTES)

const Stored = v.object({
  id: v.string(),
  endedAt: v.number(),
  beganAt: v.optional(v.number()),
  exitCode: v.optional(v.number()),
  truncatedBytes: v.number(),
  redactedBytes: v.optional(v.number(), 0),
  masking: v.optional(v.string()),
  cause: v.optional(v.object({ code: v.string(), by: v.exactOptional(v.string()) })),
})

/**
 * Reserves space for the ends of sessions, which a flood of output cannot fill. The reserve is a file beside
 * the database. The file is filled once, and then only overwritten. It survives `kill -9`. Its ends move to
 * the database when the database is opened again, or when the disk has space. On btrfs and ZFS
 * (copy-on-write), overwriting needs space, so the reserve may fail.
 */
export class Reserve {
  readonly #path: string
  readonly #slots = new Map<string, number>()
  readonly #ends = new Map<string, RecordedEnd>()
  #file: number | undefined

  /**
   * On a full disk, there is no file, and `put` returns false. This is not an error.
   * @throws ForeignPathError
   */
  constructor(path: string) {
    this.#path = path
    this.open()
  }

  get isThere(): boolean {
    return this.#file !== undefined
  }

  /** Call this again after the disk was full. */
  open(): void {
    if (this.#file !== undefined) return
    const isOld = claimFile(this.#path)
    const { O_RDWR, O_RDONLY, O_CREAT, O_NOFOLLOW } = constants
    this.#file = tried(() => openSync(this.#path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600))
    if (this.#file !== undefined && !fill(this.#file)) {
      this.close()
      if (!isOld) rmSync(this.#path, { force: true })
    }
    const readable = this.#file ?? tried(() => openSync(this.#path, O_RDONLY | O_NOFOLLOW))
    if (readable === undefined) return
    this.#read(readable)
    if (this.#file === undefined) closeSync(readable)
  }

  /** Ends that this gateway has put here, or an earlier gateway that was killed. */
  get ends(): ReadonlyMap<string, RecordedEnd> {
    return this.#ends
  }

  /** @returns false when there is no space for the end */
  put(id: string, end: RecordedEnd): boolean {
    const slot = this.#slots.get(id) ?? this.#freeSlot()
    if (slot === undefined || !this.#write(slot, encode(id, end))) return false
    this.#slots.set(id, slot)
    this.#ends.set(id, end)
    return true
  }

  /** Removes an end, because it is now in the database or is no longer needed. */
  remove(id: string): void {
    const slot = this.#slots.get(id)
    if (slot === undefined || !this.#write(slot, EMPTY)) return
    this.#slots.delete(id)
    this.#ends.delete(id)
  }

  close(): void {
    const file = this.#file
    this.#file = undefined
    if (file !== undefined) tried(() => closeSync(file))
  }

  #freeSlot(): number | undefined {
    const taken = new Set(this.#slots.values())
    for (let slot = 0; slot < RESERVED_ENDS; slot++) if (!taken.has(slot)) return slot
    return undefined
  }

  #write(slot: number, bytes: Buffer): boolean {
    const file = this.#file
    if (file === undefined) return false
    return tried(() => writeSync(file, bytes, 0, SLOT_BYTES, slot * SLOT_BYTES)) === SLOT_BYTES
  }

  #read(file: number): void {
    const bytes = Buffer.alloc(SLOT_BYTES * RESERVED_ENDS)
    const length = readSync(file, bytes, 0, bytes.length, 0)
    for (let slot = 0; (slot + 1) * SLOT_BYTES <= length; slot++) {
      const found = decode(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES))
      if (found === undefined) continue
      this.#slots.set(found.id, slot)
      this.#ends.set(found.id, found.end)
    }
  }
}

/**
 * Encodes an end for its slot. Guardrail rules are left out, because they never fit. Beginning, cause and
 * masking are included if they fit, as in most sessions.
 */
function encode(id: string, end: RecordedEnd): Buffer {
  const { endedAt, exitCode, truncatedBytes, redactedBytes, masking, cause } = end
  const short = { id, endedAt: endedAt.getTime(), exitCode, truncatedBytes, redactedBytes }
  const begun = { ...short, beganAt: end.beganAt?.getTime() }
  const more = [{ ...begun, cause, masking }, { ...begun, cause }, begun, short]
  const forms = more.map((form) => JSON.stringify(form))
  const bytes = Buffer.alloc(SLOT_BYTES, ' ')
  bytes.write(forms.find((form) => Buffer.byteLength(form) <= SLOT_BYTES) ?? '')
  return bytes
}

/** Returns undefined for an empty entry, or for a damaged entry, for example after a power failure. */
function decode(bytes: Buffer): { id: string; end: RecordedEnd } | undefined {
  if (bytes[0] === 0) return undefined
  try {
    const { id, endedAt, beganAt, exitCode, masking, cause, ...counts } = v.parse(
      Stored,
      JSON.parse(bytes.toString()),
    )
    const end = { endedAt: new Date(endedAt), exitCode, ...counts }
    const more = { ...(masking !== undefined && { masking }), ...(cause !== undefined && { cause }) }
    return { id, end: { ...end, ...more, ...(beganAt !== undefined && { beganAt: new Date(beganAt) }) } }
  } catch {
    return undefined
  }
}

/** Fills and syncs the file. Only then is the space really reserved. */
function fill(file: number): boolean {
  const wanted = SLOT_BYTES * RESERVED_ENDS
  const done = tried(() => {
    const { size } = fstatSync(file)
    if (size >= wanted) return true
    const zeros = Buffer.alloc(wanted - size)
    for (let at = 0; at < zeros.length;) at += writeSync(file, zeros, at, zeros.length - at, size + at)
    fdatasyncSync(file)
    return true
  })
  return done === true
}

/** Returns undefined when the system reports an error. */
function tried<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
