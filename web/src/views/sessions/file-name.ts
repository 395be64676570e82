import type { ListedSession } from '../../api/types.ts'
import { shortName } from '../../parts/paths.ts'

type NamedSession = Pick<ListedSession, 'labels' | 'verb' | 'start_date' | 'began_at'>

/** Returns a file name such as `refund-order-2026-11-28-1703.txt`. The time is in the reader's time zone. */
export function downloadName(session: NamedSession, ending: string): string {
  const { labels, verb, start_date: asked, began_at: began } = session
  const name = shortName(labels?.['runbookFile'] ?? (verb === 'connect' ? 'terminal' : 'script'))
  const base = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
  const start = new Date(began ?? asked)
  const [year, month, day, hour, minute] = [
    start.getFullYear(),
    start.getMonth() + 1,
    start.getDate(),
    start.getHours(),
    start.getMinutes(),
  ].map((part) => String(part).padStart(2, '0'))
  const time = Number.isNaN(start.getTime()) ? '' : `-${year}-${month}-${day}-${hour}${minute}`
  return `${base.replaceAll(/^[.-]+|[.-]+$/g, '') || 'session'}${time}.${ending}`
}
