import type { Statement } from '../../api/types.ts'

export const ORDERS = [
  ['', 'as they came'],
  ['newest', 'newest first'],
  ['slowest', 'slowest first'],
  ['fastest', 'fastest first'],
  ['rows', 'most rows first'],
  ['fewest', 'fewest rows first'],
  ['errors', 'errors first'],
] as const
export type Order = (typeof ORDERS)[number][0]

export function orderOf(asked: URLSearchParams): Order {
  return ORDERS.find(([order]) => order === asked.get('order'))?.[0] ?? ''
}

/** What the order compares. Statements without a value are last, whichever comes first. */
const MEASURES: Readonly<Record<Exclude<Order, ''>, (statement: Statement) => number | null>> = {
  newest: ({ time }) => -Date.parse(time),
  slowest: ({ duration_ms: ms }) => (ms === null ? null : -ms),
  fastest: ({ duration_ms: ms }) => ms,
  rows: ({ rows }) => (rows === null ? null : -rows),
  fewest: ({ rows }) => rows,
  errors: ({ error }) => (error === null ? null : 0),
}

/** Statements that take longer than this are slow. */
const SLOW_MS = 100
/** The choices above the list: the name in the address, the title, and which statements are shown. */
export const CHOICES = [
  ['', 'All', () => true],
  ['errors', 'Errors', ({ error }: Statement) => error !== null],
  ['slow', `Slower than ${SLOW_MS} ms`, ({ duration_ms: ms }: Statement) => ms !== null && ms > SLOW_MS],
] as const

/** What is shown of an error: its code, and the text of the server if there is one. */
export function errorOf({ error, error_text: said }: Statement): string | undefined {
  if (error === null) return undefined
  return said === null ? `error ${error}` : `error ${error}: ${said}`
}

interface Arrangement {
  readonly fits: (text: string) => boolean
  readonly choice: string
  readonly order: Order
}

/** Returns the chosen statements that match the search, in their order. Equal ones stay as they came. */
export function arrangedStatements(
  statements: readonly Statement[],
  { fits, choice, order }: Arrangement,
): readonly Statement[] {
  const isChosen = CHOICES.find(([name]) => name === choice)?.[2] ?? (() => true)
  const found = statements.filter(
    (one) => isChosen(one) && fits(`${one.query} ${errorOf(one) ?? one.state} connection ${one.connection}`),
  )
  if (order === '') return found
  const measure = (one: Statement) => MEASURES[order](one) ?? Infinity
  return found.sort((one, other) => Math.sign(measure(one) - measure(other)) || 0)
}

/** Returns a file of SQL with a comment above each statement: when, by whom and how it ran. */
export function sqlOf(statements: readonly Statement[], user: string): string {
  return statements.map((one) => `${commentOf(one, user)}\n${textOf(one)}\n`).join('\n')
}

function commentOf(statement: Statement, user: string): string {
  const { time, connection, state, duration_ms: ms, rows } = statement
  const facts = [
    `${time} ${user}, connection ${connection}`,
    errorOf(statement) ?? state,
    ms === null ? '' : `${ms} ms`,
    rows === null ? '' : `${rows} rows`,
  ]
  // A line break or another control character would end the comment.
  return `-- ${facts
    .filter(Boolean)
    .join(', ')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')}`
}

const CUT = /\.\.\. \(\d+ bytes\)$/
/** The record's words for requests that are no SQL. */
const NO_SQL = /^\((?:execute|fetch|call of the function)\b[^]*\)$/

/**
 * Only what the server has understood is SQL. The rest is a comment: `psql` and `mysql` run commands of a shell in a
 * text that no server takes (`\! command`, `system command`).
 */
function textOf({ query, state }: Statement): string {
  const text = query.trimEnd()
  const isUnderstood = state === 'done' || state === 'prepared'
  // An open literal or comment would swallow the statements below.
  const isOpen = CUT.test(text) || text.lastIndexOf('/*') > text.lastIndexOf('*/')
  if (!isUnderstood || isOpen || NO_SQL.test(text)) return text.replaceAll(/^/gm, '-- ')
  // The end has a line of its own where the last line may be a comment.
  if (/(?:--|#)[^\n]*$/.test(text)) return `${text}\n;`
  return text.endsWith(';') ? text : `${text};`
}
