import type { Statement } from '../../api/types.ts'

export const ORDERS = [
  ['', 'as they came'],
  ['newest', 'newest first'],
  ['slowest', 'slowest first'],
  ['rows', 'most rows first'],
  ['errors', 'errors first'],
] as const

/** What the order compares. The greatest value is first, and statements without a value are last. */
const MEASURES: Readonly<Record<string, (statement: Statement) => number>> = {
  newest: ({ time }) => Date.parse(time),
  slowest: ({ duration_ms: ms }) => ms ?? -1,
  rows: ({ rows }) => rows ?? -1,
  errors: ({ error }) => (error === null ? 0 : 1),
}

/** Returns the statements that match the search, in an order of `ORDERS`. Equal ones stay as they came. */
export function arrangedStatements(
  statements: readonly Statement[],
  fits: (text: string) => boolean,
  order: string,
): readonly Statement[] {
  const found = statements.filter(({ query, error, state, connection }) =>
    fits(`${query} ${error === null ? state : `error ${error}`} connection ${connection}`),
  )
  const measure = MEASURES[order]
  return measure === undefined ? found : found.sort((one, other) => measure(other) - measure(one))
}

/** Returns a file of SQL with a comment above each statement that says when it ran and how it ended. */
export function sqlOf(statements: readonly Statement[]): string {
  return statements.map((one) => `${commentOf(one)}\n${ended(one.query)}\n`).join('\n')
}

function commentOf({ time, connection, state, duration_ms: ms, rows, error }: Statement): string {
  const facts = [
    `${time} connection ${connection}`,
    error === null ? state : `error ${error}`,
    ms === null ? '' : `${ms} ms`,
    rows === null ? '' : `${rows} rows`,
  ]
  return `-- ${facts.filter(Boolean).join(', ').replaceAll(/\s+/g, ' ')}`
}

const CUT = /\.\.\. \(\d+ bytes\)$/

/**
 * The end of a statement has a line of its own where the last line may be a comment. A statement that the record
 * has cut becomes a comment, because an open literal would swallow the statements below.
 */
function ended(query: string): string {
  const text = query.trimEnd()
  if (CUT.test(text)) return text.replaceAll(/^/gm, '-- ')
  if (text.endsWith(';')) return text
  return /(?:--|#)[^\n]*$/.test(text) ? `${text}\n;` : `${text};`
}
