/** Names of which `*` stands for any characters, also none. A pattern takes time in proportion to the name. */
export class AllowList {
  readonly #patterns: readonly string[]

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
  }

  has(name: string): boolean {
    return this.#patterns.some((pattern) => matches(pattern.split('*'), name))
  }
}

/** @param parts what stands between the asterisks */
function matches([first = '', ...rest]: readonly string[], name: string): boolean {
  const last = rest.pop()
  if (last === undefined) return name === first
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= name.length - last.length
}
