const RULE = /^!?[A-Za-z0-9_.*-]+$/

/** A user's word on the variables whose names match. */
export interface NameRule {
  readonly readable: boolean
  /** Upper-case literals that stand in the name in this order, anything between them; the first and last anchored. */
  readonly literals: readonly string[]
}

/**
 * Parses `CUSTOMER_ID`, `*_ID` (secret) or `!APP_*` (readable). A `*` stands for any characters, none too; upper
 * and lower case are the same. undefined: not a rule.
 */
export function parseNameRule(text: string): NameRule | undefined {
  if (!RULE.test(text)) return undefined
  const readable = text.startsWith('!')
  const glob = readable ? text.slice(1) : text
  return { readable, literals: glob.toUpperCase().split('*') }
}

/** Not a regular expression: with many stars that would take very long. */
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
