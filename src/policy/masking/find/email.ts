import type { Matched, Subject } from './subject.ts'

/** Bits of what a byte can be. */
const WORD = 1
const LOCAL = 2

const KINDS = kinds()

/**
 * E-mail addresses, from each `@` to both sides: a regular expression would begin anew at each word of a long text that
 * has no `@`, which is quadratic.
 */
export function findEmails({ text }: Subject, from: number, found: Matched): undefined {
  let limit = from
  for (let at = text.indexOf('@', from); at !== -1; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, limit, at)
    const end = start === undefined ? undefined : hostEnd(text, at + 1)
    if (start === undefined || end === undefined) continue
    found(start, end)
    limit = end
  }
  return undefined
}

/** Where the local part begins: at the first word boundary. Dots stand inside only. */
function localStart(text: string, limit: number, at: number): number | undefined {
  if (at === limit || !is(text, at - 1, LOCAL)) return undefined
  let start = at
  while (start > limit && (is(text, start - 1, LOCAL) || text[start - 1] === '.')) start--
  for (; start < at; start++) {
    if (is(text, start, LOCAL) && is(text, start - 1, WORD) !== is(text, start, WORD)) return start
  }
  return undefined
}

/** Where the labels end, which are joined by `.` or `-`. At least one dot is among them. */
function hostEnd(text: string, start: number): number | undefined {
  let end = start
  let dots = 0
  for (;;) {
    const label = end
    while (is(text, end, WORD)) end++
    if (end === label) return undefined
    const isJoined = (text[end] === '.' || text[end] === '-') && is(text, end + 1, WORD)
    if (!isJoined) return dots > 0 ? end : undefined
    if (text[end] === '.') dots++
    end++
  }
}

function is(text: string, offset: number, kind: number): boolean {
  return ((KINDS[text.charCodeAt(offset)] ?? 0) & kind) !== 0
}

function kinds(): Uint8Array {
  const table = new Uint8Array(256)
  for (let byte = 0; byte < 128; byte++) {
    const letter = String.fromCharCode(byte)
    if (/\w/.test(letter)) table[byte] = WORD | LOCAL
    else if ("!#$%&'*+-/=?^`{|}~".includes(letter)) table[byte] = LOCAL
  }
  return table
}
