import { useRef, useState } from 'preact/hooks'
import { toast } from '../../parts/toasts.tsx'
import type { RowWindow } from '../../parts/lists/window.ts'
import { visibleLines } from '../../parts/visible.ts'
import { tsvOf } from '../../result/csv.ts'
import type { Cell, Column } from '../../result/table.ts'

interface Place {
  readonly row: number
  readonly column: number
}

/** The selected cells, from the first cell to the current one. */
interface Range {
  readonly from: Place
  readonly to: Place
}

interface CellsOf {
  readonly columns: readonly Column[]
  readonly count: number
  readonly rowAt: (index: number) => readonly Cell[]
  readonly window: RowWindow
  readonly rowHeight: number
}

/** Maximum number of characters of the value that is shown below the table. */
const MAX_SHOWN_CHARACTERS = 2000

/**
 * Selects a cell by a click or by arrow keys, and several cells with Shift. Copies the selected cells with
 * Ctrl+C.
 */
export function useCells({ columns, count, rowAt, window, rowHeight }: CellsOf) {
  const [range, setRange] = useState<Range | undefined>(undefined)
  const latest = useRef(range)
  latest.current = range
  const choose = (to: Place, isLonger: boolean) =>
    setRange({ from: isLonger ? (latest.current?.from ?? to) : to, to })
  const move = (key: string, isLonger: boolean): boolean => {
    const { to } = latest.current ?? {}
    const next = to === undefined ? { row: window.first, column: 0 } : moved(to, key, count, columns.length)
    if (next === undefined) return false
    choose(next, isLonger)
    reveal(window, next, rowHeight)
    return true
  }
  const area = range === undefined ? undefined : areaOf(range)
  const listeners = {
    onMouseDown: (event: MouseEvent) => {
      const place = event.button === 0 ? placeOf(event.target) : undefined
      if (place !== undefined) choose(place, event.shiftKey)
    },
    onKeyDown: (event: KeyboardEvent) => {
      const isOurs = event.target === event.currentTarget && !(event.ctrlKey || event.metaKey || event.altKey)
      if (isOurs && event.key.startsWith('Arrow') && move(event.key, event.shiftKey)) event.preventDefault()
      if (isOurs && event.key === 'Escape') setRange(undefined)
    },
    onCopy: (event: ClipboardEvent) => {
      const isText = getSelection()?.toString() !== '' || event.target instanceof HTMLInputElement
      if (area === undefined || isText) return
      event.preventDefault()
      event.clipboardData?.setData('text/plain', textOf(area, rowAt))
      toast(
        area.rows * area.columns === 1
          ? 'The cell is copied.'
          : `${area.rows * area.columns} cells are copied.`,
      )
    },
  }
  return {
    listeners,
    isChosen: (row: number, column: number) => area !== undefined && isIn(area, row, column),
    chosenText:
      range === undefined ? '' : shownText(columns[range.to.column], rowAt(range.to.row)[range.to.column]),
  }
}

export type Cells = ReturnType<typeof useCells>

interface Area {
  readonly row: number
  readonly column: number
  readonly rows: number
  readonly columns: number
}

function areaOf({ from, to }: Range): Area {
  return {
    row: Math.min(from.row, to.row),
    column: Math.min(from.column, to.column),
    rows: Math.abs(from.row - to.row) + 1,
    columns: Math.abs(from.column - to.column) + 1,
  }
}

function isIn(area: Area, row: number, column: number): boolean {
  const [down, right] = [row - area.row, column - area.column]
  return down >= 0 && down < area.rows && right >= 0 && right < area.columns
}

function placeOf(target: EventTarget | null): Place | undefined {
  const cell = target instanceof Element ? target.closest<HTMLElement>('td[data-row]') : null
  return cell === null
    ? undefined
    : { row: Number(cell.dataset['row']), column: Number(cell.dataset['column']) }
}

function moved({ row, column }: Place, key: string, rows: number, columns: number): Place | undefined {
  const steps: Readonly<Record<string, readonly [number, number]>> = {
    ArrowDown: [1, 0],
    ArrowUp: [-1, 0],
    ArrowRight: [0, 1],
    ArrowLeft: [0, -1],
  }
  const step = steps[key]
  if (step === undefined || rows === 0) return undefined
  const within = (value: number, end: number) => Math.min(end - 1, Math.max(0, value))
  return { row: within(row + step[0], rows), column: within(column + step[1], columns) }
}

/** Scrolls only as far as needed to show a cell. */
function reveal({ scroller, scrollTo }: RowWindow, { row, column }: Place, rowHeight: number): void {
  const box = scroller.current
  if (box === null) return
  const head = box.querySelector<HTMLElement>('thead')?.offsetHeight ?? 0
  const [top, bottom] = [row * rowHeight, (row + 1) * rowHeight]
  if (top < box.scrollTop) scrollTo(row)
  else if (bottom + head > box.scrollTop + box.clientHeight) box.scrollTop = bottom + head - box.clientHeight
  const cell = box.querySelectorAll<HTMLElement>('thead th')[column]
  if (cell === undefined) return
  if (cell.offsetLeft < box.scrollLeft) box.scrollLeft = cell.offsetLeft
  const right = cell.offsetLeft + cell.offsetWidth
  if (right > box.scrollLeft + box.clientWidth) box.scrollLeft = right - box.clientWidth
}

/** Returns one cell unchanged, or several cells in the form for spreadsheets. */
function textOf(area: Area, rowAt: (index: number) => readonly Cell[]): string {
  if (area.rows * area.columns === 1) return rowAt(area.row)[area.column] ?? ''
  const rows = Array.from({ length: area.rows }, (_, index) => rowAt(area.row + index))
  return tsvOf(
    rows.map((row) => Array.from({ length: area.columns }, (_, index) => row[area.column + index])),
  )
}

function shownText(column: Column | undefined, cell: Cell | undefined): string {
  const text = cell ?? (cell === null ? 'NULL' : '')
  const cut =
    text.length > MAX_SHOWN_CHARACTERS
      ? `${text.slice(0, MAX_SHOWN_CHARACTERS)} … (${text.length} characters)`
      : text
  return `${visibleLines(column?.name ?? '')}: ${visibleLines(cut)}`
}
