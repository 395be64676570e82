import type { Account } from '../account/account.ts'
import { askWell } from './http/json.ts'

/** A gateway may have to look through very many sessions before one matches. */
const PIECE_MS = 10 * 60 * 1000
const NEWLINE = 0x0a

/** Which sessions; an option that is missing lets all of them through. */
export interface ExportWish {
  readonly connection?: string | undefined
  readonly user?: string | undefined
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  /** The cursor of a session: only those behind it. */
  readonly after?: string | undefined
}

/** Whole lines, as they come. @throws ApiError, also when the answer breaks off */
export async function* exportedLines(
  account: Account,
  wish: ExportWish,
): AsyncGenerator<Buffer, void, undefined> {
  const path = `/api/sessions/export?${optionsOf(wish).toString()}`
  const { body } = await askWell(account, { method: 'GET', path, answerMs: PIECE_MS, pieceMs: PIECE_MS })
  let rest: Buffer[] = []
  for await (const piece of body) {
    const end = piece.lastIndexOf(NEWLINE) + 1
    if (end > 0) yield Buffer.concat([...rest, piece.subarray(0, end)])
    rest = end > 0 ? [piece.subarray(end)] : [...rest, piece]
  }
}

function optionsOf({ connection, user, from, to, after }: ExportWish): URLSearchParams {
  return new URLSearchParams({
    ...(connection !== undefined && { connection }),
    ...(user !== undefined && { user }),
    ...(from !== undefined && { start_date: from.toISOString() }),
    ...(to !== undefined && { end_date: to.toISOString() }),
    ...(after !== undefined && { after }),
  })
}

/** The cursor of the last of some whole lines; undefined for what is no line of an export. */
export function lastCursor(lines: Buffer): string | undefined {
  const begin = lines.lastIndexOf(NEWLINE, lines.length - 2) + 1
  try {
    const { cursor } = JSON.parse(lines.toString('utf8', begin)) as { readonly cursor?: unknown }
    return typeof cursor === 'string' && /^\d{1,15}$/.test(cursor) ? cursor : undefined
  } catch {
    return undefined
  }
}
