import { useCallback, useId, useState } from 'preact/hooks'
import { readStatements } from '../../api/gateway.ts'
import type { Session, Statement, StatementsAnswer } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Icon } from '../../parts/icon.tsx'
import { RowBlocks } from '../../parts/lists/row-blocks.tsx'
import { ClearSearch, SearchField, searchOf } from '../../parts/lists/search.tsx'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { durationText, ExactMoment } from '../../parts/moment.tsx'
import { changeQuery, query as address } from '../../parts/router.ts'
import { saveFile } from '../../parts/save-file.ts'
import { State } from '../../parts/state.tsx'
import { visible, visibleLines } from '../../parts/visible.ts'
import { downloadName } from './file-name.ts'
import { arrangedStatements, ORDERS, sqlOf } from './statement-list.ts'

/**
 * Maximum number of statements. `FEW` are loaded first, and `MAX_STATEMENTS` after "Show more". The download has all
 * statements.
 */
const FEW = 200
const MAX_STATEMENTS = 1000

/** Statements of native clients, with duration and number of rows. Results are not recorded. */
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
  const shown = arrangedStatements(value.statements, searchOf(), address.value.get('order') ?? '')
  return (
    <>
      <div class="line">
        <SearchField name="Statements" />
        <Order />
        <span class="soft small" role="status">
          {countText(shown.length, value)}
        </span>
      </div>
      {shown.length === 0 ? (
        <Empty icon="search" title="No statement matches the search.">
          <ClearSearch />
        </Empty>
      ) : (
        <Table statements={shown} />
      )}
      <div class="line">
        {session.status !== 'done' && (
          <button type="button" class="button" onClick={reload}>
            <Icon name="again" />
            Refresh
          </button>
        )}
        {value.has_more && limit < MAX_STATEMENTS && (
          <button type="button" class="button" onClick={() => setLimit(MAX_STATEMENTS)}>
            Show more
          </button>
        )}
        {value.has_more && limit === MAX_STATEMENTS && (
          <span class="soft small">
            Only the first {MAX_STATEMENTS.toLocaleString('en')} statements are shown.
          </span>
        )}
        <button
          type="button"
          class="button"
          disabled={shown.length === 0}
          onClick={() => saveFile(new Blob([sqlOf(shown)]), downloadName(session, 'sql'))}
        >
          <Icon name="download" />
          Download .sql
        </button>
        <a
          class="button"
          href={`/api/sessions/${encodeURIComponent(session.id)}/result/stream`}
          download={`${session.id}.txt`}
        >
          <Icon name="download" />
          Download all
        </a>
      </div>
    </>
  )
}

function Table({ statements }: { readonly statements: readonly Statement[] }) {
  return (
    <section class="card scroll" aria-label="Statements" tabIndex={0}>
      <table class="folds statements">
        <thead>
          <tr>
            <th scope="col">Query</th>
            <th scope="col">Time</th>
            <th scope="col">Duration</th>
            <th scope="col">Rows</th>
          </tr>
        </thead>
        <RowBlocks
          items={statements}
          columns={4}
          row={(statement, index) => <Row key={index} statement={statement} />}
        />
      </table>
    </section>
  )
}

/** The order is a choice above the list, because a phone shows no heads of columns. */
function Order() {
  const id = useId()
  return (
    <div class="line small">
      <label class="soft" for={id}>
        Order
      </label>
      <select
        class="choice"
        id={id}
        value={address.value.get('order') ?? ''}
        onChange={(event) => changeQuery({ order: event.currentTarget.value })}
      >
        {ORDERS.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  )
}

/** The search covers the loaded statements, so the count says whether there are more. */
function countText(shown: number, { statements, has_more: hasMore }: StatementsAnswer): string {
  const all = `${hasMore ? 'the first ' : ''}${statements.length.toLocaleString('en')}`
  return `${shown.toLocaleString('en')} of ${all} statements`
}

function Row({ statement }: { readonly statement: Statement }) {
  const { connection, query, time, duration_ms: ms, rows } = statement
  return (
    <tr>
      <th scope="row">
        <Query text={visibleLines(query)} />
        <span class="under">connection {connection}</span>
      </th>
      <td data-name="Time">
        <ExactMoment at={time} />
      </td>
      <td data-name="Duration">{ms === null ? 'unknown' : shortDuration(ms)}</td>
      <td data-name={statement.state === 'done' ? 'Rows' : undefined}>
        <Outcome statement={statement} rows={rows} />
      </td>
    </tr>
  )
}

/** Maximum number of characters of a statement that are shown before the user opens it. */
const LONG = 400

function Query({ text }: { readonly text: string }) {
  if (text.length <= LONG) return <code class="query">{text}</code>
  return (
    <details class="query">
      <summary>
        <code>{text.slice(0, LONG)}</code> …{' '}
        <span class="soft">{text.length.toLocaleString('en')} characters</span>
      </summary>
      <code>{text.slice(LONG)}</code>
    </details>
  )
}

function shortDuration(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : durationText(ms)
}

function Outcome({
  statement: { state, error },
  rows,
}: {
  readonly statement: Statement
  readonly rows: number | null
}) {
  if (error !== null) return <State kind="failed">error {visible(error)}</State>
  if (state === 'done') return <>{rows?.toLocaleString('en')}</>
  return <State kind={state === 'running' ? 'running' : 'skipped'}>{state}</State>
}

function None({ session }: { readonly session: Session }) {
  const isDatabase = ['postgres', 'mysql'].includes(session.connection_subtype)
  return (
    <Empty icon="terminal" title={isDatabase ? 'No statement was sent yet.' : 'No statements are recorded.'}>
      {isDatabase
        ? 'The statements of database clients appear here, without their results.'
        : 'The gateway does not read what clients of this type send.'}
    </Empty>
  )
}
