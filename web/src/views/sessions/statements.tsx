import { useCallback, useState } from 'preact/hooks'
import { readStatements } from '../../api/gateway.ts'
import type { Session, Statement } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { durationText } from '../../parts/moment.tsx'
import { visibleLines } from '../../parts/visible.ts'

/** Number of statements to load: at first, and at most. The file has the rest. */
const FEW = 200
const MOST = 1000

/**
 * Statements that native clients have sent to a database: each with duration and rows, never with its result.
 */
export function Statements({ session }: { readonly session: Session }) {
  const [limit, setLimit] = useState(FEW)
  const load = useCallback(
    (signal: AbortSignal) => readStatements(session.id, limit, signal),
    [session.id, limit],
  )
  const { value, error, reload } = useLoaded(load, ['sessions'])
  if (error?.status === 403)
    return <Empty icon="eye">You may see this session, but not its statements.</Empty>
  if (error !== undefined) return <Problem error={error} onRetry={reload} />
  if (value === undefined) return <Loading rows={6} />
  if (value.statements.length === 0) return <None session={session} />
  return (
    <>
      <section class="card scroll" aria-label="Statements" tabIndex={0}>
        <table class="folds statements">
          <thead>
            <tr>
              <th scope="col">Query</th>
              <th scope="col">Duration</th>
              <th scope="col">Rows</th>
            </tr>
          </thead>
          <tbody>
            {value.statements.map((statement, index) => (
              <Row key={index} statement={statement} />
            ))}
          </tbody>
        </table>
      </section>
      <p class="actions">
        {session.status !== 'done' && (
          <button type="button" onClick={reload}>
            Refresh
          </button>
        )}
        {value.has_more && limit < MOST && (
          <button type="button" onClick={() => setLimit(MOST)}>
            Show more
          </button>
        )}
        {value.has_more && limit === MOST && (
          <span class="soft small">These are the first {MOST.toLocaleString('en')}.</span>
        )}
        <a
          href={`/api/sessions/${encodeURIComponent(session.id)}/result/stream`}
          download={`${session.id}.txt`}
        >
          Download all
        </a>
      </p>
    </>
  )
}

function Row({ statement }: { readonly statement: Statement }) {
  const { connection, query, duration_ms: ms, rows } = statement
  return (
    <tr>
      <th scope="row">
        <code class="query">{visibleLines(query)}</code>
        <span class="under">connection {connection}</span>
      </th>
      <td data-name="Duration">{ms === null ? 'unknown' : shortDuration(ms)}</td>
      <td data-name="Rows">{rowsText(statement, rows)}</td>
    </tr>
  )
}

function shortDuration(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : durationText(ms)
}

function rowsText({ state, error }: Statement, rows: number | null): string {
  if (error !== null) return `error ${error}`
  if (state === 'done') return rows === null ? '' : rows.toLocaleString('en')
  return state
}

function None({ session }: { readonly session: Session }) {
  const isDatabase = ['postgres', 'mysql'].includes(session.connection_subtype)
  return (
    <Empty icon="terminal" title={isDatabase ? 'There is no statement yet.' : 'No statements are recorded.'}>
      {isDatabase
        ? 'The statements of database clients appear here, without their results.'
        : 'The gateway does not read what clients of this type send.'}
    </Empty>
  )
}
