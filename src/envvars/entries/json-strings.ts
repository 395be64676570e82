/** The members by name, or what is wrong; the reason never quotes the text. */
export type JsonStrings =
  | { readonly members: ReadonlyMap<string, string>; readonly problem?: never }
  | { readonly problem: string; readonly members?: never }

/**
 * Reads a JSON object of strings. One value of another type makes all of it invalid, as in hoop. A null counts as
 * missing (in hoop it is the empty string, which no program should get instead of a secret).
 */
export function parseJsonStrings(text: string): JsonStrings {
  const parsed = parse(text)
  if (parsed === undefined) return { problem: 'it is not JSON' }
  if (!isObject(parsed)) return { problem: 'it is not a JSON object' }
  const members = new Map<string, string>()
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value === 'string') members.set(name, value)
    else if (value !== null) return { problem: 'not every value in it is a string' }
  }
  return { members }
}

/** Undefined for what is not JSON. V8's error would quote the text. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
