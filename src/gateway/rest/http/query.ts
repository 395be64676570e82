import { HttpError } from './http-error.ts'

/** Options of a URL as fastify reads them: a text, or a list of texts. */
export type Query = Readonly<Record<string, unknown>>

/** When an option is given twice, the first one counts. */
export function firstOption(query: Query, option: string): string | undefined {
  const given = query[option]
  const [value] = Array.isArray(given) ? (given as unknown[]) : [given]
  return typeof value === 'string' ? value : undefined
}

/** The value of an option; an empty one counts as missing. */
export function filledOption(query: Query, option: string): string | undefined {
  const given = firstOption(query, option)
  return given === '' ? undefined : given
}

/** @throws HttpError 422 with hoop's text */
export function numberOption(query: Query, name: string, most: number, least = 1): number | undefined {
  const text = filledOption(query, name)
  if (text === undefined) return undefined
  const number = /^\d{1,15}$/.test(text) ? Number(text) : -1
  if (number >= least && number <= most) return number
  const range = name === 'page_size' ? `between ${least} and ${most}` : `>= ${least}`
  throw new HttpError(
    'invalid-request',
    `${name} must be ${number > most && name === 'page' ? `<= ${most}` : range}`,
    422,
  )
}

const DEFAULT_SIZE = 50
const MAX_SIZE = 100

export const pageSize = (query: Query) => numberOption(query, 'page_size', MAX_SIZE) ?? DEFAULT_SIZE

/** The form of a list's answer where pages are asked for. */
interface Paged<T> {
  readonly pages: { readonly total: number; readonly page: number; readonly size: number }
  readonly data: readonly T[]
}

/** The whole list, or one page where the caller asks for a page or a size, as hoop does. @throws HttpError 422 */
export function pageOf<T>(query: Query, list: readonly T[]): readonly T[] | Paged<T> {
  if (['page', 'page_size'].every((option) => filledOption(query, option) === undefined)) return list
  const page = numberOption(query, 'page', Number.MAX_SAFE_INTEGER) ?? 1
  const size = pageSize(query)
  const data = list.slice((page - 1) * size, page * size)
  return { pages: { total: list.length, page, size }, data }
}

/** Go's time.RFC3339. */
const RFC3339 =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(\d\d))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d+)?(?:Z|[+-]\d\d:[0-5]\d)$/

/** Undefined for what is no such time. */
export function momentIn(text: string): Date | undefined {
  const [, day, ofMonth] = RFC3339.exec(text) ?? []
  const date = new Date(text.replace(',', '.'))
  // JavaScript would take the 30th of February for the 1st of March.
  const isDay = day !== undefined && new Date(`${day}T00:00:00Z`).getUTCDate() === Number(ofMonth)
  return isDay && !Number.isNaN(date.getTime()) ? date : undefined
}
