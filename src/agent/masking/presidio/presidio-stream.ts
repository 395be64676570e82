import { piecesOf, replaced, type Piece } from '../../../policy/masking/replacement.ts'
import type { OutputFilter } from '../../../policy/output-filter.ts'
import type { MaskingResult } from '../masking-result.ts'
import { analyze, type PresidioFinding, type PresidioRequest } from './analyzer.ts'
import { anonymize } from './anonymizer.ts'
import { PIECE_BYTES, OVERLAP_BYTES, Pieces } from './pieces.ts'
import { PresidioError, type PresidioService } from './service.ts'
import { analyzedText, type AnalyzedText } from './text.ts'

/** Where Presidio is. Without an anonymizer its findings are replaced here. */
export interface PresidioServices {
  readonly analyzer: PresidioService
  readonly anonymizer: PresidioService | undefined
}

/** Masks one stream by Presidio, whole lines at a time. */
export class PresidioStream implements OutputFilter {
  readonly #services: PresidioServices
  readonly #request: PresidioRequest
  readonly #result: MaskingResult
  readonly #pieces = new Pieces()
  /** A line cannot be judged before its end has come, however long that takes. */
  readonly isReleasable = false

  constructor(services: PresidioServices, request: PresidioRequest, result: MaskingResult) {
    this.#services = services
    this.#request = request
    this.#result = result
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
    return Buffer.alloc(0)
  }

  async end(): Promise<Buffer> {
    return await this.#masked(this.#pieces.last(), false)
  }

  /** @param isCut whether its line goes on */
  async #masked(piece: Buffer, isCut: boolean): Promise<Buffer> {
    if (piece.length === 0) return piece
    try {
      const text = analyzedText(piece)
      const findings = await analyze(this.#services.analyzer, text, this.#request)
      return isCut ? await this.#withoutEnd(text, findings) : await this.#replaced(text, findings)
    } catch (error) {
      if (!(error instanceof PresidioError)) throw error
      this.#result.failed(error.message)
      return piece
    }
  }

  /** Masks all but the last KiB and what reaches into it: that is looked at again with what follows. */
  async #withoutEnd(text: AnalyzedText, findings: readonly PresidioFinding[]): Promise<Buffer> {
    const cut = cutOf(text, findings)
    const at = text.offsets[cut] ?? PIECE_BYTES
    this.#pieces.putBack(text.bytes.subarray(at))
    return await this.#replaced(
      analyzedText(text.bytes.subarray(0, at)),
      findings.filter(({ end }) => end <= cut),
    )
  }

  async #replaced(text: AnalyzedText, findings: readonly PresidioFinding[]): Promise<Buffer> {
    const { anonymizer } = this.#services
    const pieces = piecesIn(text, findings)
    const masked =
      anonymizer === undefined
        ? replaced(text.bytes, pieces, { form: 'tag' })
        : await anonymize(anonymizer, text, findings)
    this.#result.masked(
      countsOf(pieces),
      pieces.reduce((sum, { start, end }) => sum + end - start, 0),
    )
    return masked
  }
}

/** The findings without overlaps, as bytes of the text. */
function piecesIn({ offsets }: AnalyzedText, findings: readonly PresidioFinding[]): Piece[] {
  const inBytes = findings.map(({ entity_type: type, start, end, score }) => ({
    ...{ type, score, recognizer: 'presidio' },
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

/** The code point at which a piece can be cut without cutting a finding. */
function cutOf({ bytes, offsets }: AnalyzedText, findings: readonly PresidioFinding[]): number {
  let cut = offsets.findLastIndex((offset) => offset <= bytes.length - OVERLAP_BYTES)
  for (const { start, end } of findings.toSorted((a, b) => b.end - a.end))
    if (start < cut && cut < end) cut = start
  return cut > 0 ? cut : offsets.length - 1
}
