import type { Review, Session } from '../api/types.ts'

/** A place of a value. `is_part` is set if the value is missing: then a placeholder is there. */
export type Mark = NonNullable<Review['marks']>[number] & { readonly is_part?: boolean }

const SQL_TYPES: ReadonlySet<string> = new Set([
  ...['postgres', 'postgresql', 'mysql', 'mariadb', 'mssql', 'sqlserver', 'oracledb', 'oracle', 'sqlite'],
  ...['bigquery', 'snowflake', 'clickhouse', 'cockroachdb'],
])

/** Returns a file name for the colours of the script: of the runbook, or by the type of the connection. */
export function fileToColour(
  { runbook }: Pick<Review, 'runbook'>,
  { type, connection_subtype: subtype }: Pick<Session, 'type' | 'connection_subtype'>,
): string {
  const isSql = SQL_TYPES.has(subtype === '' ? type : subtype)
  if (runbook === undefined) return isSql ? 'script.sql' : ''
  return runbook.file.endsWith('.runbook') && isSql ? 'script.sql' : runbook.file
}

/** A piece of a script, and the class of its colour. */
interface Piece {
  readonly kind: string | undefined
  readonly text: string
}

interface Stretch {
  readonly mark: Mark | undefined
  readonly pieces: readonly Piece[]
}

/** Cuts coloured pieces at the edges of marks. Marks that are not in order, or reach beyond the text, are left out. */
export function cutAt(pieces: readonly Piece[], marks: readonly Mark[]): readonly Stretch[] {
  const stretches: { mark: Mark | undefined; pieces: Piece[] }[] = []
  const rest = [...pieces]
  let at = 0
  const take = (until: number, mark: Mark | undefined): void => {
    const taken: Piece[] = []
    while (at < until && rest[0] !== undefined) {
      const [{ kind, text }] = rest as [Piece]
      const length = Math.min(text.length, until - at)
      taken.push({ kind, text: text.slice(0, length) })
      if (length === text.length) rest.shift()
      else rest[0] = { kind, text: text.slice(length) }
      at += length
    }
    if (taken.length > 0) stretches.push({ mark, pieces: taken })
  }
  for (const mark of marks) {
    if (mark.start < at) continue
    take(mark.start, undefined)
    take(mark.end, mark)
  }
  take(Infinity, undefined)
  return stretches
}
