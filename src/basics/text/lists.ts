/** Joins the names of a sentence: `a, b and c`. */
export function andText(names: readonly string[]): string {
  return joined(names, 'and')
}

/** `a, b or c`. */
export function orText(names: readonly string[]): string {
  return joined(names, 'or')
}

/** Says which groups have to approve: `1 of dba, leads`, or `dba and leads` if all of them have to. */
export function groupsText(groups: readonly string[], minimum: number): string {
  return minimum < groups.length ? `${minimum} of ${groups.join(', ')}` : andText(groups)
}

function joined(names: readonly string[], word: string): string {
  const [last = ''] = names.slice(-1)
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} ${word} ${last}`
}
