/** A word of a name ends at one of these. Digits at its end do not count: `API_KEY2`, `DB_HOST_1`. */
const WORD_END = /[_.-]/
const NUMBER_AT_END = /\d+$/

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

/** When in doubt, yes: a value that is replaced without need is a nuisance, one that is shown is a leak. */
export function soundsSecret(name: string): boolean {
  const upper = name.toUpperCase()
  if (SECRET_PARTS.some((part) => upper.includes(part))) return true
  return wordsOf(upper).some((word) => SECRET_WORDS.includes(word) || endsWithOne(word, SECRET_ENDINGS))
}

/** Only for names that do not sound secret. */
export function soundsHarmless(name: string): boolean {
  const last = wordsOf(name.toUpperCase()).at(-1)
  return last !== undefined && (HARMLESS_WORDS.includes(last) || endsWithOne(last, HARMLESS_ENDINGS))
}

function wordsOf(upper: string): string[] {
  return upper
    .split(WORD_END)
    .map((word) => word.replace(NUMBER_AT_END, ''))
    .filter((word) => word !== '')
}

function endsWithOne(word: string, endings: readonly string[]): boolean {
  return endings.some((ending) => word.endsWith(ending))
}
