import type { ListedSession } from '../../api/types.ts'
import { splitPath } from '../../parts/paths.ts'
import { titleOf } from './list.tsx'

type Named = Pick<ListedSession, 'labels' | 'verb' | 'start_date'>

/** Of what is downloaded: `refund-order-2026-11-28-1703.txt`, by the clock of the reader. */
export function downloadName(session: Named, ending: string): string {
  const { name } = splitPath(titleOf(session))
  const base = name.replace(/\.runbook(?:\.\w+)?$/, '').replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
  const start = new Date(session.start_date)
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
