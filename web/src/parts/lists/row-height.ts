import { useEffect, useMemo, useState } from 'preact/hooks'

/** Heights of rows in pixels by the width of the window. The first query that matches decides. */
export interface RowHeights {
  readonly from: readonly (readonly [media: string, px: number])[]
  readonly otherwise: number
}

/** @param heights always the same object */
export function useRowHeight({ from, otherwise }: RowHeights): number {
  const all = useMemo(() => from.map(([media, px]) => [matchMedia(media), px] as const), [from])
  const read = () => all.find(([{ matches }]) => matches)?.[1] ?? otherwise
  const [px, setPx] = useState(read)
  useEffect(() => {
    const change = () => setPx(read)
    for (const [query] of all) query.addEventListener('change', change)
    return () => {
      for (const [query] of all) query.removeEventListener('change', change)
    }
  }, [all])
  return px
}
