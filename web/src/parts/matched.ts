/**
 * Returns the decoded values for each `:name` and for a `*` at the end. Returns undefined when the address is
 * another view's.
 */
export function matched(pattern: string, pathname: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split('/')
  const given = pathname.replace(/(?<=.)\/$/, '').split('/')
  const found: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    if (part === '*') {
      found['rest'] = given.slice(index).map(decoded).join('/')
      return given.length > index ? found : undefined
    }
    const value = given[index]
    if (value === undefined || value === '') {
      if (part !== value) return undefined
    } else if (part.startsWith(':')) found[part.slice(1)] = decoded(value)
    else if (part !== value) return undefined
  }
  return given.length === wanted.length ? found : undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
