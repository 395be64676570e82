/** Options of a URL as fastify reads them: a text, or a list of texts. */
export type Query = Readonly<Record<string, unknown>>

/** When an option is given twice, the first one counts. */
export function firstOption(query: Query, option: string): string | undefined {
  const given = query[option]
  const [value] = Array.isArray(given) ? (given as unknown[]) : [given]
  return typeof value === 'string' ? value : undefined
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
