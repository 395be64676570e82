import { itemTable, type ItemColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { firstStatements, type RecordedSession } from '../../../client/rest/sessions.ts'

/** Maximum number of statements on a terminal. `sessions output` prints all. */
const SHOWN = 40
/** Maximum number of statements in JSON: a gateway gives no more at once. */
const MAX_STATEMENTS = 1000

type Statements = Awaited<ReturnType<typeof firstStatements>>
type Statement = Statements['statements'][number]

/** Adds the first statements of native clients if the user may read them. @throws ApiError */
export async function withStatements(
  account: Account,
  session: RecordedSession,
  asJson: boolean,
): Promise<RecordedSession & { readonly statements?: Statements }> {
  if (!session.port) return session
  try {
    const found = await firstStatements(account, session.id, asJson ? MAX_STATEMENTS : SHOWN)
    const statements = {
      statements: found.statements.map(({ raw }) => raw),
      statements_has_more: found.has_more,
      statements_total: found.total,
    }
    return { ...session, statements: found, raw: { ...session.raw, ...statements } }
  } catch (error) {
    // Then the user may be a reviewer, who may read the session but not its statements.
    if (error instanceof ApiError && error.kind === 'refused') return session
    throw error
  }
}

export function statementsText(statements: Statements | undefined, width: number): string {
  if (statements === undefined || statements.statements.length === 0) return ''
  const { has_more: hasMore, total } = statements
  const all = typeof total === 'number' ? `first ${statements.statements.length} of ${total}` : 'and more'
  const more = hasMore ? `... ${all} (sessions output shows all)\n` : ''
  return `\n${itemTable(STATEMENT_COLUMNS, statements.statements, width)}${more}`
}

const STATEMENT_COLUMNS: readonly ItemColumn<Statement>[] = [
  { heading: 'CLIENT', leftOut: 1, of: ({ connection }) => connection },
  { heading: 'QUERY', shrinks: true, of: ({ query }) => query },
  { heading: 'DURATION', of: ({ duration_ms: ms }) => (typeof ms === 'number' ? `${ms.toFixed(1)} ms` : '') },
  { heading: 'ROWS', shrinks: 'last', of: rowsText },
]

function rowsText({ state, rows, error, error_text: said }: Statement): string {
  if (typeof error === 'string' && error !== '')
    return `error ${error}${typeof said === 'string' ? `: ${said}` : ''}`
  if (state === 'done') return typeof rows === 'number' ? String(rows) : ''
  return state
}
