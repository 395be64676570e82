import { piecesOf, replaced, type Piece } from '../../../policy/masking/replacement.ts'
import type { OutputFilter } from '../../../policy/output-filter.ts'
import type { MaskingResult } from '../masking-result.ts'
import { analyze, type PresidioFinding, type PresidioRequest } from './analyzer.ts'
import { anonymize } from './anonymizer.ts'
import type { Breaker } from './breaker.ts'
import { cutFindings, restOfTorn } from './cut.ts'
import { PIECE_BYTES, Pieces } from './pieces.ts'
import { PresidioError, type PresidioService } from './service.ts'
import { analyzedText, type AnalyzedText } from './text.ts'

/** Where Presidio is. Without an anonymizer its findings are replaced here. */
export interface PresidioServices {
  readonly analyzer: PresidioService
  readonly anonymizer: PresidioService | undefined
}

/** What the streams of a session share. */
export interface PresidioSession {
  readonly services: PresidioServices
  readonly request: PresidioRequest
  readonly result: MaskingResult
  readonly breaker: Breaker
  /** Nobody waits for output any more. */
  readonly ended: AbortSignal
}

const NOTHING = Buffer.alloc(0)
const PASSES =
  'Presidio fails again and again: output passes without it, and it is asked anew from time to time'
const LOST = 'the session was ended before Presidio had answered: the output from there on is not shown'

/** Masks one stream by Presidio, whole lines at a time. */
export class PresidioStream implements OutputFilter {
  readonly #session: PresidioSession
  readonly #pieces = new Pieces()
  /** The type of a finding that was cut, and goes on. */
  #torn: string | undefined
  /** A line cannot be judged before its end has come, however long that takes. */
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

  /** @param isCut whether its line goes on */
  async #masked(piece: Buffer, isCut: boolean): Promise<Buffer> {
    const { breaker, ended, result } = this.#session
    if (piece.length === 0) return piece
    if (breaker.isOpen) return this.#passed(piece, () => result.passes(PASSES))
    try {
      ended.throwIfAborted()
      return await breaker.watch(() => this.#asked(analyzedText(piece), isCut))
    } catch (error) {
      // The output does not pass unmasked, in either mode: users who end their session would see what they should not.
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

  /** Masks all but the last KiB and what reaches into it: that is looked at again with what follows. */
  async #withoutEnd(text: AnalyzedText, all: readonly PresidioFinding[]): Promise<Buffer> {
    const { cut, findings, torn } = cutFindings(text, all)
    const at = text.offsets[cut] ?? PIECE_BYTES
    const masked = await this.#replaced(analyzedText(text.bytes.subarray(0, at)), findings)
    // Only now: of a piece that passes as it is nothing comes again.
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

/** The findings without overlaps, as bytes of the text. */
function piecesIn({ offsets }: AnalyzedText, findings: readonly PresidioFinding[]): Piece[] {
  const inBytes = findings.map(({ entity_type: type, start, end, score }) => ({
    type,
    score,
    recognizer: 'presidio',
    start: offsets[start] ?? 0,
    end: offsets[end] ?? 0,
  }))
  return piecesOf(inBytes)
}

function countsOf(pieces: readonly Piece[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { type } of pieces) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts
}
