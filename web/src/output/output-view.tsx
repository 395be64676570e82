import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api/request.ts'
import { useRowWindow, type RowWindow } from '../parts/lists/window.ts'
import { Problem } from '../parts/messages.tsx'
import { readBlock } from './follow.ts'
import { lineInAddress } from './line-link.ts'
import { OutputRow } from './output-row.tsx'
import { OutputTools } from './output-tools.tsx'
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
  const count = record.rowCount
  const rows = useRowWindow(count, ROW_PX)
  const { scroller, first, end, height, offset, scrollTo } = rows
  const linked = useLinkedRow(count, scrollTo)
  const { follows, setFollows, onScroll } = useFollowing(rows, count, isRunning && linked === undefined)
  const search = useSearch(id, record, (row) => {
    setFollows(false)
    scrollTo(row, 'center')
  })
  const failure = useMissingRows(id, record, first, end)
  const list = useWrappedRows(rows, wraps)
  const marked = search.current ?? linked
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index)
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
                row={record.row(row)}
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
function useLinkedRow(count: number, scrollTo: RowWindow['scrollTo']): number | undefined {
  const line = lineInAddress.value
  const row = line === undefined || line > count ? undefined : line - 1
  useEffect(() => {
    if (row !== undefined) scrollTo(row, 'center')
  }, [row, scrollTo])
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
function useMissingRows(id: string, record: OutputRecord, first: number, end: number): Refused | undefined {
  const [failure, setFailure] = useState<Refused | undefined>(undefined)
  const reading = useRef(new Set<unknown>())
  const read = useCallback(
    async (row: number) => {
      const block = record.row(row) === undefined ? record.blockOf(row) : undefined
      if (block === undefined || reading.current.has(block)) return
      reading.current.add(block)
      try {
        record.cache.keep(block, await readBlock(id, block))
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
  useEffect(() => {
    if (end > first) for (const row of new Set([first, end - 1])) void read(row)
  }, [read, first, end])
  return failure
}
