import { parseListen, type Address } from '../basics/net/address.ts'
import { Secret } from '../basics/secret.ts'
import {
  booleanJson,
  durationJson,
  type JsonSchema,
  sizeJson,
  textJson,
  wordsJson,
} from '../basics/settings/json-schema.ts'
import { parseDuration, parseSize } from '../basics/text/units.ts'

/** What a setting's text may be and what it becomes. */
export interface Kind<T> {
  /** Completes "output.cap must be ...". */
  readonly expected: string
  /** What stands for the value in a usage text; a flag without one takes no value. */
  readonly placeholder?: string
  /** Undefined when the text is not of this kind. Never undefined for any other reason. */
  readonly parse: (text: string) => T | undefined
  /** The same for editors, as far as a pattern can say it. */
  readonly json: JsonSchema
}

/** Not an empty one. Written so that the patterns of other languages mean the same. */
const TEXT = /[\s\S]/

/** A text that stays as it is. */
function matching(pattern: RegExp, expected: string, placeholder: string): Kind<string> {
  const parse = (text: string): string | undefined => (pattern.test(text) ? text : undefined)
  return { expected, placeholder, parse, json: textJson(pattern) }
}

export const sizeKind: Kind<number> = {
  expected: 'a size such as 512KiB or 10MiB, or 0',
  placeholder: 'size',
  parse: parseSize,
  json: sizeJson,
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
  json: durationJson,
}

const COUNT = /^[1-9]\d{0,5}$/

export const count: Kind<number> = {
  expected: 'a whole number from 1 to 999999',
  placeholder: 'count',
  parse: (text) => (COUNT.test(text) ? Number(text) : undefined),
  json: { type: ['integer', 'string'], pattern: COUNT.source, minimum: 1, maximum: 999_999 },
}

export const boolean: Kind<boolean> = {
  expected: 'true or false',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  json: booleanJson,
}

export const folder = matching(TEXT, 'the path of a folder', 'folder')

/** A path where somebody may well put the key itself, which no message about the file may then show. */
export const keyFile = matching(
  /^(?!xagt-|[\s\S]*:\/\/)[\s\S]/,
  'the path of a file that holds the key, not the key itself',
  'file',
)

/** The same, for a JWT. */
export const svidFile = matching(
  /^(?!eyJ|[\s\S]*:\/\/)[\s\S]/,
  'the path of a file that holds a JWT-SVID, not the SVID itself',
  'file',
)

/** A file of the user's, a value in base64, or the text as it is. What it holds is looked at later. */
export const pem = matching(TEXT, 'PEM text, file://PATH or base64://TEXT', 'pem')

export const serverName = matching(/^[\w.:-]{1,253}$/, 'the name of a host', 'name')

/** No @, so no credential. */
export const gatewayUrl = matching(/^[\x21-\x3f\x41-\x7e]+$/, "the gateway's address, host:port", 'address')

/** One line without control characters. */
export const label: Kind<string> = {
  expected: 'one line of text',
  placeholder: 'name',
  parse: (text) => (text === '' || /\p{Cc}/u.test(text) ? undefined : text),
  json: textJson(TEXT),
}

const NAME_RULES = /^\s*!?[\w.*-]+\s*(?:,\s*!?[\w.*-]+\s*)*$/

/** Separated by commas. */
export const nameRules: Kind<readonly string[]> = {
  expected: 'names of variables separated by commas, * stands for any letters, ! in front for "not a secret"',
  placeholder: 'names',
  parse: (text) => (NAME_RULES.test(text) ? text.split(',').map((rule) => rule.trim()) : undefined),
  json: textJson(NAME_RULES),
}

export const listen: Kind<Address> = {
  expected: 'a port or host:port such as 127.0.0.1:9100',
  placeholder: 'address',
  parse: parseListen,
  json: textJson(/:?\d{1,5}$/),
}

export const secret: Kind<Secret> = {
  expected: 'a text',
  parse: (text) => (text === '' ? undefined : new Secret(text)),
  json: textJson(TEXT),
}

/** One of some words, in any case; a word may be another spelling of the same value. */
export function choice<const T extends string>(words: Readonly<Record<string, T>>): Kind<T> {
  const known = Object.keys(words)
  return {
    expected: `${known.slice(0, -1).join(', ')} or ${known.at(-1) ?? ''}`,
    placeholder: [...new Set(Object.values(words))].join('|'),
    parse: (text) => (known.includes(text.toLowerCase()) ? words[text.toLowerCase()] : undefined),
    json: wordsJson(known),
  }
}
