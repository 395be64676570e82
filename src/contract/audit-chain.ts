import { isDeepStrictEqual } from 'node:util'
import { parsedJson } from '../basics/text/json.ts'
import { MAX_FAULTS, type AuditEntryAnswer, type ChainFault } from './audit.ts'
import {
  canonicalText,
  hashOf,
  type AuditEntry,
  type AuditHead,
  type AuditLink,
  entryOf,
} from './audit-entry.ts'
import { ORGANIZATION } from './words.ts'

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

/**
 * A check of the chain of hashes, which takes the entries in their order, all at once or in steps.
 */
export class ChainCheck {
  readonly #expected: string | undefined
  readonly #faults: ChainFault[] = []
  #before: AuditHead | undefined
  #entries = 0
  #first: number | undefined
  #hasExpected: boolean

  /**
   * @param anchor the place before the first entry; undefined if this place is unknown, for example in a part
   * of a log
   * @param expected a hash that was stored elsewhere
   */
  constructor(anchor: AuditHead | undefined, expected?: string) {
    this.#before = anchor
    this.#expected = expected
    this.#hasExpected = anchor?.hash === expected
  }

  add(link: ReadLink | Malformed): void {
    this.#entries += 1
    const found = 'line' in link ? [malformed(link)] : faultsOf(link, this.#before)
    this.#faults.push(...found.slice(0, MAX_FAULTS - this.#faults.length))
    if ('line' in link) return
    this.#first ??= link.sequence
    this.#hasExpected ||= link.hash === this.#expected
    if (!found.some(({ fault }) => fault === 'reordered')) this.#before = link
  }

  /** Goes on after entries that were removed for their age since the check began. */
  passOver(anchor: AuditHead): void {
    if (anchor.sequence <= (this.#before?.sequence ?? -1)) return
    this.#before = anchor
    this.#hasExpected ||= anchor.hash === this.#expected
  }

  /** The newest checked entry, or the anchor. */
  get place(): AuditHead {
    const { sequence, hash } = this.#before ?? { sequence: 0, hash: '' }
    return { sequence, hash }
  }

  get result(): Verification {
    return {
      entries: this.#entries,
      first: this.#first,
      head: this.place,
      faults: this.#faults,
      hasExpected: this.#hasExpected,
    }
  }
}

/** Checks a whole chain. The parameters are those of a `ChainCheck`. */
export function verifyChain(
  links: Iterable<ReadLink | Malformed>,
  anchor: AuditHead | undefined,
  expected?: string,
): Verification {
  const check = new ChainCheck(anchor, expected)
  for (const link of links) check.add(link)
  return check.result
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
