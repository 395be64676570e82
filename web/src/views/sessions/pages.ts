import { readSessions } from '../../api/gateway.ts'
import type { ListedSession } from '../../api/types.ts'
import { usePages, type PagedList } from '../../parts/lists/pages.ts'

/** Largest offset that the gateway accepts. */
const FURTHEST = 10_000

const SESSIONS: PagedList<ListedSession, { readonly isCapped: boolean }> = {
  topics: ['sessions'],
  read: async (query, { index, size }, signal) => {
    query.set('limit', String(size))
    query.set('offset', String(index * size))
    const { data, total, total_is_capped: isCapped } = await readSessions(query.toString(), signal)
    return { items: data, count: Math.min(total ?? data.length, FURTHEST), more: { isCapped } }
  },
}

/** `query` contains no limit and no offset. */
export function useSessionPages(query: string) {
  const { more, ...pages } = usePages(query, SESSIONS)
  return { ...pages, isCapped: more?.isCapped }
}
