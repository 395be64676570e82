/** Options of a URL as fastify reads them: a text, or a list of texts. */
export type Query = Readonly<Record<string, unknown>>

/** When an option is given twice, the first one counts. */
export function firstOption(query: Query, option: string): string | undefined {
  const given = query[option]
  const [value] = Array.isArray(given) ? (given as unknown[]) : [given]
  return typeof value === 'string' ? value : undefined
}
