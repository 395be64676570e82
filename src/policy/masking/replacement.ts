import { countRunes, firstRunes } from '../../golang/text/byte-string.ts'
import { done, ordered, type Work } from '../work.ts'
import type { FoundData } from './findings.ts'

/** Maximum number of groups resolved between two pauses. Most groups have a single finding. */
const GROUPS_AT_ONCE = 500

export type Replacement =
  | { readonly form: 'tag' }
  | { readonly form: 'mask'; readonly character: string; readonly keepLast?: number }
  | { readonly form: 'text'; readonly text: string }
  | { readonly form: 'nothing' }

export interface Piece {
  readonly type: string
  readonly start: number
  readonly end: number
}

/**
 * Returns the findings without overlaps, in the order of the text. If findings overlap, the finding with the
 * highest score keeps its full length, then the longest finding, then the first. Each other finding keeps the
 * parts that are left.
 */
export function piecesOf(findings: readonly FoundData[]): Piece[] {
  return done(piecesAmong(findings))
}

/** Does the work of `piecesOf` with pauses. */
export function* piecesAmong(findings: readonly FoundData[]): Work<Piece[]> {
  const pieces: Piece[] = []
  for (const [n, group] of (yield* overlapping(findings)).entries()) {
    const [only] = group
    if (only !== undefined && group.length === 1)
      pieces.push({ type: only.type, start: only.start, end: only.end })
    else for (const piece of yield* apart(group)) pieces.push(piece)
    if (n % GROUPS_AT_ONCE === GROUPS_AT_ONCE - 1) yield
  }
  return pieces
}

/** Groups findings that overlap, directly or through other findings, in the order of the text. */
function* overlapping(findings: readonly FoundData[]): Work<FoundData[][]> {
  const groups: FoundData[][] = []
  let reach = -1
  for (const finding of yield* ordered(findings, (left, right) => left.start - right.start)) {
    if (finding.start >= reach) groups.push([finding])
    else groups.at(-1)?.push(finding)
    reach = Math.max(reach, finding.end)
  }
  return groups
}

function* apart(findings: readonly FoundData[]): Work<Piece[]> {
  const ends = new Set(findings.flatMap(({ start, end }) => [start, end]))
  const edges = yield* ordered([...ends], (left, right) => left - right)
  const places = new Map(edges.map((edge, place) => [edge, place]))
  const owners = new Array<FoundData | undefined>(edges.length)
  const free = edges.map((_, place) => place)
  for (const finding of yield* ordered(findings, byRight)) {
    const end = places.get(finding.end) ?? 0
    for (
      let place = firstFree(free, places.get(finding.start) ?? 0);
      place < end;
      place = firstFree(free, place)
    ) {
      owners[place] = finding
      free[place] = place + 1
    }
  }
  yield
  return joined(owners, edges)
}

function byRight(left: FoundData, right: FoundData): number {
  return right.score - left.score || length(right) - length(left) || left.start - right.start
}

function length({ start, end }: FoundData): number {
  return end - start
}

/** Returns the first free stretch from `place` on. Shortens the path for the next call. */
function firstFree(free: number[], place: number): number {
  let last = place
  while ((free[last] ?? last) !== last) last = free[last] ?? last
  for (let at = place; at < last;) {
    const next = free[at] ?? last
    free[at] = last
    at = next
  }
  return last
}

function joined(owners: readonly (FoundData | undefined)[], edges: readonly number[]): Piece[] {
  const pieces: Piece[] = []
  for (let place = 0; place < owners.length;) {
    const owner = owners[place]
    let end = place + 1
    while (end < owners.length && owners[end] === owner) end++
    if (owner !== undefined) pieces.push({ type: owner.type, start: edges[place] ?? 0, end: edges[end] ?? 0 })
    place = end
  }
  return pieces
}

export function replaced(
  bytes: Buffer,
  pieces: readonly Piece[],
  replacement: Replacement,
  { from, to }: { from: number; to: number } = { from: 0, to: bytes.length },
): Buffer {
  if (pieces.length === 0) return bytes.subarray(from, to)
  const parts: Buffer[] = []
  let given = from
  for (const piece of pieces) {
    parts.push(
      bytes.subarray(given, piece.start),
      instead(bytes.subarray(piece.start, piece.end), piece.type, replacement),
    )
    given = piece.end
  }
  parts.push(bytes.subarray(given, to))
  return Buffer.concat(parts)
}

function instead(match: Buffer, type: string, replacement: Replacement): Buffer {
  switch (replacement.form) {
    case 'tag':
      return Buffer.from(`<${type}>`)
    case 'mask':
      return mask(match, replacement.character, replacement.keepLast ?? 0)
    case 'text':
      return Buffer.from(replacement.text)
    case 'nothing':
      return Buffer.alloc(0)
  }
}

/**
 * Replaces all code points except the last `keepLast`. Does not change a match that has at most `keepLast`
 * code points.
 */
function mask(match: Buffer, character: string, keepLast: number): Buffer {
  const text = match.toString('latin1')
  const masked = countRunes(text) - keepLast
  if (masked <= 0) return match
  return Buffer.concat([
    Buffer.from(character.repeat(masked)),
    match.subarray(firstRunes(text, masked).length),
  ])
}
