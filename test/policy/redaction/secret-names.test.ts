import { describe, expect, it } from 'vitest'
import { type Origin, parseNameRule, SecretNames } from '../../../src/policy/redaction/secret-names.ts'

const builtIn = new SecretNames([])

function withRules(...rules: string[]): SecretNames {
  return new SecretNames(rules.map((text) => parseNameRule(text) ?? expect.fail(`${text} is no rule`)))
}

const bothOrigins: Origin[] = ['connection', 'client']

/** One that is nothing but a secret. */
const VALUE = Buffer.from('x7-Zq9.kW2')

describe('the names of secrets', () => {
  it.each([
    ...['PGPASSWORD', 'PASS', 'DB_PASS', 'PASSWD', 'PASSPHRASE', 'MYSQL_PWD', 'PASSWORD_ENV', 'PASSWORD2'],
    ...['API_KEY', 'APIKEY', 'apiKey', 'API_KEY_2', 'API_KEY2', 'AWS_SECRET_ACCESS_KEY', 'SSH_PRIVATE_KEY'],
    ...[
      'AWS_ACCESS_KEY_ID',
      'ENCRYPTION_KEYS',
      'KEY',
      'GITHUB_TOKEN',
      'TOKEN',
      'client-secret',
      'session.token',
    ],
    ...['GOOGLE_CREDENTIALS', 'AWS_CREDS', 'REDIS_AUTH', 'OAUTH', 'SENTRY_DSN', 'JWT', 'SESSION_COOKIE'],
    ...['TLS_CERT', 'DB_PW', 'CONNECTION_STRING', 'SLACK_WEBHOOK_PATH', 'AUTHORIZATION', 'GITHUB_PAT', 'PIN'],
    ...['TOKEN_HOST', 'KEY_NAME', 'MONKEY'],
  ])('%s sounds secret, whoever set it', (name) => {
    expect(bothOrigins.map((origin) => builtIn.isSecret(name, origin, VALUE))).toEqual([true, true])
  })

  it.each([
    ...['PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGSSLMODE', 'MYSQL_HOST', 'MYSQL_TCP_PORT', 'DB_HOST_1'],
    ...[
      'DB_NAME',
      'DBNAME',
      'REDIS_DB',
      'USERNAME',
      'HOSTNAME',
      'dbHost',
      'db.host',
      'kafka-hosts',
      'DB_SCHEMA',
    ],
    ...[
      'AWS_REGION',
      'GCP_ZONE',
      'CLUSTER',
      'K8S_NAMESPACE',
      'APP_ENV',
      'ENVIRONMENT',
      'STAGE',
      'GCP_PROJECT',
    ],
    ...[
      'LOG_LEVEL',
      'SSLMODE',
      'CONNECT_TIMEOUT',
      'TZ',
      'LANG',
      'S3_BUCKET',
      'APP_VERSION',
      'DATA_DIR',
      'PATH',
    ],
    ...['GIT_AUTHOR_NAME', 'VAULT_ADDR'],
  ])('%s is harmless, whoever set it', (name) => {
    expect(bothOrigins.map((origin) => builtIn.isSecret(name, origin, VALUE))).toEqual([false, false])
  })

  it.each([
    ...[
      'DATABASE_URL',
      'MONGO_URI',
      'MONGODB',
      'DOTENV',
      'CUSTOMER_ID',
      'PGOPTIONS',
      'SID',
      'X',
      '',
      '__',
      'ÄÖÜ',
    ],
  ])('%j says nothing: secret from the connection, readable from the client', (name) => {
    expect(bothOrigins.map((origin) => builtIn.isSecret(name, origin, VALUE))).toEqual([true, false])
  })
})

describe('the value of a variable whose name says nothing', () => {
  const isSecret = (value: string) => builtIn.isSecret('TARGET', 'connection', Buffer.from(value))

  it.each(['staging', 'Staging', 'eu-west', 'Data Warehouse', 'PRODUCTION', '300000', '-1.5', 'a/b'])(
    '%j is ordinary, and readable',
    (value) => {
      expect(isSecret(value)).toBe(false)
    },
  )

  it.each([
    'hunter2',
    'tr0ub4dor',
    'SwOrdFish',
    'correct horse!',
    '0123456789012',
    'a'.repeat(41),
    'pass=word',
  ])('%j is a secret', (value) => {
    expect(isSecret(value)).toBe(true)
  })

  it('does not count where the name sounds secret', () => {
    expect(builtIn.isSecret('DB_PASSWORD', 'client', Buffer.from('staging'))).toBe(true)
  })
})

describe("the user's rules", () => {
  it('make a name secret that is not', () => {
    expect(withRules('CUSTOMER_ID').isSecret('customer_id', 'client', VALUE)).toBe(true)
    expect(withRules('*host').isSecret('PGHOST', 'client', VALUE)).toBe(true)
  })

  it('make a name readable that sounds secret', () => {
    expect(withRules('!SORT_KEY').isSecret('SORT_KEY', 'connection', VALUE)).toBe(false)
    expect(withRules('!APP_*').isSecret('APP_TOKEN', 'connection', VALUE)).toBe(false)
  })

  it('leave other names to what is built in', () => {
    expect(withRules('!APP_*').isSecret('OTHER_TOKEN', 'client', VALUE)).toBe(true)
    expect(withRules('APP_*').isSecret('PGHOST', 'connection', VALUE)).toBe(false)
  })

  it('count in their order: the last that matches wins', () => {
    expect(withRules('!APP_*', 'APP_TOKEN').isSecret('APP_TOKEN', 'client', VALUE)).toBe(true)
    expect(withRules('APP_TOKEN', '!APP_*').isSecret('APP_TOKEN', 'client', VALUE)).toBe(false)
  })

  it('are all there is for files: each is a secret, whatever it is called, unless a rule says otherwise', () => {
    expect(builtIn.isSecretFile('HOST')).toBe(true)
    expect(withRules('!CONFIG').isSecretFile('CONFIG')).toBe(false)
  })

  it.each([
    ['A*C', 'ABC', true],
    ['A*C', 'AC', true],
    ['A*C', 'ACD', false],
    ['A*A', 'A', false],
    ['*', '', true],
    ['A**B', 'A_B', true],
    ['*B*D*', 'ABCDE', true],
    ['*D*B*', 'ABCDE', false],
    ['*AB*BC', 'ABC', false],
    ['A.B', 'AxB', false],
    ['a-B', 'A-b', true],
    ['TOKEN', 'TOKENS', false],
  ])('%s on %s: %s', (rule, name, isMatch) => {
    expect(withRules('!*', rule).isSecret(name, 'client', VALUE)).toBe(isMatch)
  })

  it('take no time with many stars', () => {
    const rule = '*A'.repeat(1000) + '*B'
    expect(withRules(rule).isSecret('A'.repeat(100_000), 'client', VALUE)).toBe(false)
  })

  it.each(['', '!', '!!A', 'A!', 'A B', ' A', 'A=', 'A?', '[AB]', 'Ä', 'A\n'])('%j is no rule', (text) => {
    expect(parseNameRule(text)).toBeUndefined()
  })
})
