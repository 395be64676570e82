import { readSessions } from '../../api/gateway.ts'
import type { ListedSession, SessionList } from '../../api/types.ts'

import { usePages, type PagedList } from '../../parts/lists/pages.ts'

/** Largest offset that the gateway accepts. */
const FURTHEST = 10_000

interface More {
  readonly isCapped: boolean
  readonly search: ParameterSearch
  readonly lookedAt: LookedAt
}

const SESSIONS: PagedList<ListedSession, More> = {
  topics: ['sessions'],
  read: async (query, { index, size }, signal) => {
    query.set('limit', String(size))
    query.set('offset', String(index * size))
    const answer = await readSessions(query.toString(), signal)
    const { data, total, total_is_capped: isCapped, parameter_search: search, looked_at: lookedAt } = answer
    const count = Math.min(total ?? data.length, FURTHEST)
    return { items: data, count, more: { isCapped, search, lookedAt } }
  },
}

export type ParameterSearch = SessionList['parameter_search']
export type LookedAt = SessionList['looked_at']

/** `query` contains no limit and no offset. */
export function useSessionPages(query: string) {
  const { more, ...pages } = usePages(query, SESSIONS)
  return { ...pages, isCapped: more?.isCapped, search: more?.search, lookedAt: more?.lookedAt }
}
