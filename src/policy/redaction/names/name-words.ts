/** A word of a name ends at one of these. Digits at its end do not count: `API_KEY2`, `DB_HOST_1`. */
const WORD_END = String.raw`\d*(?:[_.-]|$)`
const WORD_START = '(?:^|[_.-])'

/** Secret wherever they stand in the name. */
const SECRET_PARTS = [
  ...['PASS', 'PWD', 'SECRET', 'TOKEN', 'CREDENTIAL', 'PRIVATE'],
  ...['BEARER', 'AUTHORIZATION', 'MNEMONIC', 'WEBHOOK', 'CONNECTION_STRING', 'CONNECTIONSTRING'],
]

/** Secret at the end of any word. */
const SECRET_ENDINGS = [
  ...['KEY', 'KEYS', 'AUTH', 'DSN', 'JWT', 'COOKIE', 'COOKIES', 'CERT', 'CERTS', 'PW', 'CRED', 'CREDS'],
  ...['SIGNATURE', 'CERTIFICATE', 'KEYSTORE', 'KEYTAB', 'KEYFILE', 'KEYRING'],
]

/** Secret only as a whole word: too many others end with them. */
const SECRET_WORDS = ['PIN', 'OTP', 'TOTP', 'PAT', 'SAS', 'SALT', 'SEED', 'HMAC', 'PEM', 'PFX']

/**
 * Harmless at the end of the last word: `PGHOST`, `SSLMODE`. No name of a secret may end with one of them. So `DB` is
 * missing (`MONGODB` may be a URL), and `ENV` (`DOTENV` is a whole file).
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

/** Harmless as the last word. */
const HARMLESS_WORDS = [
  ...['DB', 'ENV', 'STAGE', 'TZ', 'TIMEZONE', 'LANG', 'LANGUAGE', 'LOCALE', 'PROJECT', 'PATH', 'DIRECTORY'],
  ...['ADDR', 'ADDRESS', 'SERVER', 'DOMAIN', 'PROTOCOL', 'DRIVER', 'DIALECT', 'ENGINE', 'TYPE', 'FORMAT'],
  ...['TABLE', 'COLLECTION', 'KEYSPACE', 'CATALOG', 'WAREHOUSE', 'ROLE', 'TOPIC', 'QUEUE', 'PROFILE'],
  ...['ENABLED', 'DEBUG', 'VERBOSE', 'SIZE', 'LIMIT', 'COUNT', 'RETRIES', 'INTERVAL'],
]

const SECRET_NAME = new RegExp(
  [
    oneOf(SECRET_PARTS),
    `${oneOf(SECRET_ENDINGS)}${WORD_END}`,
    `${WORD_START}${oneOf(SECRET_WORDS)}${WORD_END}`,
  ].join('|'),
)

/** Words of digits alone do not count. */
const LAST_WORD_END = String.raw`\d*(?:[_.-]\d*)*$`
const HARMLESS_NAME = new RegExp(
  `(?:${oneOf(HARMLESS_ENDINGS)}|${WORD_START}${oneOf(HARMLESS_WORDS)})${LAST_WORD_END}`,
)

/** When in doubt, yes: a value that is replaced without need is a nuisance, one that is shown is a leak. */
export function soundsSecret(name: string): boolean {
  return SECRET_NAME.test(name.toUpperCase())
}

/** Only for names that do not sound secret. */
export function soundsHarmless(name: string): boolean {
  return HARMLESS_NAME.test(name.toUpperCase())
}

function oneOf(words: readonly string[]): string {
  return `(?:${words.join('|')})`
}
