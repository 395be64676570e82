import { isDeepStrictEqual } from 'node:util'
import { parsedJson } from '../basics/text/json.ts'
import type { AuditEntryAnswer } from './audit.ts'
import {
  canonicalText,
  hashOf,
  type AuditEntry,
  type AuditHead,
  type AuditLink,
  entryOf,
} from './audit-entry.ts'
import { ORGANIZATION } from './words.ts'

/** A fault of one entry, or of entries that are missing before it. */
interface ChainFault {
  readonly sequence: number
  readonly fault: 'altered' | 'missing' | 'reordered' | 'malformed'
  readonly says: string
}

export interface Verification {
  /** Number of checked entries. */
  readonly entries: number
  /** Undefined for a log without entries. */
  readonly first: number | undefined
  /** Newest entry, or the last removed entry if no entry is left. */
  readonly head: AuditHead
  /** The first faults, at most `MAX_FAULTS`. */
  readonly faults: readonly ChainFault[]
  /** Whether the chain has the expected hash. */
  readonly hasExpected: boolean
}

/** Maximum number of reported faults. More faults would tell nothing new. */
const MAX_FAULTS = 20

/**
 * Checks the chain of hashes.
 * @param anchor the place before the first entry; undefined if this place is unknown, for example in a part
 * of a log
 * @param expected a hash that was stored elsewhere
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
    faults.push(...found.slice(0, MAX_FAULTS - faults.length))
    if ('line' in link) continue
    first ??= link.sequence
    hasExpected ||= link.hash === expected
    if (!found.some(({ fault }) => fault === 'reordered')) before = link
  }
  const { sequence, hash } = before ?? { sequence: 0, hash: '' }
  return { entries, first, head: { sequence, hash }, faults, hasExpected }
}

interface ReadLink extends AuditLink {
  /** True if other columns of the row differ from the text. */
  readonly isForged?: true
}

interface Malformed {
  readonly line: number
}

function malformed({ line }: Malformed): ChainFault {
  return { sequence: 0, fault: 'malformed', says: `line ${line} is not an entry of an audit log` }
}

function faultsOf(link: ReadLink, before: AuditHead | undefined): ChainFault[] {
  const { sequence, text, hash } = link
  const fault = (kind: ChainFault['fault'], says: string) => [{ sequence, fault: kind, says }]
  const entry = parsedJson(text) as AuditEntry | undefined
  if (link.isForged === true || hashOf(text) !== hash || entry?.sequence !== sequence)
    return fault('altered', `entry ${sequence} was altered: its hash does not match`)
  if (before === undefined) return []
  if (sequence <= before.sequence)
    return fault('reordered', `entry ${sequence} is out of order after entry ${before.sequence}`)
  if (sequence > before.sequence + 1) return fault('missing', missing(before.sequence + 1, sequence - 1))
  if (entry.previous_hash === before.hash) return []
  const says = `entry ${before.sequence} was replaced: its hash differs from previous_hash of entry ${sequence}`
  return [{ sequence: before.sequence, fault: 'altered', says }]
}

function missing(from: number, to: number): string {
  return from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`
}

/** Fields that `shownEntry` adds. */
const BESIDE = new Set(['id', 'org_id', 'actor_subject', 'actor_email', 'actor_name', 'hash'])

/** A line of an exported file. */
export function linkOfLine(line: string, number: number): ReadLink | Malformed {
  try {
    return readLine(line, number)
  } catch (error) {
    // JSON arrays nested ten thousand deep cause this error.
    if (error instanceof RangeError) return { line: number }
    throw error
  }
}

function readLine(line: string, number: number): ReadLink | Malformed {
  const shown = parsedJson(line) as Partial<AuditEntryAnswer> | undefined
  if (typeof shown?.hash !== 'string' || typeof shown.sequence !== 'number') return { line: number }
  const { hash } = shown
  const entry = Object.fromEntries(Object.entries(shown).filter(([name]) => !BESIDE.has(name)))
  const link = { sequence: shown.sequence, text: canonicalText(entry), hash }
  // The fields that hoop repeats are not in the chain. So they must equal the fields of the entry.
  return isDeepStrictEqual(shownEntry(link), shown) ? link : { ...link, isForged: true }
}

/** Shows an entry as REST answers and exported files do. */
export function shownEntry(link: AuditLink): AuditEntryAnswer {
  return withShown(entryOf(link), link.hash)
}

function withShown(entry: AuditEntry, hash: string): AuditEntryAnswer {
  const { sequence, actor } = entry
  const names = { actor_subject: actor, actor_email: actor, actor_name: actor }
  return { id: String(sequence), org_id: ORGANIZATION, ...names, ...entry, hash }
}
