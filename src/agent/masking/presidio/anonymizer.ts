import type { PresidioFinding } from './analyzer.ts'
import { PresidioError, post, type PresidioService } from './service.ts'
import type { AnalyzedText } from './text.ts'

/** A stretch that findings cover: it goes, and replacements of these types come in its place. */
interface Covered {
  readonly start: number
  readonly end: number
  readonly types: ReadonlySet<string>
}

/**
 * Has the findings replaced by `<TYPE>`. The answer is believed only if all between the findings is as it was, and
 * there is nothing but replacements in their place.
 * @throws PresidioError
 */
export async function anonymize(
  service: PresidioService,
  text: AnalyzedText,
  findings: readonly PresidioFinding[],
  ended: AbortSignal,
): Promise<Buffer> {
  if (findings.length === 0) return text.bytes
  const request = {
    text: text.sent.toString('utf8'),
    analyzer_results: findings,
    anonymizers: { DEFAULT: { type: 'replace' } },
  }
  const answer = await post(service, '/anonymize', request, ended)
  const replaced = (answer as { readonly text?: unknown } | null)?.text
  if (typeof replaced !== 'string') throw new PresidioError(service, 'gave an answer without a text')
  const bytes = believed(text, coveredBy(findings, text), replaced)
  if (bytes === undefined)
    throw new PresidioError(service, 'gave a text in which not just the findings are replaced')
  return bytes
}

/** In order, without overlaps. Presidio makes one of two neighbours of a type that only blanks separate. */
function coveredBy(findings: readonly PresidioFinding[], text: AnalyzedText): Covered[] {
  const covered: Covered[] = []
  for (const { entity_type, start, end } of findings.toSorted((a, b) => a.start - b.start)) {
    const last = covered.at(-1)
    const joins = last !== undefined && (start <= last.end || isBlank(text, last.end, start))
    if (joins) covered.pop()
    covered.push({
      start: joins ? last.start : start,
      end: joins ? Math.max(last.end, end) : end,
      types: joins ? new Set([...last.types, entity_type]) : new Set([entity_type]),
    })
  }
  return covered
}

function isBlank(text: AnalyzedText, start: number, end: number): boolean {
  return sentOf(text, start, end).trim() === ''
}

function bytesOf({ bytes, offsets }: AnalyzedText, start: number, end: number): Buffer {
  return bytes.subarray(offsets[start], offsets[end])
}

function sentOf({ sent, offsets }: AnalyzedText, start: number, end: number): string {
  return sent.toString('utf8', offsets[start], offsets[end])
}

/** What the answer means for the bytes; undefined when it replaces too much, too little or by something else. */
function believed(text: AnalyzedText, covered: readonly Covered[], replaced: string): Buffer | undefined {
  const length = text.offsets.length - 1
  const parts: Buffer[] = []
  let [from, at] = [0, 0]
  let ends: Iterable<number> = [0]
  for (const { start, end, types } of [
    ...covered,
    { start: length, end: length, types: new Set<string>() },
  ]) {
    const kept = sentOf(text, from, start)
    const isLast = start === length
    const next = firstOf(ends, (place) =>
      isLast ? replaced.slice(place) === kept : replaced.startsWith(kept, place),
    )
    if (next === undefined) return undefined
    parts.push(Buffer.from(replaced.slice(at, next)), bytesOf(text, from, start))
    at = next + kept.length
    ends = endsOfReplacements(replaced, at, types)
    from = end
  }
  return Buffer.concat(parts)
}

function firstOf(places: Iterable<number>, isIt: (place: number) => boolean): number | undefined {
  for (const place of places) if (isIt(place)) return place
  return undefined
}

/**
 * Where one, two, ... replacements of these types end that begin here. One by one: a text that holds `<TYPE>` itself may
 * have thousands in a row at each of its findings.
 */
function* endsOfReplacements(replaced: string, at: number, types: ReadonlySet<string>): Iterable<number> {
  const replacement = /\s*<([^<>]+)>/y
  replacement.lastIndex = at
  while (types.has(replacement.exec(replaced)?.[1] ?? '')) yield replacement.lastIndex
}
