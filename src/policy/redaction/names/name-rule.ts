const RULE = /^!?[A-Za-z0-9_.*-]+$/

/** A user's rule for the variables whose names match. */
export interface NameRule {
  readonly readable: boolean
  /**
   * Upper-case parts that stand in the name in this order, with anything between them. The first and the last are
   * anchored.
   */
  readonly literals: readonly string[]
}

/**
 * Parses `CUSTOMER_ID`, `*_ID` (secret) or `!APP_*` (readable). A `*` stands for any characters, or none; case does not
 * matter. Undefined: not a rule.
 */
export function parseNameRule(text: string): NameRule | undefined {
  if (!RULE.test(text)) return undefined
  const readable = text.startsWith('!')
  const glob = readable ? text.slice(1) : text
  return { readable, literals: glob.toUpperCase().split('*') }
}

/** Not a regular expression, which would take very long with many stars. */
export function matchesName({ literals }: NameRule, name: string): boolean {
  const rest = name.toUpperCase()
  const [first = '', ...others] = literals
  const last = others.pop()
  if (last === undefined) return rest === first
  if (!rest.startsWith(first)) return false
  let at = first.length
  for (const literal of others) {
    const found = rest.indexOf(literal, at)
    if (found < 0) return false
    at = found + literal.length
  }
  return rest.length - last.length >= at && rest.endsWith(last)
}
