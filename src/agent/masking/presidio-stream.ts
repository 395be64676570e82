import { type Piece, piecesOf, replaced } from '../../policy/masking/replacement.ts'
import type { OutputFilter } from '../../policy/output-filter.ts'
import type { MaskingResult } from './masking-result.ts'
import {
  analyze,
  analyzedText,
  type AnalyzedText,
  anonymize,
  PresidioError,
  type PresidioFinding,
  type PresidioRequest,
  type PresidioService,
} from './presidio.ts'

/** Consecutive failures after which a session stops calling Presidio for a while. */
const FAILURES = 3
/**
 * A pause is this many times as long as the failed call before it. So a session waits for Presidio for at
 * most a tenth of its time.
 */
const REST = 10
/**
 * Maximum length of a pause in milliseconds. After the services have recovered, they are called again within
 * this time.
 */
const MAX_REST_MS = 60_000

/**
 * Stops calls to Presidio while they would probably fail. Each session has its own breaker: a text that makes
 * the services fail must not unmask the output of other sessions.
 */
export class Breaker {
  readonly #now: () => number
  #failures = 0
  #until = 0

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Whether to skip calls now. Between two pauses one call is made. */
  get isOpen(): boolean {
    return this.#failures >= FAILURES && this.#now() < this.#until
  }

  async watch<Result>(ask: () => Promise<Result>): Promise<Result> {
    const from = this.#now()
    try {
      const result = await ask()
      this.#failures = 0
      return result
    } catch (error) {
      this.#failures += 1
      this.#until = this.#now() + Math.min(MAX_REST_MS, REST * (this.#now() - from))
      throw error
    }
  }
}

/** Size of the text of one call, in bytes. */
export const PIECE_BYTES = 64 * 1024
/** Bytes at the end of a cut line that are analyzed again with the next bytes: a finding may be cut. */
const OVERLAP_BYTES = 1024

/** Cuts a stream into pieces of whole lines, at most 64 KiB. Only a line above 64 KiB is cut. */
class Pieces {
  #rest: Buffer = Buffer.alloc(0)

  /** Bytes that wait for the end of their line. */
  get held(): number {
    return this.#rest.length
  }

  add(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data])
  }

  /** Returns undefined if the line is not complete. */
  next(): Buffer | undefined {
    const end = this.#rest.lastIndexOf(0x0a, PIECE_BYTES - 1) + 1
    if (end > 0) return this.#take(end)
    return this.#rest.length < PIECE_BYTES ? undefined : this.#take(PIECE_BYTES)
  }

  /** Returns the remaining bytes when the stream has ended. */
  last(): Buffer {
    return this.#take(this.#rest.length)
  }

  putBack(data: Buffer): void {
    this.#rest = Buffer.concat([data, this.#rest])
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return taken
  }
}

/** A piece whose last line continues in the next piece. */
interface CutPiece {
  /** The place of the cut, in code points. The text before the cut may be sent. */
  readonly cut: number
  readonly findings: readonly PresidioFinding[]
  /** The type of a finding that lies across the cut. */
  readonly torn: string | undefined
}

/**
 * Cuts before the last KiB, or before a finding that reaches into the last KiB. Never cuts in the first half
 * of the text: a long line would need too many calls, each with few new bytes.
 */
function cutFindings(text: AnalyzedText, findings: readonly PresidioFinding[]): CutPiece {
  const cut = cutOf(text, findings)
  const before = findings.filter(({ start }) => start < cut)
  return {
    cut,
    findings: before.map((finding) => ({ ...finding, end: Math.min(finding.end, cut) })),
    torn: before.find(({ end }) => end > cut)?.entity_type,
  }
}

/**
 * If a finding was cut, returns its second part, up to the next blank, as a finding. Presidio would not
 * recognise this part alone.
 */
function restOfTorn({ sent, offsets }: AnalyzedText, torn: string | undefined): PresidioFinding[] {
  if (torn === undefined) return []
  const blank = sent.findIndex((byte) => BLANKS.has(byte))
  const end = blank === -1 ? offsets.length - 1 : offsets.indexOf(blank)
  return end === 0 ? [] : [{ entity_type: torn, start: 0, end, score: 1 }]
}

const BLANKS: ReadonlySet<number> = new Set(Buffer.from('\t\n\f\r '))

function cutOf({ bytes, offsets }: AnalyzedText, findings: readonly PresidioFinding[]): number {
  const last = offsets.findLastIndex((offset) => offset <= bytes.length - OVERLAP_BYTES)
  let cut = last
  for (const { start, end } of findings.toSorted((a, b) => b.end - a.end))
    if (start < cut && cut < end) cut = start
  return cut < offsets.length / 2 ? last : cut
}

/** Without an anonymizer the agent itself replaces the findings. */
export interface PresidioServices {
  readonly analyzer: PresidioService
  readonly anonymizer: PresidioService | undefined
}

export interface PresidioSession {
  readonly services: PresidioServices
  readonly request: PresidioRequest
  readonly result: MaskingResult
  readonly breaker: Breaker
  /** Aborted when nobody waits for the output. */
  readonly ended: AbortSignal
}

const NOTHING = Buffer.alloc(0)
export const PASSES =
  'Presidio keeps failing: output passes unmasked; the agent tries Presidio again from time to time'
const LOST = 'the session ended before Presidio answered: the remaining output is not shown'

export class PresidioStream implements OutputFilter {
  readonly #session: PresidioSession
  readonly #pieces = new Pieces()
  /** The type of a finding that was cut and continues in the next piece. */
  #torn: string | undefined
  /** A line cannot be analyzed before its end has arrived, no matter how long this takes. */
  readonly isReleasable = false

  constructor(session: PresidioSession) {
    this.#session = session
  }

  get held(): number {
    return this.#pieces.held
  }

  async push(data: Buffer): Promise<Buffer> {
    this.#pieces.add(data)
    const masked: Buffer[] = []
    for (let piece = this.#pieces.next(); piece !== undefined; piece = this.#pieces.next())
      masked.push(await this.#masked(piece, piece.at(-1) !== 0x0a))
    return Buffer.concat(masked)
  }

  release(): Buffer {
    return NOTHING
  }

  async end(): Promise<Buffer> {
    return await this.#masked(this.#pieces.last(), false)
  }

  /** @param isCut whether the piece's last line continues in the next piece */
  async #masked(piece: Buffer, isCut: boolean): Promise<Buffer> {
    const { breaker, ended, result } = this.#session
    if (piece.length === 0) return piece
    if (breaker.isOpen) return this.#passed(piece, () => result.passes(PASSES))
    try {
      ended.throwIfAborted()
      return await breaker.watch(() => this.#asked(analyzedText(piece), isCut))
    } catch (error) {
      // After the session's end, no output passes unmasked, also not in best-effort mode. Otherwise users
      // could end a session to see hidden values.
      if (ended.aborted) return this.#lost()
      if (!(error instanceof PresidioError)) throw error
      return this.#passed(piece, () => result.failed(error.message))
    }
  }

  async #asked(text: AnalyzedText, isCut: boolean): Promise<Buffer> {
    const { services, request, ended } = this.#session
    const rest = restOfTorn(text, this.#torn)
    const findings = [...rest, ...(await analyze(services.analyzer, text, request, ended))]
    if (isCut) return await this.#withoutEnd(text, findings)
    const masked = await this.#replaced(text, findings)
    this.#torn = undefined
    return masked
  }

  #passed(piece: Buffer, say: () => void): Buffer {
    say()
    this.#torn = undefined
    return piece
  }

  #lost(): Buffer {
    this.#pieces.last()
    this.#session.result.lost(LOST)
    return NOTHING
  }

  /**
   * Masks and returns the text before the cut. The last KiB, and findings that reach into it, are analyzed
   * again together with the next bytes.
   */
  async #withoutEnd(text: AnalyzedText, all: readonly PresidioFinding[]): Promise<Buffer> {
    const { cut, findings, torn } = cutFindings(text, all)
    const at = text.offsets[cut] ?? PIECE_BYTES
    const masked = await this.#replaced(analyzedText(text.bytes.subarray(0, at)), findings)
    // The bytes are put back only after the calls have succeeded. After a failure the whole piece passes
    // unmasked, and no byte may be repeated.
    this.#pieces.putBack(text.bytes.subarray(at))
    this.#torn = torn
    return masked
  }

  async #replaced(text: AnalyzedText, findings: readonly PresidioFinding[]): Promise<Buffer> {
    const { services, result, ended } = this.#session
    const pieces = piecesIn(text, findings)
    const masked =
      services.anonymizer === undefined
        ? replaced(text.bytes, pieces, { form: 'tag' })
        : await anonymize(services.anonymizer, text, findings, ended)
    result.masked(
      countsOf(pieces),
      pieces.reduce((sum, { start, end }) => sum + end - start, 0),
    )
    return masked
  }
}

/** Returns byte ranges without overlaps. */
export function piecesIn({ offsets }: AnalyzedText, findings: readonly PresidioFinding[]): Piece[] {
  const inBytes = findings.map(({ entity_type: type, start, end, score }) => ({
    type,
    score,
    recognizer: 'presidio',
    start: offsets[start] ?? 0,
    end: offsets[end] ?? 0,
  }))
  return piecesOf(inBytes)
}

export function countsOf(pieces: readonly Piece[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { type } of pieces) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts
}
