import { useEffect, useState } from 'preact/hooks'

/** In a narrower window a row has two lines. The styles of the rows have the same width. */
const HAS_LINES = matchMedia('(min-width: 60.01rem)')

/** Returns the height of a row in pixels, for rows of one line or of two lines. */
export function useRowHeight(linePx: number, twoLinesPx: number): number {
  const [isWide, setIsWide] = useState(HAS_LINES.matches)
  useEffect(() => {
    const change = () => setIsWide(HAS_LINES.matches)
    HAS_LINES.addEventListener('change', change)
    return () => HAS_LINES.removeEventListener('change', change)
  }, [])
  return isWide ? linePx : twoLinesPx
}
