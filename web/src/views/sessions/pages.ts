import { readSessions } from '../../api/gateway.ts'
import type { ListedSession, SessionList } from '../../api/types.ts'

import { usePages, type PagedList } from '../../parts/lists/pages.ts'

/** Largest offset that the gateway accepts. */
const FURTHEST = 10_000

const SESSIONS: PagedList<ListedSession, { readonly isCapped: boolean; readonly search: ParameterSearch }> = {
  topics: ['sessions'],
  read: async (query, { index, size }, signal) => {
    query.set('limit', String(size))
    query.set('offset', String(index * size))
    const answer = await readSessions(query.toString(), signal)
    const { data, total, total_is_capped: isCapped, parameter_search: search } = answer
    return { items: data, count: Math.min(total ?? data.length, FURTHEST), more: { isCapped, search } }
  },
}

export type ParameterSearch = SessionList['parameter_search']

/** `query` contains no limit and no offset. */
export function useSessionPages(query: string) {
  const { more, ...pages } = usePages(query, SESSIONS)
  return { ...pages, isCapped: more?.isCapped, search: more?.search }
}
