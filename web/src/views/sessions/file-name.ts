import { splitPath } from '../../parts/paths.ts'

/**
 * The name of what is downloaded: `refund-order-2026-11-28-1703.txt`, by the clock of the reader.
 * @param title the runbook's file, or what else has run
 */
export function downloadName(title: string, startDate: string, ending: string): string {
  const { name } = splitPath(title)
  const base = name.replace(/\.runbook(?:\.\w+)?$/, '').replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
  const start = new Date(startDate)
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
