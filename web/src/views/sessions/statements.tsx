import { useCallback, useId, useState } from 'preact/hooks'
import { readStatements } from '../../api/gateway.ts'
import type { Session, Statement, StatementsAnswer } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Icon } from '../../parts/icon.tsx'
import { RowBlocks } from '../../parts/lists/row-blocks.tsx'
import { ClearSearch, SearchField, searchOf } from '../../parts/lists/search.tsx'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { TimeOfDay, durationText } from '../../parts/moment.tsx'
import { Coloured } from '../../parts/coloured.tsx'
import { changeQuery, query as address } from '../../parts/router.ts'
import { saveFile } from '../../parts/save-file.ts'
import { State } from '../../parts/state.tsx'
import { visible, visibleLines } from '../../parts/visible.ts'
import { downloadName } from './file-name.ts'
import { arrangedStatements, CHOICES, errorOf, orderOf, ORDERS, sqlOf, type Order } from './statement-list.ts'

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
  const choice = address.value.get('show') ?? ''
  const shown = arrangedStatements(value.statements, {
    fits: searchOf(),
    choice,
    order: orderOf(address.value),
  })
  return (
    <>
      <div class="line">
        <SearchField name="Statements" />
        <Choices statements={value.statements} chosen={choice} />
        <OrderChoice />
      </div>
      <p class="soft small" role="status">
        {countText(shown, value)}
      </p>
      {shown.length === 0 ? (
        <Empty icon="search" title="No statement matches the search.">
          {choice === '' ? (
            <ClearSearch />
          ) : (
            <button type="button" class="button" onClick={() => changeQuery({ search: '', show: '' })}>
              Show all statements
            </button>
          )}
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
          onClick={() => saveFile(new Blob([sqlOf(shown, session.user)]), downloadName(session, 'sql'))}
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
  const isOfMany = statements.some(({ connection }) => connection !== statements[0]?.connection)
  return (
    <section class="card scroll" aria-label="Statements" tabIndex={0}>
      <table class="folds statements">
        <thead>
          <tr>
            <Heading name="At" orders={['', 'newest']} first="ascending" />
            <th scope="col">Statement</th>
            <Heading name="Rows" orders={['rows', 'fewest']} first="descending" />
            <Heading name="Took" orders={['slowest', 'fastest']} first="descending" />
            <Heading name="State" orders={['errors', '']} first="descending" />
          </tr>
        </thead>
        <RowBlocks
          items={statements}
          columns={5}
          row={(statement, index) => <Row key={index} statement={statement} isOfMany={isOfMany} />}
        />
      </table>
    </section>
  )
}

interface HeadingProps {
  readonly name: string
  /** The orders of the first press and of the second one. */
  readonly orders: readonly [Order, Order]
  readonly first: 'ascending' | 'descending'
}

function Heading({ name, orders, first }: HeadingProps) {
  const present = orderOf(address.value)
  const isNumber = name === 'Rows' || name === 'Took'
  const second = first === 'ascending' ? 'descending' : 'ascending'
  const direction = present === orders[0] ? first : present === orders[1] ? second : 'none'
  const shown = name === 'State' && present === '' ? 'none' : direction
  const icon = { none: 'sort', ascending: 'up', descending: 'down' } as const
  return (
    <th scope="col" class={isNumber ? 'number' : undefined} aria-sort={shown}>
      <button
        type="button"
        class="button is-quiet is-small"
        title={`Sort by ${name.toLowerCase()}`}
        onClick={() => changeQuery({ order: present === orders[0] ? orders[1] : orders[0] })}
      >
        {name}
        <Icon name={icon[shown]} small />
      </button>
    </th>
  )
}

interface ChoicesProps {
  readonly statements: readonly Statement[]
  readonly chosen: string
}

function Choices({ statements, chosen }: ChoicesProps) {
  return (
    <div class="line" role="group" aria-label="Show">
      {CHOICES.map(([name, title, isChosen]) => (
        <button
          key={name}
          type="button"
          class="button is-small"
          aria-pressed={name === chosen}
          onClick={() => changeQuery({ show: name })}
        >
          {title}
          <span class="soft">{statements.filter(isChosen).length.toLocaleString('en')}</span>
        </button>
      ))}
    </div>
  )
}

/** A narrow list shows no headings of columns. */
function OrderChoice() {
  const id = useId()
  return (
    <div class="line small statement-order">
      <label class="soft" for={id}>
        Order
      </label>
      <select
        class="choice"
        id={id}
        value={orderOf(address.value)}
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
function countText(shown: readonly Statement[], { statements, has_more: hasMore }: StatementsAnswer): string {
  const all = `${hasMore ? 'the first ' : ''}${statements.length.toLocaleString('en')}`
  const durations = shown.flatMap(({ duration_ms: ms }) => ms ?? [])
  const sum = durations.reduce((total, ms) => total + ms, 0)
  const slowest = durations.reduce((most, ms) => Math.max(most, ms), 0)
  const times =
    durations.length === 0 ? '' : ` in ${shortDuration(sum)}, the slowest took ${shortDuration(slowest)}`
  return `${shown.length.toLocaleString('en')} of ${all} statements${times}. What the rows held is in no record.`
}

interface RowProps {
  readonly statement: Statement
  /** Whether the list has statements of several connections. */
  readonly isOfMany: boolean
}

function Row({ statement, isOfMany }: RowProps) {
  const { connection, query, time, duration_ms: ms, rows } = statement
  const error = errorOf(statement)
  return (
    <tr>
      <td class="soft">
        <TimeOfDay at={time} />
      </td>
      <th scope="row">
        <Query text={visibleLines(query)} />
        {error !== undefined && (
          <code class="query is-bad" dir="auto">
            {visible(error)}
          </code>
        )}
        {isOfMany && <span class="under">connection {connection}</span>}
      </th>
      <td class="number" data-name={rows === null ? undefined : 'rows'}>
        {rows?.toLocaleString('en')}
      </td>
      <td class="number" data-name={ms === null ? undefined : 'took'}>
        {ms === null ? '' : shortDuration(ms)}
      </td>
      <td>
        <Outcome state={statement.state} />
      </td>
    </tr>
  )
}

/** Maximum number of characters of a statement that are shown before the user opens it. */
const LONG = 400

function Query({ text }: { readonly text: string }) {
  if (text.length <= LONG)
    return (
      <code class="query">
        <Coloured text={text} file="statement.sql" />
      </code>
    )
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

function Outcome({ state }: Pick<Statement, 'state'>) {
  if (state === 'failed') return <State kind="failed" />
  if (state === 'running') return <State kind="running" />
  if (state !== 'done') return <State kind="skipped">{state}</State>
  return (
    <span class="is-good">
      <Icon name="check" small />
      <span class="said-only">succeeded</span>
    </span>
  )
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
