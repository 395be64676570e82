import * as v from 'valibot'
import { parseListen } from '../basics/net/address.ts'
import { Secret } from '../basics/secret.ts'
import { textJson } from '../basics/settings/json-schema.ts'
import { json, listed, matching, named, parsed } from '../basics/settings/shapes.ts'

// Kinds of values that only the agent's settings have.

/**
 * Matches any text except an empty one. `.` would have different meanings in the languages that read JSON
 * schemas.
 */
const TEXT = /[\s\S]/
const COUNT = /^[1-9]\d{0,5}$/
const NAME_RULES = /^\s*!?[\w.*-]+\s*(?:,\s*!?[\w.*-]+\s*)*$/

export const count = named(
  'count',
  parsed((text) => (COUNT.test(text) ? Number(text) : undefined), 'a whole number from 1 to 999999', {
    type: ['integer', 'string'],
    pattern: COUNT.source,
    minimum: 1,
    maximum: 999_999,
  }),
)

export const folder = named('folder', matching(TEXT, 'the path of a folder'))

/** Refuses a key, because users write it here by mistake, and later messages show the path. */
export const keyFile = named(
  'file',
  matching(/^(?!xagt-|[\s\S]*:\/\/)[\s\S]/, 'the path of a file that contains the key, not the key itself,'),
)

/** Refuses a JWT, because users write it here by mistake, and later messages show the path. */
export const svidFile = named(
  'file',
  matching(
    /^(?!eyJ|[\s\S]*:\/\/)[\s\S]/,
    'the path of a file that contains a JWT-SVID, not the SVID itself,',
  ),
)

/**
 * Certificates or a key as text. The value is not shown, because it may contain a private key. The content is
 * checked later.
 */
export const pem = named(
  'pem',
  v.pipe(matching(TEXT, 'PEM text, file://PATH or base64://TEXT'), json({ writeOnly: true })),
)

export const serverName = named('name', matching(/^[\w.:-]{1,253}$/, 'the name of a host'))

/** Refuses an @, so that the address contains no credential. */
export const gatewayUrl = named(
  'address',
  matching(/^[\x21-\x3f\x41-\x7e]+$/, "the gateway's address, host:port,"),
)

/** One line of text, without control characters. */
export const label = named(
  'name',
  parsed(
    (text) => (text === '' || /\p{Cc}/u.test(text) ? undefined : text),
    'one line of text',
    textJson(TEXT),
  ),
)

export const nameRules = named(
  'names',
  parsed(
    (text) => (NAME_RULES.test(text) ? text.split(',').map((rule) => rule.trim()) : undefined),
    'names of variables, separated by commas; * stands for any letters, and ! before a name means "not a secret",',
    textJson(NAME_RULES),
  ),
)

export const listen = named(
  'address',
  parsed(parseListen, 'a port or host:port such as 127.0.0.1:9100', textJson(/:?\d{1,5}$/)),
)

export const secret = v.pipe(
  parsed((text) => (text === '' ? undefined : new Secret(text)), 'a string', textJson(TEXT)),
  json({ writeOnly: true }),
)

const REFINEMENTS = ['ipv6', 'ssn'] as const
const REFINEMENT_LIST = /^\s*(?:ipv6|ssn)\s*(?:,\s*(?:ipv6|ssn)\s*)*$/

export const refinements = named(
  'names',
  parsed(
    (text) => (REFINEMENT_LIST.test(text) ? REFINEMENTS.filter((name) => text.includes(name)) : undefined),
    'ipv6, ssn or both, separated by a comma,',
    textJson(REFINEMENT_LIST),
  ),
)

export const ruleFiles = named('files', listed(/^[^,\n]+$/, 'paths of rule files'))

/** Relative paths are refused, because they would depend on the working folder of commands. */
export const programs = named(
  'names',
  listed(/^(?:\/[^,\n]+|[^,/\n]+)$/, 'programs, by whole path or by their name in PATH'),
)

export const allowed = named('names', listed(/^[^,\n]+$/, 'names, in which * stands for any letters'))
