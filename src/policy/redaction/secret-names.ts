import { hasParts } from '../../basics/text/wildcard.ts'

/** Digits at the end of a word do not count: `API_KEY2`, `DB_HOST_1`. */
const WORD_END = String.raw`\d*(?:[_.-]|$)`
const WORD_START = '(?:^|[_.-])'

/** A name that contains one of these parts is secret. */
const SECRET_PARTS = [
  ...['PASS', 'PWD', 'SECRET', 'TOKEN', 'CREDENTIAL', 'PRIVATE'],
  ...['BEARER', 'AUTHORIZATION', 'MNEMONIC', 'WEBHOOK', 'CONNECTION_STRING', 'CONNECTIONSTRING'],
]

/** A name is secret if one of its words has such an ending. */
const SECRET_ENDINGS = [
  ...['KEY', 'KEYS', 'AUTH', 'DSN', 'JWT', 'COOKIE', 'COOKIES', 'CERT', 'CERTS', 'PW', 'CRED', 'CREDS'],
  ...['SIGNATURE', 'CERTIFICATE', 'KEYSTORE', 'KEYTAB', 'KEYFILE', 'KEYRING'],
]

/** A name is secret if one of these is a whole word of it. Too many other words end with these letters. */
const SECRET_WORDS = ['PIN', 'OTP', 'TOTP', 'PAT', 'SAS', 'SALT', 'SEED', 'HMAC', 'PEM', 'PFX']

/**
 * A name is harmless if its last word has such an ending: `PGHOST`, `SSLMODE`. `DB` and `ENV` are not in this
 * list, because `MONGODB` may be a URL and `DOTENV` may be a whole file.
 */
const HARMLESS_ENDINGS = [
  ...['HOST', 'HOSTS', 'PORT', 'PORTS', 'USER', 'NAME', 'DATABASE', 'SCHEMA', 'REGION', 'ZONE', 'CLUSTER'],
  ...[
    'NAMESPACE',
    'ENVIRONMENT',
    'MODE',
    'LEVEL',
    'TIMEOUT',
    'VERSION',
    'DIR',
    'BUCKET',
    'CHARSET',
    'ENCODING',
  ],
]

/** A name is harmless if one of these is its whole last word. */
const HARMLESS_WORDS = [
  ...['DB', 'ENV', 'STAGE', 'TZ', 'TIMEZONE', 'LANG', 'LANGUAGE', 'LOCALE', 'PROJECT', 'PATH', 'DIRECTORY'],
  ...['ADDR', 'ADDRESS', 'SERVER', 'DOMAIN', 'PROTOCOL', 'DRIVER', 'DIALECT', 'ENGINE', 'TYPE', 'FORMAT'],
  ...['TABLE', 'COLLECTION', 'KEYSPACE', 'CATALOG', 'WAREHOUSE', 'ROLE', 'TOPIC', 'QUEUE', 'PROFILE'],
  ...['ENABLED', 'DEBUG', 'VERBOSE', 'SIZE', 'LIMIT', 'COUNT', 'RETRIES', 'INTERVAL'],
]

const SECRET_NAME = new RegExp(
  [
    alternation(SECRET_PARTS),
    `${alternation(SECRET_ENDINGS)}${WORD_END}`,
    `${WORD_START}${alternation(SECRET_WORDS)}${WORD_END}`,
  ].join('|'),
)

/** Matches the rest of a name after its last word. Words of digits only do not count: `DB_HOST_1`. */
const LAST_WORD_END = String.raw`\d*(?:[_.-]\d*)*$`
const HARMLESS_NAME = new RegExp(
  `(?:${alternation(HARMLESS_ENDINGS)}|${WORD_START}${alternation(HARMLESS_WORDS)})${LAST_WORD_END}`,
)

/** Returns true in doubt: a replaced harmless value is a nuisance, a shown secret is a leak. */
export function soundsSecret(name: string): boolean {
  return SECRET_NAME.test(name.toUpperCase())
}

/** Call this only for names that do not sound secret. */
function soundsHarmless(name: string): boolean {
  return HARMLESS_NAME.test(name.toUpperCase())
}

function alternation(words: readonly string[]): string {
  return `(?:${words.join('|')})`
}

/** Who has set a variable: the connection, or a client that runs something on the connection. */
export type Origin = 'connection' | 'client'

export class SecretNames {
  readonly #rules: readonly NameRule[]

  /** `rules` of the user override the built-in rules. The last rule that matches counts. */
  constructor(rules: readonly NameRule[]) {
    this.#rules = rules
  }

  /**
   * If neither a rule nor the name decides, a client's variable is readable. A connection's variable is then
   * secret, unless its value is ordinary words or a number.
   */
  isSecret(name: string, origin: Origin, value: Buffer): boolean {
    const rule = this.#ruleFor(name)
    if (rule !== undefined) return !rule.readable
    if (soundsSecret(name)) return true
    return origin === 'connection' && !soundsHarmless(name) && !looksPlain(value)
  }

  /** Returns true, unless a rule makes the file readable. */
  isSecretFile(name: string): boolean {
    return this.#ruleFor(name)?.readable !== true
  }

  #ruleFor(name: string): NameRule | undefined {
    return this.#rules.findLast((candidate) => hasParts(candidate.literals, name.toUpperCase()))
  }
}

const RULE = /^!?[A-Za-z0-9_.*-]+$/

interface NameRule {
  readonly readable: boolean
  /**
   * The parts of the rule between its stars, in upper case. A name must begin with the first part and end
   * with the last part. Any text may be between two parts.
   */
  readonly literals: readonly string[]
}

/**
 * Parses `CUSTOMER_ID`, `*_ID` (secret) or `!APP_*` (readable), in any case. Returns undefined for other
 * texts.
 */
export function parseNameRule(text: string): NameRule | undefined {
  if (!RULE.test(text)) return undefined
  const readable = text.startsWith('!')
  const glob = readable ? text.slice(1) : text
  return { readable, literals: glob.toUpperCase().split('*') }
}

/** Matches `staging`, `eu-west`, `Data Warehouse`. Does not match mixed case inside a word. */
const WORDS = /^[A-Z]?[a-z]+(?:[ _./-][A-Z]?[a-z]+)*$|^[A-Z]+(?:[ _./-][A-Z]+)*$/
const MAX_WORDS_CHARACTERS = 40
/** Matches `300000`, `1.5`, `-1`: an amount, a limit, a number of seconds. */
const NUMBER = /^-?\d{1,9}(?:\.\d{1,9})?$/

/** A plain value is rarely a secret. An output in which every `staging` is replaced would be unreadable. */
function looksPlain(value: Buffer): boolean {
  if (value.length > MAX_WORDS_CHARACTERS) return false
  const text = value.toString('latin1')
  return WORDS.test(text) || NUMBER.test(text)
}

/** Matches `web-06`, `db.example.com`, `10.0.0.7`. */
const HOST = /^[a-z]+\d{0,4}(?:[.-](?:[a-z]+\d{0,4}|\d{1,4}))+$|^\d{1,3}(?:\.\d{1,3}){3}$/
/** A shorter text occurs in outputs by chance. */
const SHORT_BYTES = 8

/**
 * Returns whether outputs may contain the value by chance. Such values are words, numbers, hosts and short
 * texts.
 */
export function looksOrdinary(value: Buffer): boolean {
  if (value.length < SHORT_BYTES || looksPlain(value)) return true
  return value.length <= MAX_WORDS_CHARACTERS && HOST.test(value.toString('latin1'))
}
