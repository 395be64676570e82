import { useEffect, useState } from 'preact/hooks'
import { inTurns } from '../../output/turn.ts'
import { Icon } from '../../parts/icon.tsx'
import { useRowWindow } from '../../parts/lists/window.ts'
import { Note } from '../../parts/messages.tsx'
import { visible } from '../../parts/visible.ts'
import { arranged, type Filtering, type Sorting } from '../../result/order.ts'
import type { Cell, Column, ResultTable } from '../../result/table.ts'
import { useCells, type Cells } from './cells.ts'
import { copyRows, downloadCsv } from './taking.ts'

const ROW_PX = 30
const NO_FILTER: Filtering = { text: '', columns: {} }

interface TableViewProps {
  readonly table: ResultTable
  readonly name: string
  /** Whether the table takes the remaining height of the window. */
  readonly fills: boolean
  readonly fileName: string
}

/** Only the visible rows are drawn. */
export function TableView({ table, name, fills, fileName }: TableViewProps) {
  const [filtering, setFiltering] = useState(NO_FILTER)
  const [hasFilters, setHasFilters] = useState(false)
  const [sorting, setSorting] = useState<Sorting | undefined>(undefined)
  const order = useOrder(table, filtering, sorting)
  const count = order?.length ?? table.rows.length
  const rowAt = (index: number) => table.rows[order?.[index] ?? index] ?? []
  const rows = { table, count, rowAt }
  const changeColumn = (column: number, condition: string) =>
    setFiltering(({ text, columns }) => ({ text, columns: { ...columns, [column]: condition } }))
  return (
    <section
      class={`card column${fills ? ' fills' : ' is-one-of-several'}`}
      aria-label={`${name}, with its tools`}
    >
      <div class="card-head">
        {!fills && <h2>{name}</h2>}
        <div class="search">
          <Icon name="search" />
          <input
            type="search"
            aria-label={`Filter the rows of ${name}`}
            placeholder="Filter the rows"
            value={filtering.text}
            onInput={({ currentTarget: { value: text } }) =>
              setFiltering(({ columns }) => ({ text, columns }))
            }
          />
        </div>
        <span class="soft small" role="status">
          {countText(count, table.rows.length)}
        </span>
        <div class="line push">
          <button
            type="button"
            class="button is-small"
            aria-pressed={hasFilters}
            aria-label="Filter columns"
            title="Filter columns"
            onClick={() => {
              setHasFilters(!hasFilters)
              if (hasFilters) setFiltering(({ text }) => ({ text, columns: {} }))
            }}
          >
            <Icon name="filter" small />
            <span class="only-wide">Columns</span>
          </button>
          <button
            type="button"
            class="button is-small is-icon"
            aria-label="Copy the rows"
            title="Copy the rows"
            onClick={() => void copyRows(rows)}
          >
            <Icon name="copy" small />
          </button>
          <button type="button" class="button is-small" onClick={() => void downloadCsv(rows, fileName)}>
            <Icon name="download" small />
            Download CSV
          </button>
        </div>
      </div>
      {table.leftOut > 0 && (
        <Note tone="wait">
          The table has the first {number(table.rows.length)} rows. {number(table.leftOut)} more rows are only
          in the output.
        </Note>
      )}
      <Rows
        {...{ table, name, count, rowAt, sorting }}
        onSort={(column) => setSorting((before) => sortedNext(before, column))}
        {...(hasFilters && { conditions: filtering.columns, onCondition: changeColumn })}
      />
    </section>
  )
}

/** Returns the next sorting of a column: ascending, then descending, then unsorted. */
function sortedNext(before: Sorting | undefined, column: number): Sorting | undefined {
  if (before?.column !== column) return { column, isDescending: false }
  return before.isDescending ? undefined : { column, isDescending: true }
}

export function number(value: number): string {
  return value.toLocaleString('en-US')
}

function countText(count: number, all: number): string {
  const rows = `${number(all)} ${all === 1 ? 'row' : 'rows'}`
  return count === all ? rows : `${number(count)} of ${rows}`
}

/**
 * Returns the order of the rows, or undefined for the order of the output. Keeps the old order until the new
 * one is complete.
 */
function useOrder(
  table: ResultTable,
  filtering: Filtering,
  sorting: Sorting | undefined,
): Uint32Array | undefined {
  const [order, setOrder] = useState<Uint32Array | undefined>(undefined)
  useEffect(() => {
    const ended = new AbortController()
    inTurns(arranged(table, filtering, sorting), ended.signal).then(setOrder, () => undefined)
    return () => ended.abort()
  }, [table, filtering, sorting])
  return order
}

interface RowsProps {
  readonly table: ResultTable
  readonly name: string
  readonly count: number
  readonly rowAt: (index: number) => readonly Cell[]
  readonly sorting: Sorting | undefined
  readonly onSort: (column: number) => void
  readonly conditions?: Filtering['columns']
  readonly onCondition?: (column: number, condition: string) => void
}

function Rows({
  table: { columns },
  name,
  count,
  rowAt,
  sorting,
  onSort,
  conditions,
  onCondition,
}: RowsProps) {
  const window = useRowWindow(count, ROW_PX)
  const { scroller, first, end, onScroll } = window
  const cells = useCells({ columns, count, rowAt, window, rowHeight: ROW_PX })
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index)
  return (
    <>
      <div
        class="scroll fills result"
        ref={scroller}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label={`Rows of ${name}: arrow keys choose a cell, Ctrl+C copies the cell`}
        {...cells.listeners}
      >
        <table
          class="is-dense"
          aria-label={name}
          aria-rowcount={count + 1}
          style={{ width: tableWidth(columns) }}
        >
          <colgroup>
            {columns.map((column, index) => (
              <col key={index} style={{ width: columnWidth(column) }} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map((column, index) => (
                <Head
                  key={index}
                  column={column}
                  sorting={sorting?.column === index ? sorting : undefined}
                  onSort={() => onSort(index)}
                  condition={conditions?.[index] ?? ''}
                  {...(onCondition !== undefined && {
                    onCondition: (condition: string) => onCondition(index, condition),
                  })}
                />
              ))}
            </tr>
          </thead>
          <Gap rows={first} columns={columns.length} />
          <tbody>
            {indexes.map((index) => (
              <tr key={index} aria-rowindex={index + 2} style={{ height: `${ROW_PX}px` }}>
                {columns.map((column, at) => (
                  <CellOf key={at} {...{ column, at, index, cells }} value={rowAt(index)[at]} />
                ))}
              </tr>
            ))}
          </tbody>
          <Gap rows={count - end} columns={columns.length} />
        </table>
        {count === 0 && <p class="soft result-none">No row matches the filters.</p>}
      </div>
      <p class="card-foot cell-text" role="status" dir="auto">
        {cells.chosenText}
      </p>
    </>
  )
}

/** Draws one empty row in place of the rows that are not drawn. */
function Gap({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  if (rows <= 0) return null
  return (
    <tbody aria-hidden="true">
      <tr style={{ height: `${rows * ROW_PX}px` }}>
        <td colSpan={columns} class="gap" />
      </tr>
    </tbody>
  )
}

function columnWidth({ width, isNumeric }: Column): string {
  return `calc(${Math.max(width + (isNumeric ? 1 : 0), 4)}ch + 3.25rem)`
}

function tableWidth(columns: readonly Column[]): string {
  return `calc(${columns.map((column) => columnWidth(column).slice(5, -1)).join(' + ')})`
}

interface HeadProps {
  readonly column: Column
  readonly sorting: Sorting | undefined
  readonly onSort: () => void
  readonly condition: string
  readonly onCondition?: (condition: string) => void
}

function Head({ column: { name, isNumeric }, sorting, onSort, condition, onCondition }: HeadProps) {
  const order = sorting === undefined ? 'none' : sorting.isDescending ? 'descending' : 'ascending'
  const icon = { none: 'sort', ascending: 'up', descending: 'down' } as const
  const title = visible(name)
  return (
    <th scope="col" class={isNumeric ? 'number' : ''} aria-sort={order}>
      <button type="button" class="button is-small is-quiet" onClick={onSort} title={`Sort by ${title}`}>
        <bdi class="head-name">{title === '' ? '(no name)' : title}</bdi>
        <Icon name={icon[order]} small />
      </button>
      {onCondition !== undefined && (
        <input
          type="search"
          class="condition"
          aria-label={`Filter ${title}`}
          placeholder={isNumeric ? '>100' : 'contains'}
          title="Type a part of the value, =text for the whole value, or >100 or <=100 to compare"
          value={condition}
          onInput={(event) => onCondition(event.currentTarget.value)}
        />
      )}
    </th>
  )
}

interface CellProps {
  readonly column: Column
  readonly at: number
  readonly index: number
  readonly cells: Cells
  readonly value: Cell | undefined
}

function CellOf({ column: { isNumeric }, at, index, cells, value }: CellProps) {
  const names = [isNumeric ? 'number' : '', cells.isChosen(index, at) ? 'is-chosen' : ''].join(' ').trim()
  return (
    <td class={names} data-row={index} data-column={at}>
      {value === null ? <em class="null">NULL</em> : <bdi>{oneLine(value ?? '')}</bdi>}
    </td>
  )
}

/**
 * Cuts a value to 400 characters and shows it on one line. The line below the table shows more of the value.
 */
function oneLine(value: string): string {
  return visible(value.slice(0, 400)).replaceAll('\n', '↵')
}
