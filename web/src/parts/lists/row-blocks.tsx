import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'

/** Number of rows that are drawn together. */
const BLOCK = 50
/** Estimated height of a row that was not drawn yet. */
const ROW_PX = 57
/** Distance from the window within which rows are drawn. */
const NEAR = '800px 0px'

interface RowBlocksProps<Item> {
  readonly items: readonly Item[]
  readonly row: (item: Item, index: number) => ComponentChildren
  readonly columns: number
}

/**
 * Draws table bodies with rows of any number and height. Draws one empty row in place of rows that are far
 * from the window.
 */
export function RowBlocks<Item>({ items, row, columns }: RowBlocksProps<Item>) {
  const blocks = useMemo(
    () =>
      Array.from({ length: Math.ceil(items.length / BLOCK) }, (_, at) =>
        items.slice(at * BLOCK, (at + 1) * BLOCK),
      ),
    [items],
  )
  return (
    <>
      {blocks.map((block, at) => (
        <Block key={at} items={block} row={row} columns={columns} first={at * BLOCK} />
      ))}
    </>
  )
}

interface BlockProps<Item> extends RowBlocksProps<Item> {
  /** Index of the block's first item in the whole list. */
  readonly first: number
}

function Block<Item>({ items, row, columns, first }: BlockProps<Item>) {
  const body = useRef<HTMLTableSectionElement>(null)
  /** Average height of a row when the rows were last drawn. */
  const height = useRef(ROW_PX)
  const count = useRef(items.length)
  count.current = items.length
  const [isNear, setNear] = useState(first === 0)
  useEffect(() => {
    const { current } = body
    if (current === null) return undefined
    const observer = new IntersectionObserver(
      (entries) => {
        const last = entries.at(-1)
        if (last === undefined) return
        height.current = last.boundingClientRect.height / count.current
        // Rows with the focus stay drawn, because the user works there with keys.
        setNear(last.isIntersecting || current.contains(document.activeElement))
      },
      { rootMargin: NEAR },
    )
    observer.observe(current)
    return () => observer.disconnect()
  }, [])
  const gap = Math.round(height.current * items.length)
  return (
    <tbody ref={body}>
      {isNear ? (
        items.map((item, at) => row(item, first + at))
      ) : (
        <tr class="gap">
          <td colSpan={columns} style={{ height: `${gap}px` }} />
        </tr>
      )}
    </tbody>
  )
}
