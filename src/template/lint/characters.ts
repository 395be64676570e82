/** Characters that a value can contain: ASCII codes, and BEYOND for all others. */
export type Characters = ReadonlySet<number>

/** Stands for every character that is not ASCII. */
const BEYOND = 128

export function charactersIn(text: string): Characters {
  return new Set(Array.from(text, (character) => Math.min(character.codePointAt(0) ?? 0, BEYOND)))
}

function span(first: string, last: string): string {
  const start = first.charCodeAt(0)
  return String.fromCharCode(...Array.from({ length: last.charCodeAt(0) - start + 1 }, (_, at) => start + at))
}

export const DIGITS = charactersIn(span('0', '9'))
export const WORD = charactersIn(`${span('a', 'z')}${span('A', 'Z')}${span('0', '9')}_`)
export const BASE64 = charactersIn(`${span('a', 'z')}${span('A', 'Z')}${span('0', '9')}+/=`)
export const URL_QUERY = charactersIn(`${span('a', 'z')}${span('A', 'Z')}${span('0', '9')}-_.~%+`)
export const NUMBER = charactersIn(`${span('0', '9')}+-.eE`)

export function union(...sets: readonly Characters[]): Characters {
  return new Set(sets.flatMap((set) => [...set]))
}

export function intersection(left: Characters, right: Characters): Characters {
  return new Set([...left].filter((code) => right.has(code)))
}

/** The first character that is not in a set, in words for people; undefined when all are in it. */
export function firstOutside(characters: Characters, allowed: Characters): string | undefined {
  const code = [...characters].sort((a, b) => a - b).find((one) => !allowed.has(one))
  if (code === undefined) return undefined
  if (code === BEYOND) return 'characters that are not ASCII'
  return code === 0x20 ? 'a blank' : JSON.stringify(String.fromCharCode(code))
}
