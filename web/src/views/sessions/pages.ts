import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { changesOf } from '../../api/changes.ts'
import { readSessions } from '../../api/gateway.ts'
import { asRefused, isAbort, type Refused } from '../../api/request.ts'
import type { ListedSession } from '../../api/types.ts'

/** Of one request; the gateway gives no more. */
const PAGE = 100
/** The gateway looks no further back. */
const FURTHEST = 10_000

export interface SessionPages {
  readonly count: number | undefined
  readonly isCapped: boolean
  readonly row: (index: number) => ListedSession | undefined
  /** Told which rows are looked at: their pages are read. */
  readonly look: (first: number, end: number) => void
  readonly error: Refused | undefined
}

/** The sessions that a query finds, page by page, as they are looked at. */
export function useSessionPages(query: string): SessionPages {
  const pages = useRef(new Map<number, readonly ListedSession[]>())
  const window = useRef({ first: 0, end: 1 })
  const [state, setState] = useState<{ count?: number; isCapped?: boolean; error?: Refused; version: number }>({
    version: 0,
  })
  const changes = changesOf(['sessions'])
  const ended = useRef(new AbortController())
  const read = useCallback(
    async (page: number, signal: AbortSignal) => {
      try {
        const asked = new URLSearchParams(query)
        asked.set('limit', String(PAGE))
        asked.set('offset', String(page * PAGE))
        const { data, total, total_is_capped: isCapped } = await readSessions(asked.toString(), signal)
        pages.current.set(page, data)
        setState(({ version }) => ({
          count: Math.min(total ?? data.length, FURTHEST),
          isCapped,
          version: version + 1,
        }))
      } catch (failure) {
        if (!isAbort(failure)) setState((before) => ({ ...before, error: asRefused(failure) }))
      }
    },
    [query],
  )
  const lookAgain = useCallback(
    (isAnew: boolean) => {
      const { first, end } = window.current
      const { signal } = ended.current
      for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, end - 1) / PAGE); page++)
        if (isAnew || !pages.current.has(page)) {
          if (!pages.current.has(page)) pages.current.set(page, [])
          void read(page, signal)
        }
    },
    [read],
  )
  useEffect(() => {
    pages.current = new Map()
    setState({ version: 0 })
  }, [query])
  useEffect(() => {
    ended.current = new AbortController()
    for (const page of pages.current.keys()) if (!isNear(page, window.current)) pages.current.delete(page)
    lookAgain(true)
    return () => ended.current.abort()
  }, [lookAgain, changes])
  const look = useCallback(
    (first: number, end: number) => {
      window.current = { first, end }
      lookAgain(false)
    },
    [lookAgain],
  )
  const row = (index: number) => pages.current.get(Math.floor(index / PAGE))?.[index % PAGE]
  return { count: state.count, isCapped: state.isCapped === true, row, look, error: state.error }
}

function isNear(page: number, { first, end }: { readonly first: number; readonly end: number }): boolean {
  return page >= Math.floor(first / PAGE) && page <= Math.floor(end / PAGE)
}
