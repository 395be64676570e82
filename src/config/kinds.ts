import { Secret } from '../basics/secret.ts'
import { parseDuration, parseSize } from '../basics/units.ts'

/** What a setting's text may be and what it becomes. */
export interface Kind<T> {
  /** Completes "output.cap must be ...". */
  readonly expected: string
  /** What stands for the value in a usage text; a flag without one takes no value. */
  readonly placeholder?: string
  /** Undefined when the text is not of this kind. Never undefined for any other reason. */
  readonly parse: (text: string) => T | undefined
}

export const size: Kind<number> = {
  expected: 'a size such as 512KiB or 10MiB, or 0',
  placeholder: 'size',
  parse: parseSize,
}

/** 24.8 days. A timer of Node's that is set for longer fires at once: a drain of 30d would kill everything. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const duration: Kind<number> = {
  expected: 'a duration such as 500ms, 10s or 5m, of 24 days at most',
  placeholder: 'duration',
  parse: (text) => {
    const ms = parseDuration(text)
    return ms !== undefined && ms <= LONGEST_TIMER_MS ? ms : undefined
  },
}

export const count: Kind<number> = {
  expected: 'a whole number from 1 to 999999',
  placeholder: 'count',
  parse: (text) => (/^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined),
}

export const boolean: Kind<boolean> = {
  expected: 'true or false',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
}

export const folder: Kind<string> = {
  expected: 'the path of a folder',
  placeholder: 'folder',
  parse: (text) => (text === '' ? undefined : text),
}

/** A path where somebody may well put the key itself, which no message about the file may then show. */
export const keyFile: Kind<string> = {
  expected: 'the path of a file that holds the key, not the key itself',
  placeholder: 'file',
  parse: (text) => (text === '' || /:\/\/|^xagt-/.test(text) ? undefined : text),
}

export const secret: Kind<Secret> = {
  expected: 'a text',
  parse: (text) => (text === '' ? undefined : new Secret(text)),
}

/** One of some words, in any case; a word may be another spelling of the same value. */
export function choice<const T extends string>(words: Readonly<Record<string, T>>): Kind<T> {
  const known = Object.keys(words)
  return {
    expected: `${known.slice(0, -1).join(', ')} or ${known.at(-1) ?? ''}`,
    placeholder: [...new Set(Object.values(words))].join('|'),
    parse: (text) => (known.includes(text.toLowerCase()) ? words[text.toLowerCase()] : undefined),
  }
}
