import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { useRowWindow } from './window.ts'

interface WindowListProps {
  readonly label: string
  readonly count: number
  readonly rowHeight: number
  readonly row: (index: number) => ComponentChildren
  readonly onRows?: (first: number, end: number) => void
}

/** A list of any length. The page contains only its visible rows. */
export function WindowList({ label, count, rowHeight, row, onRows }: WindowListProps) {
  const { scroller, first, end, height, offset, onScroll } = useRowWindow(count, rowHeight)
  useEffect(() => onRows?.(first, end), [first, end, onRows])
  const rows = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index)
  return (
    <div class="window" ref={scroller} onScroll={onScroll} tabIndex={0} role="region" aria-label={label}>
      <div class="window-all" style={{ height: `${height}px` }}>
        <ul class="window-rows" style={{ transform: `translateY(${offset}px)` }}>
          {rows.map((index) => (
            <li
              key={index}
              style={{ height: `${rowHeight}px` }}
              aria-setsize={count}
              aria-posinset={index + 1}
            >
              {row(index)}
            </li>
          ))}
        </ul>
      </div>
    </div>
  )
}
