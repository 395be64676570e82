import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { asRefused, isAbort } from '../api/request.ts'
import type { RowsAt } from './all-rows.ts'
import { textOfRow } from './ansi/row.ts'

/** Maximum number of counted hits. A user with so many hits will search for something else. */
const MAX_HITS = 10_000

export interface Search {
  readonly text: string
  readonly setText: (text: string) => void
  readonly current: number | undefined
  readonly summary: string
  readonly next: () => void
  readonly previous: () => void
}

/** Reads all rows of a text, part by part. Pass the same function in every rendering. */
export type ReadRows = (signal: AbortSignal) => AsyncIterable<RowsAt>

/** Searches all rows. `show` scrolls to a row. */
export function useSearch(read: ReadRows, show: (row: number) => void): Search {
  const [text, setText] = useState('')
  const [found, setFound] = useState<readonly number[]>([])
  const [index, setIndex] = useState(0)
  const [isSearching, setSearching] = useState(false)
  const [failure, setFailure] = useState('')
  const latestShow = useRef(show)
  latestShow.current = show
  useEffect(() => {
    setFound([])
    setIndex(0)
    setFailure('')
    if (text === '') return undefined
    const ended = new AbortController()
    setSearching(true)
    void searchAll(read, text, ended.signal, (rows) => {
      if (rows[0] !== undefined) latestShow.current(rows[0])
      setFound(rows)
    })
      .catch((error: unknown) => {
        if (!isAbort(error))
          setFailure(`only a part of the output was searched:  ${asRefused(error).message}`)
      })
      .finally(() => !ended.signal.aborted && setSearching(false))
    return () => ended.abort()
  }, [read, text])
  const step = useCallback(
    (by: number) => {
      if (found.length === 0) return
      const next = (index + by + found.length) % found.length
      setIndex(next)
      latestShow.current(found[next] ?? 0)
    },
    [found, index],
  )
  const summary = failure === '' ? summaryOf(text, found.length, index, isSearching) : failure
  const next = useCallback(() => step(1), [step])
  const previous = useCallback(() => step(-1), [step])
  return useMemo(
    () => ({ text, setText, current: found[index], summary, next, previous }),
    [text, found, index, summary, next, previous],
  )
}

function summaryOf(text: string, count: number, index: number, isSearching: boolean): string {
  if (text === '') return ''
  if (count === 0) return isSearching ? 'searching …' : 'nothing found'
  const more = count >= MAX_HITS ? ' or more' : ''
  return `${index + 1} of ${count}${more}${isSearching ? ' …' : ''}`
}

/** Calls `tell` after the first hit and at the end. */
async function searchAll(
  read: ReadRows,
  text: string,
  signal: AbortSignal,
  tell: (rows: readonly number[]) => void,
): Promise<void> {
  const wanted = text.toLowerCase()
  const found: number[] = []
  for await (const { firstRow, rows } of read(signal)) {
    const before = found.length
    for (const [offset, row] of rows.entries())
      if (textOfRow(row).toLowerCase().includes(wanted)) found.push(firstRow + offset)
    if (before === 0 && found.length > 0) tell([...found])
    if (found.length >= MAX_HITS) break
  }
  signal.throwIfAborted()
  tell(found.slice(0, MAX_HITS))
}
