import { signal } from '@preact/signals'
import { useCallback, useEffect, useMemo } from 'preact/hooks'
import { changesOf, type Topic } from '../../api/changes.ts'
import { asRefused, isAbort, type Refused } from '../../api/request.ts'

/** Maximum number of items that the gateway sends in one answer. */
const PAGE = 100

/** `items` are the items of one page. `count` is the number of items in the whole list. */
interface Page<Item, More> {
  readonly items: readonly Item[]
  readonly count: number
  /** Other facts about the list that the answer contains. */
  readonly more: More
}

export interface PagedList<Item, More> {
  /** Reads a page. `query` does not contain the page. The first page has the index 0. */
  readonly read: (
    query: URLSearchParams,
    page: { readonly index: number; readonly size: number },
    signal: AbortSignal,
  ) => Promise<Page<Item, More>>
  /** Topics whose changes make the list load again. */
  readonly topics: readonly Topic[]
}

interface PagesState<More> {
  readonly count?: number
  readonly more?: More
  readonly error?: Refused
}

/** Loads a page when its rows become visible. */
class Pages<Item, More> {
  readonly state = signal<PagesState<More>>({})
  readonly #query: string
  readonly #list: PagedList<Item, More>
  readonly #pages = new Map<number, readonly Item[]>()
  readonly #ended = new AbortController()
  #first = 0
  #end = 1

  constructor(query: string, list: PagedList<Item, More>) {
    this.#query = query
    this.#list = list
  }

  row(index: number): Item | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE]
  }

  /** Loads the missing pages of these rows. */
  look(first: number, end: number): void {
    this.#first = first
    this.#end = end
    for (const page of this.#visible()) if (!this.#pages.has(page)) this.#begin(page)
  }

  /** Loads the visible pages again and drops all others, because new items have moved all rows. */
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

  #begin(index: number): void {
    if (!this.#pages.has(index)) this.#pages.set(index, [])
    this.#read(index).catch((error: unknown) => {
      if (!isAbort(error)) this.state.value = { ...this.state.value, error: asRefused(error) }
    })
  }

  async #read(index: number): Promise<void> {
    const asked = new URLSearchParams(this.#query)
    const { items, count, more } = await this.#list.read(asked, { index, size: PAGE }, this.#ended.signal)
    this.#pages.set(index, items)
    this.state.value = { count, more }
  }
}

/** Loads a list of any length. `query` has no page; `list` must be the same object in all renderings. */
export function usePages<Item, More>(query: string, list: PagedList<Item, More>) {
  const pages = useMemo(() => new Pages(query, list), [query, list])
  const changes = changesOf(list.topics)
  useEffect(() => pages.refresh(), [pages, changes])
  useEffect(() => () => pages.end(), [pages])
  const look = useCallback((first: number, end: number) => pages.look(first, end), [pages])
  const refresh = useCallback(() => pages.refresh(), [pages])
  return { ...pages.state.value, row: (index: number) => pages.row(index), look, refresh }
}
