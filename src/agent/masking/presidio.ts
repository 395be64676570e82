import { isUtf8 } from 'node:buffer'
import { unescape } from 'node:querystring'
import type { SecureContext } from 'node:tls'
import { onAbort } from '../../basics/abort.ts'
import { BrokenReply, exchange, networkErrorCode, type Reply } from '../../basics/net/exchange.ts'
import { basicAuthorization } from '../../basics/net/url-credentials.ts'
import type { CustomType } from '../../policy/masking/custom.ts'

/** Maximum time in milliseconds from the request to the last byte of its answer. */
const PATIENCE_MS = 5_000
/**
 * Maximum size of an answer in bytes. A finding has some 150 bytes, and 64 KiB of text have 10,000 findings
 * at most.
 */
const ANSWER_BYTES = 4 * 1024 * 1024

export interface PresidioService {
  readonly name: 'analyzer' | 'anonymizer'
  readonly url: URL
  readonly patienceMs: number
  /** Set only for https. Trusts Node's authorities and NODE_EXTRA_CA_CERTS. */
  readonly context: SecureContext | undefined
}

/** The message contains no texts, answers or passwords. */
export class PresidioError extends Error {
  override readonly name = 'PresidioError'

  constructor({ name, url }: PresidioService, what: string) {
    super(`Presidio's ${name} at ${url.origin} ${what}`)
  }
}

/** Returns undefined if the address is not http or https. */
export function presidioService(
  name: PresidioService['name'],
  base: string,
  patienceMs = PATIENCE_MS,
): PresidioService | undefined {
  if (!/^https?:\/\//i.test(base) || !URL.canParse(base)) return undefined
  const url = new URL(base)
  const isSecure = url.protocol === 'https:'
  const context = isSecure ? process.getBuiltinModule('node:tls').createSecureContext() : undefined
  return { name, url, patienceMs, context }
}

/**
 * Does not retry and follows no redirect.
 * @param ended aborts the call at any time
 * @throws PresidioError
 */
async function post(
  service: PresidioService,
  path: string,
  body: object,
  ended: AbortSignal,
): Promise<unknown> {
  const { body: answer } = await ask(service, path, { body: JSON.stringify(body), ended })
  try {
    return JSON.parse(answer.toString('utf8')) as unknown
  } catch {
    throw new PresidioError(service, 'sent an answer that is not JSON')
  }
}

/** @throws PresidioError */
export async function askHealth(service: PresidioService): Promise<void> {
  await ask(service, '/health')
}

interface Asked {
  readonly body?: string
  readonly ended?: AbortSignal
}

/**
 * Each request has a connection of its own. If a connection were reused, the service could close it at the
 * same moment.
 */
async function ask(service: PresidioService, path: string, { body, ended }: Asked = {}): Promise<Reply> {
  const { url, patienceMs, context } = service
  const patience = new AbortController()
  const giveUp = () => patience.abort()
  const timer = setTimeout(giveUp, patienceMs)
  using _ = ended && onAbort(ended, giveUp)
  try {
    const reply = await exchange({
      method: body === undefined ? 'GET' : 'POST',
      isSecure: context !== undefined,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || (context === undefined ? 80 : 443)),
      path: url.pathname.replace(/\/$/, '') + path,
      headers: headersFor(url, body),
      body,
      tls: context && { context, skipVerify: false },
      limit: ANSWER_BYTES,
      signal: patience.signal,
    })
    if (reply.status === 200) return reply
    throw new PresidioError(service, `answered with status ${reply.status}`)
  } catch (error) {
    throw error instanceof PresidioError
      ? error
      : new PresidioError(service, reasonOf(error, service, patience.signal))
  } finally {
    clearTimeout(timer)
  }
}

function headersFor({ username, password }: URL, body: string | undefined): Record<string, string> {
  const credentials = `${unescape(username)}:${unescape(password)}`
  return {
    Accept: 'application/json',
    ...(body !== undefined && { 'Content-Type': 'application/json' }),
    ...(username !== '' && { Authorization: basicAuthorization(credentials) }),
  }
}

function reasonOf(error: unknown, { patienceMs }: PresidioService, patience: AbortSignal): string {
  if (patience.aborted) return `did not answer within ${patienceMs / 1000} s`
  if (!(error instanceof BrokenReply)) return `cannot be reached (${networkErrorCode(error) || 'no code'})`
  if (error.cause === undefined) return `sent an answer of more than ${ANSWER_BYTES / 1024 / 1024} MiB`
  return 'ended its answer early'
}

export interface AnalyzedText {
  readonly bytes: Buffer
  /** The same bytes, with `?` for each byte that is no UTF-8. */
  readonly sent: Buffer
  /**
   * Byte offset of each code point, and of the end of the text. Presidio counts code points, as Python does.
   */
  readonly offsets: Uint32Array
}

export function analyzedText(bytes: Buffer): AnalyzedText {
  const sent = isUtf8(bytes) ? bytes : withoutInvalid(bytes)
  const offsets = new Uint32Array(sent.length + 1)
  let codePoints = 0
  for (let i = 0; i < sent.length; i += 1) if (!isContinuation(sent[i])) offsets[codePoints++] = i
  offsets[codePoints] = sent.length
  return { bytes, sent, offsets: offsets.subarray(0, codePoints + 1) }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

function withoutInvalid(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let i = 0; i < copy.length;) {
    const length = validLength(copy, i)
    if (length === 0) copy[i] = 0x3f
    i += Math.max(1, length)
  }
  return copy
}

/** Returns the length in bytes of the code point that begins at `at`; 0 if no code point begins there. */
function validLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0
  if (lead < 0x80) return 1
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  return isUtf8(bytes.subarray(at, at + length)) ? length : 0
}

export interface PresidioRequest {
  /** Empty for all types that Presidio knows. */
  readonly entities: readonly string[]
  /** Custom types with expressions in Python's syntax. */
  readonly custom: readonly CustomType[]
  readonly threshold: number
}

/** A finding in the form of the analyzer's answer. `start` and `end` count code points. */
export interface PresidioFinding {
  readonly entity_type: string
  readonly start: number
  readonly end: number
  readonly score: number
}

/** @throws PresidioError, also for impossible findings */
export async function analyze(
  service: PresidioService,
  { sent, offsets }: AnalyzedText,
  wanted: PresidioRequest,
  ended: AbortSignal,
): Promise<PresidioFinding[]> {
  const answer = await post(service, '/analyze', analyzerRequest(sent.toString('utf8'), wanted), ended)
  if (!Array.isArray(answer))
    throw new PresidioError(service, 'sent an answer that is not a list of findings')
  const names = new Set(namesOf(wanted))
  return answer.map((item: unknown, i) => {
    const finding = findingOf(item, offsets.length - 1, names)
    if (finding === undefined)
      throw new PresidioError(service, `sent finding number ${i + 1}, which is not valid for this text`)
    return finding
  })
}

/**
 * Builds the request in the form of hoop's gateway (protocol.md 8.2): an empty list of types is left out.
 * Custom types are both in `entities` and in `ad_hoc_recognizers`.
 */
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

/**
 * Returns undefined for an item that cannot be a finding. If a type was not requested, the item is no
 * finding: the type could be a piece of the text, and would leak this piece.
 */
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

/** A range of the text that findings cover. It is replaced by tags of these types. */
interface Covered {
  readonly start: number
  readonly end: number
  readonly types: ReadonlySet<string>
}

/**
 * Lets the anonymizer replace the findings by `<TYPE>`. Checks that the text between the findings is
 * unchanged, and that each finding is replaced only by tags.
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
  if (typeof replaced !== 'string') throw new PresidioError(service, 'sent an answer without a string')
  const bytes = believed(text, coveredBy(findings, text), replaced)
  if (bytes === undefined)
    throw new PresidioError(service, 'sent a text with changes outside of the findings')
  return bytes
}

/**
 * Merges findings that overlap. Presidio merges two neighbours of the same type if only blanks are between
 * them.
 */
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

/** Returns undefined if the answer replaces too much, too little or by something other than tags. */
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
 * Yields the end of the first replacement that begins at `at`, then the end of the second, and so on. A
 * generator saves work, because a text may contain thousands of `<TYPE>` in a row.
 */
function* endsOfReplacements(replaced: string, at: number, types: ReadonlySet<string>): Iterable<number> {
  const replacement = /\s*<([^<>]+)>/y
  replacement.lastIndex = at
  while (types.has(replacement.exec(replaced)?.[1] ?? '')) yield replacement.lastIndex
}
