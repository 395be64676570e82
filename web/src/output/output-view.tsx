import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { asRefused, type Refused } from '../api/request.ts'
import { Problem } from '../parts/messages.tsx'
import { useRowWindow, type RowWindow } from '../parts/lists/window.ts'
import type { Row } from './ansi/row.ts'
import { classesOf } from './ansi/style.ts'
import { readBlock } from './follow.ts'
import { OutputTools } from './output-tools.tsx'
import type { OutputRecord } from './record.ts'
import { useSearch, type Search } from './search.ts'

const ROW_PX = 20

interface OutputViewProps {
  readonly id: string
  readonly record: OutputRecord
  readonly isRunning: boolean
  /** Whether more of what is there already is on its way. */
  readonly isReading: boolean
}

/** A session's output: all of it can be scrolled through, what can be seen is drawn. */
export function OutputView({ id, record, isRunning, isReading }: OutputViewProps) {
  useDrawnVersion(record)
  const count = record.rowCount
  const rows = useRowWindow(count, ROW_PX)
  const { scroller, first, end, height, offset, scrollTo } = rows
  const { follows, setFollows, onScroll } = useFollowing(rows, count, isRunning)
  const search = useSearch(id, record, (row) => {
    setFollows(false)
    scrollTo(row, 'center')
  })
  const failure = useMissingRows(id, record, first, end)
  return (
    <div class="stack is-tight">
      <OutputTools {...{ id, record, search, follows, setFollows, isRunning }} />
      {failure !== undefined && <Problem error={failure} />}
      <div
        class="window output-text"
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-label="Output"
        aria-live={follows ? 'polite' : 'off'}
        aria-busy={isReading}
        tabIndex={0}
      >
        <div class="window-all" style={{ height: `${height}px` }}>
          <div class="window-rows" style={{ transform: `translateY(${offset}px)` }}>
            {drawnRows(record, search, first, end)}
          </div>
        </div>
      </div>
    </div>
  )
}

/** Whether the newest row stays in view: until somebody scrolls up, and again when he is back at the end. */
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
    // Output that comes meanwhile moves the end away: only a step back is somebody who wants to stay.
    if (isRunning && isAtEnd(current)) setFollows(true)
    else if (current.scrollTop < top.current) setFollows(false)
    top.current = current.scrollTop
  }
  return { follows, setFollows, onScroll }
}

function isAtEnd({ scrollTop, clientHeight, scrollHeight }: HTMLElement): boolean {
  return scrollTop + clientHeight >= scrollHeight - ROW_PX
}

function drawnRows(record: OutputRecord, search: Search, first: number, end: number) {
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => {
    const number = first + index
    const isFound = search.current === number
    return (
      <div key={number} class={isFound ? 'row is-found' : 'row'}>
        <RowText row={record.row(number)} />
      </div>
    )
  })
}

function RowText({ row }: { readonly row: Row | undefined }) {
  if (row === undefined) return <span class="row-missing">…</span>
  if (typeof row === 'string') return <>{row}</>
  return (
    <>
      {row.map(({ text, style }, index) => (
        <span key={index} class={classesOf(style)}>
          {text}
        </span>
      ))}
    </>
  )
}

/** Draws at most once a frame, however much comes. */
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

/** Reads again what is looked at and was dropped. @returns what has failed last */
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
