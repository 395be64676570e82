import { json, ScriptedRest, type Script } from './scripted-rest.ts'

// Presidio's two services as their published contract has them, with a few recognizers.

const RECOGNIZERS: Readonly<Record<string, { readonly pattern: RegExp; readonly score: number }>> = {
  EMAIL_ADDRESS: { pattern: /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gu, score: 1 },
  URL: { pattern: /https?:\/\/\S+/gu, score: 0.6 },
  // A model finds these. Here it knows four words.
  PERSON: { pattern: /(?:Ada|Grace|Łukasz|😀lga)/gu, score: 0.85 },
}

interface Finding {
  readonly entity_type: string
  readonly start: number
  readonly end: number
  readonly score: number
}

interface AnalyzeBody {
  readonly text?: string
  readonly language?: string
  readonly score_threshold?: number
  readonly entities?: readonly string[]
  readonly ad_hoc_recognizers?: readonly {
    readonly supported_entity: string
    readonly deny_list: readonly string[]
    readonly patterns: readonly { readonly regex: string; readonly score: number }[]
  }[]
}

interface AnonymizeBody {
  readonly text?: string
  readonly analyzer_results?: readonly Finding[]
}

/** Both services, each on a port of its own. */
export class Presidio implements AsyncDisposable {
  readonly analyzer: ScriptedRest
  readonly anonymizer: ScriptedRest

  static async start(): Promise<Presidio> {
    return new Presidio(await ScriptedRest.start(), await ScriptedRest.start())
  }

  private constructor(analyzer: ScriptedRest, anonymizer: ScriptedRest) {
    this.analyzer = analyzer.on('GET /health', health('Analyzer')).on('POST /analyze', analysis)
    this.anonymizer = anonymizer.on('GET /health', health('Anonymizer')).on('POST /anonymize', anonymization)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.analyzer[Symbol.asyncDispose]()
    await this.anonymizer[Symbol.asyncDispose]()
  }
}

function health(name: string): Script {
  return (_, response) => void response.end(`Presidio ${name} service is up`)
}

const analysis: Script = (received, response) => {
  const { body } = received
  const answer = (status: number, content: unknown) => json(status, content)(received, response)
  if (typeof body !== 'object' || body === null)
    return answer(400, { error: 'Failed to parse /analyze request' })
  const { text, language } = body as AnalyzeBody
  if (!text) return answer(500, { error: 'No text provided' })
  if (language !== 'en') return answer(500, { error: 'No matching recognizers were found' })
  answer(200, analysisOf(body))
}

function analysisOf({ text = '', score_threshold = 0, entities, ad_hoc_recognizers = [] }: AnalyzeBody) {
  const wanted = (type: string) => entities === undefined || entities.includes(type)
  const built = Object.entries(RECOGNIZERS).map(([type, found]) => ({ type, ...found }))
  const own = ad_hoc_recognizers.flatMap(({ supported_entity: type, deny_list, patterns }) => [
    ...patterns.map(({ regex, score }) => ({ type, pattern: new RegExp(regex, 'gims'), score })),
    ...(deny_list.length > 0
      ? [{ type, pattern: new RegExp(`(?<!\\w)(?:${deny_list.join('|')})(?!\\w)`, 'gims'), score: 1 }]
      : []),
  ])
  const places = codePointPlaces(text)
  return [...built, ...own]
    .filter(({ type, score }) => wanted(type) && score >= score_threshold)
    .flatMap(({ type, pattern, score }) =>
      [...text.matchAll(pattern)].map(({ index, 0: match }) => ({
        analysis_explanation: null,
        entity_type: type,
        start: places[index] ?? 0,
        end: places[index + match.length] ?? 0,
        score,
      })),
    )
}

/** For each place of a text, how many code points are before it: offsets as Python counts them. */
function codePointPlaces(text: string): Uint32Array {
  const places = new Uint32Array(text.length + 1)
  let count = 0
  let at = 0
  for (const character of text) {
    places[at] = count
    count += 1
    at += character.length
  }
  places[at] = count
  return places
}

const anonymization: Script = (received, response) => {
  const { body } = received
  const answer = (status: number, content: unknown) => json(status, content)(received, response)
  if (typeof body !== 'object' || body === null) return answer(400, { error: 'Invalid request json' })
  const { text, analyzer_results: findings } = body as AnonymizeBody
  if (!text || findings === undefined) return answer(422, { error: 'Invalid input, text can not be empty' })
  const characters = Array.from(text)
  if (findings.some(({ start, end }) => start >= end || end > characters.length))
    return answer(422, { error: 'Invalid analyzer result' })
  answer(200, anonymizedOf(characters, findings))
}

/** Without the findings that others contain. Neighbours of one type with blanks between them become one. */
function anonymizedOf(text: readonly string[], findings: readonly Finding[]) {
  const kept: Finding[] = []
  for (const finding of findings.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1)
    if (last !== undefined && finding.end <= last.end) continue
    const between = text.slice(last?.end, finding.start).join('')
    const isSame = last?.entity_type === finding.entity_type && /^ *$/.test(between)
    if (last !== undefined && isSame) kept[kept.length - 1] = { ...last, end: finding.end }
    else kept.push(finding)
  }
  const parts: string[] = []
  let [read, length] = [0, 0]
  const add = (characters: readonly string[]): number => {
    parts.push(characters.join(''))
    return (length += characters.length)
  }
  const items = kept.map(({ entity_type, start, end }) => {
    const at = add(text.slice(read, Math.max(read, start)))
    read = end
    const tag = `<${entity_type}>`
    return { start: at, end: add(Array.from(tag)), entity_type, text: tag, operator: 'replace' }
  })
  add(text.slice(read))
  return { text: parts.join(''), items }
}
