import { parseListen, type Listen } from '../basics/net/listen.ts'
import { Secret } from '../basics/secret.ts'
import { parseDuration, parseSize } from '../basics/text/units.ts'

/** What a setting's text may be and what it becomes. */
export interface Kind<T> {
  /** Completes "output.cap must be ...". */
  readonly expected: string
  /** What stands for the value in a usage text; a flag without one takes no value. */
  readonly placeholder?: string
  /** Undefined when the text is not of this kind. Never undefined for any other reason. */
  readonly parse: (text: string) => T | undefined
}

export const sizeKind: Kind<number> = {
  expected: 'a size such as 512KiB or 10MiB, or 0',
  placeholder: 'size',
  parse: parseSize,
}

/** 24.8 days. A timer of Node's that is set for longer fires at once: a drain of 30d would kill everything. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const durationKind: Kind<number> = {
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

/** The same, for a JWT. */
export const svidFile: Kind<string> = {
  expected: 'the path of a file that holds a JWT-SVID, not the SVID itself',
  placeholder: 'file',
  parse: (text) => (text === '' || /^eyJ|:\/\//.test(text) ? undefined : text),
}

/** A file of the user's, a value in base64, or the text as it is. What it holds is looked at later. */
export const pem: Kind<string> = {
  expected: 'PEM text, file://PATH or base64://TEXT',
  placeholder: 'pem',
  parse: (text) => (text === '' ? undefined : text),
}

export const serverName: Kind<string> = {
  expected: 'the name of a host',
  placeholder: 'name',
  parse: (text) => (/^[\w.:-]{1,253}$/.test(text) ? text : undefined),
}

export const gatewayUrl: Kind<string> = {
  expected: "the gateway's address, host:port",
  placeholder: 'address',
  parse: (text) => (/^[\x21-\x7e]+$/.test(text) && !text.includes('@') ? text : undefined),
}

/** One line without control characters. */
export const label: Kind<string> = {
  expected: 'one line of text',
  placeholder: 'name',
  parse: (text) => (text === '' || /\p{Cc}/u.test(text) ? undefined : text),
}

const NAME_RULE = /^!?[\w.*-]+$/

/** Separated by commas. */
export const nameRules: Kind<readonly string[]> = {
  expected: 'names of variables separated by commas, * stands for any letters, ! in front for "not a secret"',
  placeholder: 'names',
  parse: (text) => {
    const rules = text.split(',').map((rule) => rule.trim())
    return rules.every((rule) => NAME_RULE.test(rule)) ? rules : undefined
  },
}

export const listen: Kind<Listen> = {
  expected: 'a port or host:port such as 127.0.0.1:9100',
  placeholder: 'address',
  parse: parseListen,
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
