import { signal } from '@preact/signals'
import { useCallback, useEffect, useMemo } from 'preact/hooks'
import { changesOf } from '../../api/changes.ts'
import { readSessions } from '../../api/gateway.ts'
import { asRefused, isAbort, type Refused } from '../../api/request.ts'
import type { ListedSession } from '../../api/types.ts'

/** Sessions in one answer; the gateway gives no more. */
const PAGE = 100
/** The gateway looks no further back. */
const FURTHEST = 10_000

/** The sessions that a query finds, page by page, as they are looked at. */
class SessionPages {
  readonly state = signal<{ count?: number; isCapped?: boolean; error?: Refused }>({})
  readonly #query: string
  readonly #pages = new Map<number, readonly ListedSession[]>()
  readonly #ended = new AbortController()
  #first = 0
  #end = 1

  constructor(query: string) {
    this.#query = query
  }

  row(index: number): ListedSession | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE]
  }

  /** Reads the pages of these rows, where they are not there yet. */
  look(first: number, end: number): void {
    this.#first = first
    this.#end = end
    for (const page of this.#visible()) if (!this.#pages.has(page)) this.#begin(page)
  }

  /** Reads again what is looked at, and forgets the rest: new sessions have moved all of it. */
  refresh(): void {
    const visible = this.#visible()
    for (const page of this.#pages.keys()) if (!visible.includes(page)) this.#pages.delete(page)
    for (const page of visible) this.#begin(page)
  }

  end(): void {
    this.#ended.abort()
  }

  #visible(): number[] {
    const first = Math.floor(this.#first / PAGE)
    const last = Math.floor(Math.max(this.#first, this.#end - 1) / PAGE)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  }

  #begin(page: number): void {
    if (!this.#pages.has(page)) this.#pages.set(page, [])
    this.#read(page).catch((error: unknown) => {
      if (!isAbort(error)) this.state.value = { ...this.state.value, error: asRefused(error) }
    })
  }

  async #read(page: number): Promise<void> {
    const asked = new URLSearchParams(this.#query)
    asked.set('limit', String(PAGE))
    asked.set('offset', String(page * PAGE))
    const {
      data,
      total,
      total_is_capped: isCapped,
    } = await readSessions(asked.toString(), this.#ended.signal)
    this.#pages.set(page, data)
    this.state.value = { count: Math.min(total ?? data.length, FURTHEST), isCapped }
  }
}

/** @param query for the gateway, without limit and offset */
export function useSessionPages(query: string) {
  const pages = useMemo(() => new SessionPages(query), [query])
  const changes = changesOf(['sessions'])
  useEffect(() => pages.refresh(), [pages, changes])
  useEffect(() => () => pages.end(), [pages])
  const look = useCallback((first: number, end: number) => pages.look(first, end), [pages])
  return { ...pages.state.value, row: (index: number) => pages.row(index), look }
}
