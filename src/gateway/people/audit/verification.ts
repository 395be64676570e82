import { isDeepStrictEqual } from 'node:util'
import type { AuditEntryAnswer } from '../../../contract/audit.ts'
import { ORGANIZATION } from '../../identity.ts'
import { readAlone, type Connection } from '../../store/sqlite.ts'
import { AuditRows } from './audit-rows.ts'
import { canonicalText, hashOf, type AuditEntry, type AuditHead, type AuditLink, entryOf } from './entry.ts'

/** What is wrong with one entry, or in front of it. */
interface ChainFault {
  readonly sequence: number
  readonly fault: 'altered' | 'missing' | 'reordered' | 'malformed'
  readonly says: string
}

export interface Verification {
  /** Entries that were looked at. */
  readonly entries: number
  /** The first of them; undefined where there is none. */
  readonly first: number | undefined
  /** The newest; where there is none, what was removed last. */
  readonly head: AuditHead
  /** The first ones. */
  readonly faults: readonly ChainFault[]
  /** Whether the hash that was asked for is one of the chain's. */
  readonly hasExpected: boolean
}

/** More than these are not told: whoever has altered that much has altered everything. */
const MOST_FAULTS = 20

/**
 * Follows the chain from the front.
 * @param anchor the place before the first entry; undefined where that is not known, as in a file that begins anywhere
 * @param expected a hash that was kept elsewhere
 */
export function verifyChain(
  links: Iterable<ReadLink | Malformed>,
  anchor: AuditHead | undefined,
  expected?: string,
): Verification {
  let before = anchor
  let entries = 0
  let first: number | undefined
  let hasExpected = anchor?.hash === expected
  const faults: ChainFault[] = []
  for (const link of links) {
    entries += 1
    const found = 'line' in link ? [malformed(link)] : faultsOf(link, before)
    faults.push(...found.slice(0, MOST_FAULTS - faults.length))
    if ('line' in link) continue
    first ??= link.sequence
    hasExpected ||= link.hash === expected
    if (!found.some(({ fault }) => fault === 'reordered')) before = link
  }
  const { sequence, hash } = before ?? { sequence: 0, hash: '' }
  return { entries, first, head: { sequence, hash }, faults, hasExpected }
}

/** A link as it was read. */
interface ReadLink extends AuditLink {
  /** Whether the columns beside the text say something else than the text. */
  readonly isForged?: true
}

/** A line of a file that is no entry. */
interface Malformed {
  readonly line: number
}

function malformed({ line }: Malformed): ChainFault {
  return { sequence: 0, fault: 'malformed', says: `line ${line} is no entry of an audit log` }
}

function faultsOf(link: ReadLink, before: AuditHead | undefined): ChainFault[] {
  const { sequence, text, hash } = link
  const fault = (kind: ChainFault['fault'], says: string) => [{ sequence, fault: kind, says }]
  const entry = parsed(text)
  if (link.isForged === true || hashOf(text) !== hash || entry?.sequence !== sequence)
    return fault('altered', `entry ${sequence} was altered: it is not what its hash says`)
  if (before === undefined) return []
  if (sequence <= before.sequence)
    return fault('reordered', `entry ${sequence} comes after entry ${before.sequence}`)
  if (sequence > before.sequence + 1) return fault('missing', missing(before.sequence + 1, sequence - 1))
  if (entry.previous_hash === before.hash) return []
  const says = `entry ${before.sequence} was replaced: entry ${sequence} follows another one`
  return [{ sequence: before.sequence, fault: 'altered', says }]
}

function missing(from: number, to: number): string {
  return from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`
}

function parsed(text: string): AuditEntry | undefined {
  try {
    return JSON.parse(text) as AuditEntry
  } catch {
    return undefined
  }
}

/** What `shownEntry` puts beside the entry. */
const BESIDE = new Set(['id', 'org_id', 'actor_subject', 'actor_email', 'actor_name', 'hash'])

/** The link that a line of an exported file is, for `verifyChain`. */
export function linkOfLine(line: string, number: number): ReadLink | Malformed {
  try {
    return readLine(line, number)
  } catch (error) {
    // A line of lists in lists, ten thousand deep.
    if (error instanceof RangeError) return { line: number }
    throw error
  }
}

function readLine(line: string, number: number): ReadLink | Malformed {
  const shown = parsed(line) as Partial<AuditEntryAnswer> | undefined
  if (typeof shown?.hash !== 'string' || typeof shown.sequence !== 'number') return { line: number }
  const { hash } = shown
  const entry = Object.fromEntries(Object.entries(shown).filter(([name]) => !BESIDE.has(name)))
  const link = { sequence: shown.sequence, text: canonicalText(entry), hash }
  // hoop's copies are not in the chain: they may not say anything else than what is.
  return isDeepStrictEqual(shownEntry(link), shown) ? link : { ...link, isForged: true }
}

/** Read at once from the file. */
const LINKS_PER_READ = 1000

/** The audit log of a history, read as it is at one moment: a gateway may go on with it meanwhile. */
interface AuditFile {
  /** The place before the first entry. */
  readonly anchor: AuditHead
  readonly links: Iterable<AuditLink>
}

/** Opens the file read-only, and closes it. Throws what SQLite throws. */
export function readAuditFile<T>(file: string, read: (found: AuditFile) => T): T {
  return readAlone(file, (db) => {
    // One moment: a gateway may add entries meanwhile.
    db.exec('BEGIN')
    const found = read(auditIn(db))
    db.exec('ROLLBACK')
    return found
  })
}

export function auditIn(db: Connection): AuditFile {
  const rows = new AuditRows(db)
  return { anchor: rows.anchor(), links: all(rows) }
}

function* all(rows: AuditRows): Generator<AuditLink> {
  let after = 0
  for (;;) {
    const links = rows.after(after, LINKS_PER_READ)
    yield* links
    const last = links.at(-1)
    if (last === undefined) return
    after = last.sequence
  }
}

/** An entry as REST shows it and files have it. */
export function shownEntry(link: AuditLink): AuditEntryAnswer {
  return withShown(entryOf(link), link.hash)
}

function withShown(entry: AuditEntry, hash: string): AuditEntryAnswer {
  const { sequence, actor } = entry
  const names = { actor_subject: actor, actor_email: actor, actor_name: actor }
  return { id: String(sequence), org_id: ORGANIZATION, ...names, ...entry, hash }
}
