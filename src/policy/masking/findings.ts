import { ordered, type Work } from '../work.ts'
import type { Recognizer } from './recognizers/recognizer.ts'
import type { Matched, Subject } from './subject.ts'
import { ContextWords, type Words } from './words.ts'

/** Offsets are bytes. */
export interface FoundData {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly score: number
  readonly recognizer: string
}

export interface Searcher {
  readonly recognizer: Recognizer
  readonly context: ContextWords
}

export function searcher(recognizer: Recognizer): Searcher {
  return { recognizer, context: new ContextWords(recognizer.context ?? []) }
}

interface Candidate extends FoundData {
  readonly by: Searcher
}

export interface Place {
  readonly from: number
  /** The words before `from`. The search advances them to each match that needs its context words. */
  readonly words: Words
  /** The search calls it for every match, even if the match is dropped later. */
  readonly matched?: Matched
}

const CONTEXT_BOOST = 0.35
const CONTEXT_LEAST = 0.4
const LABEL_BYTES = 24
/** Maximum number of findings weighed between two pauses. */
const AT_ONCE = 1_000

/**
 * Returns the findings from `from` on, in the order of hoop's engine: by the highest score, then by the first
 * place in the text, then by the greatest length.
 */
export function* findings(searchers: readonly Searcher[], subject: Subject, place: Place): Work<FoundData[]> {
  const candidates: Candidate[] = []
  for (const by of searchers) {
    const own = yield* findCandidates(by, subject, place)
    for (const candidate of yield* ordered(yield* widest(own), bySurety)) candidates.push(candidate)
  }
  const weighed = yield* withContext(candidates, place.words)
  return (yield* ordered(yield* widest(weighed), bySurety)).map(asFinding)
}

function asFinding({ type, start, end, score, recognizer }: Candidate): FoundData {
  return { type, start, end, score, recognizer }
}

function* findCandidates(by: Searcher, subject: Subject, { from, matched }: Place): Work<Candidate[]> {
  const { name, type, patterns } = by.recognizer
  const candidates: Candidate[] = []
  for (const { find, score } of patterns) {
    const found: Matched = (start, end) => {
      matched?.(start, end)
      const judged = judge(by.recognizer, subject, start, end, score)
      if (judged > 0) candidates.push({ type, start, end, score: judged, recognizer: name, by })
    }
    yield
    yield* find(subject, from, found) ?? []
  }
  return candidates
}

/** Returns 0 when the match does not count. */
function judge(recognizer: Recognizer, subject: Subject, start: number, end: number, score: number): number {
  const { check, accepts, labels } = recognizer
  if (check?.(subject.text.slice(start, end)) === false) return 0
  if (accepts?.(subject.text.slice(start, end)) === false) return 0
  if (labels !== undefined && !isLabelled(subject.bytes, start, labels)) return 0
  return check === undefined ? score : 1
}

function isLabelled(bytes: Buffer, start: number, labels: readonly string[]): boolean {
  const before = bytes.toString('utf8', Math.max(0, start - LABEL_BYTES), start).toLowerCase()
  const words = ` ${before.split(/[^\p{L}\p{Nd}]+/u).join(' ')} `
  return labels.some((label) => words.includes(` ${label} `))
}

/** Raises the score of an uncertain finding that has a context word before it. Keeps the order. */
function* withContext(candidates: readonly Candidate[], words: Words): Work<Candidate[]> {
  const weighed = [...candidates]
  const asking = candidates.map((_, place) => place).filter((place) => asks(candidates[place]))
  const start = (place: number) => candidates[place]?.start ?? 0
  for (const [n, place] of (yield* ordered(asking, (left, right) => start(left) - start(right))).entries()) {
    const candidate = candidates[place]
    if (candidate === undefined) continue
    const isSupported = candidate.by.context.isAmong(words.before(candidate.start))
    const without = candidate.by.recognizer.needsContext === true ? 0 : candidate.score
    weighed[place] = { ...candidate, score: isSupported ? raised(candidate.score) : without }
    if (n % AT_ONCE === AT_ONCE - 1) yield
  }
  return weighed.filter(({ score }) => score > 0)
}

function asks(candidate: Candidate | undefined): boolean {
  return candidate !== undefined && candidate.score < 1 && candidate.by.recognizer.context !== undefined
}

function raised(score: number): number {
  return Math.min(1, Math.max(CONTEXT_LEAST, score + CONTEXT_BOOST))
}

/** Drops findings inside another finding of the same type, and repeated findings. Keeps the order. */
function* widest(candidates: readonly Candidate[]): Work<readonly Candidate[]> {
  if (areApart(candidates)) return candidates
  const places = yield* ordered(
    candidates.map((_, place) => place),
    (left, right) => byExtent(candidates[left], candidates[right]) || left - right,
  )
  const reached = new Map<string, number>()
  const stays = places.filter((place) => {
    const candidate = candidates[place]
    if (candidate === undefined || candidate.end <= (reached.get(candidate.type) ?? -1)) return false
    reached.set(candidate.type, candidate.end)
    return true
  })
  return (yield* ordered(stays, (left, right) => left - right)).flatMap((place) => candidates[place] ?? [])
}

/** Whether no two findings of a type overlap. This is the usual case, which needs no sorting. */
function areApart(candidates: readonly Candidate[]): boolean {
  const reached = new Map<string, number>()
  return candidates.every(({ type, start, end }) => {
    const isBehind = start >= (reached.get(type) ?? 0)
    reached.set(type, end)
    return isBehind
  })
}

function byExtent(left: FoundData | undefined, right: FoundData | undefined): number {
  if (left === undefined || right === undefined) return 0
  return left.start - right.start || right.end - left.end
}

function bySurety(left: FoundData, right: FoundData): number {
  return right.score - left.score || byExtent(left, right)
}
