/**
 * Tests whether a text begins with the first part, ends with the last part, and has the others in order in between.
 * Takes time in proportion to the text. A regular expression would take very long with many stars.
 * @param parts the texts between the stars of a pattern, as `pattern.split('*')` gives them
 */
export function hasParts([first = '', ...others]: readonly string[], text: string): boolean {
  const last = others.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const part of others) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}
