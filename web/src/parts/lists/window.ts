import type { RefObject } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ScrollScale, START, type ScrollPlace } from './scroll-scale.ts'

/**
 * Number of extra rows that are drawn above and below the view, so that keys and short steps find drawn rows.
 */
const BESIDE = 8

export interface RowWindow {
  readonly scroller: RefObject<HTMLDivElement | null>
  /** The rows from `first` up to `end` are drawn. The row `end` is not. */
  readonly first: number
  readonly end: number
  /**
   * `height` is the height of the element in the scroller. `offset` is the place of the first drawn row in
   * this element.
   */
  readonly height: number
  readonly offset: number
  readonly place: ScrollPlace
  readonly isAtEnd: boolean
  readonly onScroll: () => void
  readonly scrollTo: (row: number, where?: 'start' | 'center') => void
}

/** Finds the visible rows among rows of equal height. */
export function useRowWindow(count: number, rowHeight: number): RowWindow {
  const scroller = useRef<HTMLDivElement>(null)
  const view = useHeight(scroller)
  const [place, setPlace] = useState<ScrollPlace>(START)
  const scale = new ScrollScale(count * rowHeight, view, place)
  const latest = useRef(scale)
  latest.current = scale
  const move = useCallback((next: ScrollPlace) => {
    setPlace(next)
    if (scroller.current !== null && Math.abs(scroller.current.scrollTop - next.bar) >= 1)
      scroller.current.scrollTop = next.bar
  }, [])
  const onScroll = useCallback(() => {
    if (scroller.current !== null) setPlace(latest.current.at(scroller.current.scrollTop))
  }, [])
  const scrollTo = useCallback(
    (row: number, where: 'start' | 'center' = 'start') => {
      const { view: height } = latest.current
      move(latest.current.to(row * rowHeight - (where === 'center' ? height / 2 : 0)))
    },
    [rowHeight, move],
  )
  useSettling(scroller, () =>
    move(latest.current.to(latest.current.at(scroller.current?.scrollTop ?? 0).top)),
  )
  const first = Math.max(0, Math.floor(place.top / rowHeight) - BESIDE)
  const end = Math.min(count, Math.ceil((place.top + view) / rowHeight) + BESIDE)
  return {
    scroller,
    first,
    end,
    onScroll,
    scrollTo,
    place,
    height: scale.height,
    offset: place.bar - place.top + first * rowHeight,
    isAtEnd: place.top + view >= count * rowHeight - rowHeight,
  }
}

function useHeight(element: RefObject<HTMLElement | null>): number {
  const [height, setHeight] = useState(600)
  useLayoutEffect(() => {
    const { current } = element
    if (current === null) return undefined
    const observer = new ResizeObserver(() => setHeight(current.clientHeight))
    observer.observe(current)
    setHeight(current.clientHeight)
    return () => observer.disconnect()
  }, [element])
  return height
}

/**
 * Moves the scroll bar to its true place after scrolling. This is needed because small steps move the bar too
 * far in a long list.
 */
function useSettling(element: RefObject<HTMLElement | null>, settle: () => void): void {
  const latest = useRef(settle)
  latest.current = settle
  useEffect(() => {
    const { current } = element
    const settled = () => latest.current()
    current?.addEventListener('scrollend', settled)
    return () => current?.removeEventListener('scrollend', settled)
  }, [element])
}
