import type { CustomType } from '../../../policy/masking/find/custom.ts'
import { PresidioError, post, type PresidioService } from './service.ts'
import type { AnalyzedText } from './text.ts'

/** What Presidio is to look for. */
export interface PresidioRequest {
  /** Names of entity types; empty: all that it knows. */
  readonly entities: readonly string[]
  /** Their expressions are Python's. */
  readonly custom: readonly CustomType[]
  readonly threshold: number
}

/** What the analyzer has found, in code points of the text as it writes it. */
export interface PresidioFinding {
  readonly entity_type: string
  readonly start: number
  readonly end: number
  readonly score: number
}

/** Asks for what is to be masked. @throws PresidioError, also for findings that cannot be right */
export async function analyze(
  service: PresidioService,
  { sent, offsets }: AnalyzedText,
  wanted: PresidioRequest,
  ended: AbortSignal,
): Promise<PresidioFinding[]> {
  const answer = await post(service, '/analyze', analyzerRequest(sent.toString('utf8'), wanted), ended)
  if (!Array.isArray(answer)) throw new PresidioError(service, 'gave an answer that is no list of findings')
  const names = new Set(namesOf(wanted))
  return answer.map((item: unknown, i) => {
    const finding = findingOf(item, offsets.length - 1, names)
    if (finding === undefined)
      throw new PresidioError(service, `gave a finding, number ${i + 1}, that is not one of this text`)
    return finding
  })
}

/** The request as hoop's gateway writes it (protocol.md 8.2): without an empty list, and with the custom types. */
function analyzerRequest(text: string, wanted: PresidioRequest): object {
  const { custom, threshold } = wanted
  const entities = namesOf(wanted)
  return {
    text,
    language: 'en',
    score_threshold: threshold,
    ...(entities.length > 0 && { entities }),
    ...(custom.length > 0 && { ad_hoc_recognizers: custom.map(adHocRecognizer) }),
  }
}

function namesOf({ entities, custom }: PresidioRequest): string[] {
  return [...new Set([...entities, ...custom.map(({ name }) => name)])]
}

function adHocRecognizer({ name, regex, denyList, score }: CustomType): object {
  return {
    name,
    supported_language: 'en',
    supported_entity: name,
    deny_list: denyList,
    patterns: regex === undefined ? [] : [{ name, regex, score }],
  }
}

/** Undefined for what cannot be a finding. A type that nobody asked for could be a piece of the text. */
function findingOf(item: unknown, length: number, names: ReadonlySet<string>): PresidioFinding | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { entity_type, start, end, score } = item as Record<keyof PresidioFinding, unknown>
  const isType = typeof entity_type === 'string' && isExpected(entity_type, names)
  const isPlace = isOffset(start) && isOffset(end) && start < end && end <= length
  const isScore = typeof score === 'number' && score >= 0 && score <= 1
  return isType && isPlace && isScore ? { entity_type, start, end, score } : undefined
}

function isExpected(type: string, names: ReadonlySet<string>): boolean {
  return names.size === 0 ? /^[A-Z][A-Z0-9_]{0,63}$/.test(type) : names.has(type)
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
