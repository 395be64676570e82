import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../basics/errors.ts'
import { objectionTo } from '../../basics/files/private-path.ts'
import { type JournalEntry, shortened } from './entries.ts'

/** Maximum number of remembered ids. They take about 6 MB; the default size of the journal has 13,000 at most. */
const MAX_IDS = 50_000
/** Maximum number of the journal's newest bytes that are read at the start: about 0.2 s of work. */
const MAX_READ_BYTES = 32 * 1024 * 1024
const CHUNK_BYTES = 256 * 1024

/**
 * The ids of the sessions that this agent has started, over restarts. A gateway that was restored from a copy
 * of its database, or a second stream, may send an approved session again: nothing runs twice.
 */
export class StartedSessions {
  readonly #ids = new Set<string>()
  readonly #record: (entry: JournalEntry) => void

  /** @param record writes the journal before it returns */
  constructor(record: (entry: JournalEntry) => void, earlier: Iterable<string> = []) {
    this.#record = record
    for (const sid of earlier) this.#add(sid)
  }

  has(sid: string): boolean {
    return this.#ids.has(shortened(sid))
  }

  /**
   * Call before the command starts: the id is then in the journal, even if the agent is killed right after.
   * Returns false if the session was started before.
   */
  begin(sid: string): boolean {
    if (this.has(sid)) return false
    this.#record({ event: 'starting', sid })
    this.#add(shortened(sid))
    return true
  }

  #add(sid: string): void {
    this.#ids.add(sid)
    const [oldest] = this.#ids
    if (this.#ids.size > MAX_IDS && oldest !== undefined) this.#ids.delete(oldest)
  }
}

/**
 * Returns the ids of the journal's newest entries, oldest first. Entries of all agents that share the folder
 * count. Returns nothing if there is no journal.
 * @throws if a file of the journal cannot be read
 */
export function startedIn(folder: string, maxBytes = MAX_READ_BYTES): string[] {
  const newer: string[] = []
  const left = maxBytes - readStarted(join(folder, 'journal.jsonl'), maxBytes, newer)
  const older: string[] = []
  readStarted(join(folder, 'journal.1.jsonl'), left, older)
  return [...older, ...newer]
}

/** Returns the number of bytes that were read. */
function readStarted(path: string, maxBytes: number, found: string[]): number {
  const fd = openExisting(path)
  if (fd === undefined) return 0
  try {
    const stats = fstatSync(fd, { bigint: true })
    const objection = objectionTo(stats, 'regular file')
    if (objection !== undefined) throw new Error(`${path} ${objection}`)
    const size = Number(stats.size)
    const from = Math.max(0, size - maxBytes)
    // The first line of a part is usually cut: it is no JSON, and is skipped.
    for (const lines of linesFrom(fd, from)) for (const line of lines) addStarted(line, found)
    return size - from
  } finally {
    closeSync(fd)
  }
}

function openExisting(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function* linesFrom(fd: number, from: number): Generator<string[]> {
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let rest: Buffer = Buffer.alloc(0)
  let at = from
  for (let read = readSync(fd, chunk, 0, CHUNK_BYTES, at); read > 0;) {
    at += read
    const bytes = Buffer.concat([rest, chunk.subarray(0, read)])
    const end = bytes.lastIndexOf('\n') + 1
    yield bytes.toString('utf8', 0, end).split('\n')
    // No line of a journal is longer: what is longer is no line of ours.
    rest = bytes.length - end > CHUNK_BYTES ? Buffer.alloc(0) : bytes.subarray(end)
    read = readSync(fd, chunk, 0, CHUNK_BYTES, at)
  }
}

/** `started` counts for entries of versions before `starting`, and for nothing of the gateway itself. */
function addStarted(line: string, found: string[]): void {
  if (!line.includes('"event":"start')) return
  try {
    const { sid, request } = JSON.parse(line) as { readonly sid?: unknown; readonly request?: unknown }
    if (typeof sid === 'string' && request === undefined) found.push(sid)
  } catch {
    // An agent was killed, or its disk was full, while it wrote this line.
  }
}
