/** Shorter texts would also be found where they mean nothing. This holds for every form of a secret, too. */
export const SHORTEST_SECRET_BYTES = 6
/** Single lines are shorter than the whole, and more likely to be something ordinary. */
const MIN_LINE_BYTES = 8
const LINE_BREAK = /\r?\n$/
const PEM_BOUNDARY = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/

/** The scheme may have a prefix: `jdbc:mysql://`. */
const URL_START = /^\s*[a-z][a-z0-9+.:-]*:\/\//i
const AUTHORITY_END = /[/?#]/
const PERCENT_ENCODED = /%([0-9a-f]{2})/gi

/**
 * The texts that must not appear because of one secret value: the whole without its last line break (which would join
 * it to what follows), and each of its lines. Nothing for a value shorter than 6 bytes.
 */
export function secretTexts(value: Buffer): Buffer[] {
  // latin1 has one character per byte, so offsets stay the same.
  const text = value.toString('latin1').replace(LINE_BREAK, '')
  if (text.length < SHORTEST_SECRET_BYTES) return []
  return distinct([text, ...linesOf(text)])
}

/** The password of `scheme://user:password@host`, as written and decoded, from 6 bytes on. Never throws. */
export function passwordsInUrl(value: Buffer): Buffer[] {
  const text = value.toString('latin1')
  const start = URL_START.exec(text)
  if (start === null) return []
  const userinfo = userinfoOf(text.slice(start[0].length))
  const colon = userinfo.indexOf(':')
  if (colon < 0) return []
  const password = userinfo.slice(colon + 1)
  return distinct([password, decoded(password)].filter(({ length }) => length >= SHORTEST_SECRET_BYTES))
}

/** Lines without PEM boundaries, which everybody knows. */
function linesOf(text: string): string[] {
  if (!text.includes('\n')) return []
  return text
    .split('\n')
    .map(trimmed)
    .filter((line) => line.length >= MIN_LINE_BYTES && !PEM_BOUNDARY.test(line))
}

/** String.trim would also remove 0xA0, which may be half of a character here. */
function trimmed(line: string): string {
  let [start, end] = [0, line.length]
  while (start < end && isBlank(line[start])) start += 1
  while (end > start && isBlank(line[end - 1])) end -= 1
  return line.slice(start, end)
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r'
}

/** An `@` in the password is common. Some clients allow a `/` in it, too; then the userinfo ends at the first `@`. */
function userinfoOf(rest: string): string {
  const authority = rest.split(AUTHORITY_END, 1)[0] ?? ''
  const end = authority.lastIndexOf('@')
  return rest.slice(0, end >= 0 ? end : Math.max(rest.indexOf('@'), 0))
}

function decoded(text: string): string {
  return text.replace(PERCENT_ENCODED, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
}

function distinct(texts: readonly string[]): Buffer[] {
  return [...new Set(texts)].map((text) => Buffer.from(text, 'latin1'))
}
