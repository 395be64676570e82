import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api/request.ts'
import { useRowWindow, type RowWindow } from '../parts/lists/window.ts'
import { Problem } from '../parts/messages.tsx'
import { allRows } from './all-rows.ts'
import type { Row } from './ansi/row.ts'
import { Folding } from './folding.ts'
import { readBlock } from './follow.ts'
import { lineInAddress } from './line-link.ts'
import { OutputRow } from './output-row.tsx'
import { OutputTools } from './output-tools.tsx'
import type { Block } from './block.ts'
import type { OutputRecord } from './record.ts'
import { useSearch } from './search.ts'
import { useKept } from '../parts/kept.ts'

const ROW_PX = 20

interface OutputViewProps {
  readonly id: string
  readonly fileName: string
  readonly record: OutputRecord
  readonly isRunning: boolean
  /** Whether more of the existing output is still being read. */
  readonly isReading: boolean
}

/** Draws only the visible part of the output. The user can still scroll through all of it. */
export function OutputView({ id, fileName, record, isRunning, isReading }: OutputViewProps) {
  useDrawnVersion(record)
  const [wraps, setWraps] = useKept('runbook-page-wrap', false)
  const [hasTimes, setTimes] = useKept('runbook-page-times', false)
  const { folding, fold } = useFolding(record, isRunning)
  const count = folding.shownCount
  const rows = useRowWindow(count, ROW_PX)
  const { scroller, first, end, height, offset } = rows
  const goTo = useGoing(rows, folding, fold)
  const linked = useLinkedRow(record.rowCount, goTo)
  const { follows, setFollows, onScroll } = useFollowing(rows, count, isRunning && linked === undefined)
  const readAll = useCallback((signal: AbortSignal) => allRows(id, record, signal), [id, record])
  const search = useSearch(readAll, (row) => {
    setFollows(false)
    goTo(row)
  })
  useKeptOpen(record, isRunning && !follows, fold)
  const list = useWrappedRows(rows, wraps)
  const marked = search.current ?? linked
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_, index) => folding.rowAt(first + index))
  const { rowAt, failure } = useShownRows(id, record, indexes)
  return (
    <section class="card fills column" aria-label="Output of the session">
      <OutputTools
        {...{ id, fileName, record, search, follows, setFollows, isRunning, marked }}
        {...{ wraps, setWraps, hasTimes, setTimes }}
      />
      {failure !== undefined && <Problem error={failure} />}
      <div
        class={`output log fills${wraps ? ' is-wrapped' : ''}`}
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-label="Output"
        aria-live={follows ? 'polite' : 'off'}
        aria-busy={isReading}
        tabIndex={0}
      >
        <div class="log-all" style={{ height: `${height}px` }}>
          <div class="log-rows" ref={list} style={wraps ? {} : { transform: `translateY(${offset}px)` }}>
            {indexes.map((row) => (
              <OutputRow
                key={row}
                number={row + 1}
                row={rowAt(row)}
                group={folding.groupAt(row)}
                onFold={fold}
                time={hasTimes ? record.times.at(row) : undefined}
                isMarked={row === marked}
                found={search.text}
              />
            ))}
          </div>
        </div>
      </div>
    </section>
  )
}

/** Folds and opens the groups of the output. A choice of the user stays until the view is left. */
function useFolding(record: OutputRecord, isRunning: boolean) {
  const [choices, setChoices] = useState<ReadonlyMap<number, 'open' | 'folded'>>(new Map())
  const { rowCount, groups } = record
  const folding = useMemo(
    () => new Folding(groups.all, { rowCount, isRunning, choices }),
    [groups, groups.changes, rowCount, isRunning, choices],
  )
  const fold = useCallback((row: number, isFolded: boolean) => {
    setChoices((before) => new Map(before).set(row, isFolded ? 'folded' : 'open'))
  }, [])
  return { folding, fold }
}

type Fold = ReturnType<typeof useFolding>['fold']

/** Keeps the running group open after its end if the user reads in it. */
function useKeptOpen({ groups }: OutputRecord, isReading: boolean, fold: Fold): void {
  const last = groups.all.at(-1)
  const row = isReading && last?.end === undefined ? last?.row : undefined
  useEffect(() => {
    if (row !== undefined) fold(row, false)
  }, [row, fold])
}

/** Returns a function that shows a row. If a folded group hides the row, the group opens first. */
function useGoing({ scrollTo }: RowWindow, folding: Folding, fold: Fold): (row: number) => void {
  const [wanted, setWanted] = useState<number | undefined>(undefined)
  useLayoutEffect(() => {
    if (wanted === undefined) return
    const folded = folding.foldedAt(wanted)
    if (folded !== undefined) {
      fold(folded, false)
      return
    }
    scrollTo(folding.placeOf(wanted), 'center')
    setWanted(undefined)
  }, [wanted, folding, fold, scrollTo])
  return setWanted
}

/** Keeps the newest row in view until the user scrolls up, and again after they scroll back to the end. */
function useFollowing(
  { scroller, scrollTo, onScroll: onRows }: RowWindow,
  count: number,
  isRunning: boolean,
) {
  const [follows, setFollows] = useState(isRunning)
  const top = useRef(0)
  useEffect(() => {
    if (follows) scrollTo(count)
  }, [follows, count, scrollTo])
  const onScroll = () => {
    onRows()
    const { current } = scroller
    if (current === null) return
    // New output also moves the end out of view. So only a move towards the beginning means that the user has
    // scrolled up.
    if (isRunning && isAtEnd(current)) setFollows(true)
    else if (current.scrollTop < top.current) setFollows(false)
    top.current = current.scrollTop
  }
  return { follows, setFollows, onScroll }
}

function isAtEnd({ scrollTop, clientHeight, scrollHeight }: HTMLElement): boolean {
  return scrollTop + clientHeight >= scrollHeight - ROW_PX
}

/** Returns the row that the address names (`#L12`), once it exists, and scrolls to it. */
function useLinkedRow(count: number, goTo: (row: number) => void): number | undefined {
  const line = lineInAddress.value
  const row = line === undefined || line > count ? undefined : line - 1
  useEffect(() => {
    if (row !== undefined) goTo(row)
  }, [row, goTo])
  return row
}

/**
 * Moves the drawn rows: wrapped rows differ in height, but the scroll bar assumes equal heights. With the
 * scroll bar at 30 %, the row at 30 % of the output is drawn at 30 % of the view's height. So at 0 % the
 * first row is at the top, and at 100 % the last row is at the bottom.
 */
function useWrappedRows({ scroller, place, first, height }: RowWindow, wraps: boolean) {
  const list = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const [box, drawn] = [scroller.current, list.current]
    if (!wraps || box === null || drawn === null) return
    const view = box.clientHeight
    const part = height > view ? Math.min(1, place.bar / (height - view)) : 0
    const at = (place.top + part * view) / ROW_PX
    const row = drawn.children[Math.floor(at) - first] ?? drawn.lastElementChild
    if (!(row instanceof HTMLElement)) return
    const isBehind = at - first >= drawn.children.length
    const inDrawn = row.offsetTop + (isBehind ? 1 : at % 1) * row.offsetHeight
    drawn.style.transform = `translateY(${Math.round(place.bar + part * view - inDrawn)}px)`
  })
  return list
}

/** Draws at most once a frame, even when much output arrives. */
function useDrawnVersion(record: OutputRecord): void {
  const [, draw] = useState(0)
  useEffect(() => {
    let frame = 0
    const stop = record.version.subscribe((version) => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => draw(version))
    })
    return () => {
      stop()
      cancelAnimationFrame(frame)
    }
  }, [record])
}

/** Reads dropped rows again when they become visible. Returns the last error. */
function useShownRows(id: string, record: OutputRecord, rows: readonly number[]) {
  const [failure, setFailure] = useState<Refused | undefined>(undefined)
  const reading = useRef(new Set<Block>())
  // The shown rows themselves are kept: between folded groups, they may be in more blocks than the cache holds.
  const shown = useRef(new Map<number, Row>())
  const wanted = useRef<readonly number[]>(rows)
  wanted.current = rows
  const rowAt = (row: number) => record.row(row) ?? shown.current.get(row)
  const read = useCallback(
    async (block: Block) => {
      if (reading.current.has(block)) return
      reading.current.add(block)
      try {
        const found = await readBlock(id, block)
        record.cache.keep(block, found)
        for (const row of wanted.current) {
          const one = found[row - block.firstRow]
          if (one !== undefined) shown.current.set(row, one)
        }
        record.version.value++
        setFailure(undefined)
      } catch (error) {
        setFailure(asRefused(error))
      } finally {
        reading.current.delete(block)
      }
    },
    [id, record],
  )
  const places = `${rows[0] ?? 0} ${rows.length} ${rows.at(-1) ?? 0}`
  useEffect(() => {
    const wantedRows = new Set(wanted.current)
    for (const row of shown.current.keys()) if (!wantedRows.has(row)) shown.current.delete(row)
    const missing = wanted.current.flatMap((row) =>
      record.row(row) === undefined && !shown.current.has(row) ? (record.blockOf(row) ?? []) : [],
    )
    for (const block of new Set(missing)) void read(block)
  }, [read, record, places])
  return { rowAt, failure }
}
