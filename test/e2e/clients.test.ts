import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  missingMysql,
  missingPostgres,
  mysqlAccount,
  postgresDatabase,
  type PostgresDatabase,
} from '../support/databases.ts'
import type { Answer } from '../support/rest.ts'
import { missingProgram, RedisServer, without } from '../support/servers.ts'
import { Site, type SiteOptions } from '../support/site.ts'
import { Workplace } from '../support/workplace.ts'

// Every client is a connection's command and gets its runbook on stdin and its password from the environment.

const psqlMissing = await missingPostgres()
const mysqlMissing = await missingMysql()
const redisMissing = missingProgram('redis-cli', 'redis-server')

const password = () => `p-${randomBytes(8).toString('hex')}`
const one = (name: string, text: string) => ({ runbooks: { [`${name}.runbook`]: text } })

client('bash takes parameters, variables and arguments', missingProgram('bash'), async () => {
  const secret = password()
  const answer = await run(
    { name: 'shell', command: ['bash', '-s', '--', '$FIRST'], env: { FIRST: 'one', SECRET: secret } },
    one('shell', 'echo "{{ .greeting }} $# $1 $2 $SECRET"'),
    { parameters: { greeting: 'hello' }, client_args: ['two'] },
  )
  expect(answer).toMatchObject({ output: `hello 2 one two ${secret}\n`, exit_code: 0 })
})

client('python3 reads its program from stdin', missingProgram('python3'), async () => {
  const secret = password()
  const answer = await run(
    { name: 'python', command: ['python3', '-'], env: { SECRET: secret } },
    one('python', 'import os, sys\nprint({{ .text | dquote }}, os.environ["SECRET"])\nsys.exit(7)\n'),
    { parameters: { text: 'päth' } },
  )
  expect(answer).toMatchObject({ output: `päth ${secret}\n`, exit_code: 7, output_status: 'failed' })
})

const postgres = ({ name, password, host, port }: PostgresDatabase) => ({
  name: 'postgres',
  ...{ type: 'database', subtype: 'postgres' },
  command: [
    'psql',
    '-v',
    'ON_ERROR_STOP=1',
    '-A',
    '-t',
    '-P',
    'pager=off',
    '-h',
    '$HOST',
    '-U',
    '$USER',
  ].concat(['--port=$PORT', '$DB']),
  env: { HOST: host, PORT: port, USER: name, PASS: password, DB: name },
})

client('psql runs SQL with parameters', psqlMissing, async () => {
  await using database = await postgresDatabase()
  const sql = 'select current_user, {{ .text | squote }};\nselect 1 / {{ .divisor }};\n'
  const books = one('postgres', sql)
  const good = await run(postgres(database), books, { parameters: { text: 'a b', divisor: '1' } })
  expect(good).toMatchObject({ output: `${database.name}|a b\n1\n`, exit_code: 0 })
  const bad = await run(postgres(database), books, { parameters: { text: 'a b', divisor: '0' } })
  expect(bad).toMatchObject({ exit_code: 3, output_status: 'failed' })
  expect(bad.output).toContain('division by zero')
})

// A server often trusts everybody on its own machine, so this shows what psql is given instead.
client('psql has its password in PGPASSWORD', psqlMissing, async () => {
  await using database = await postgresDatabase()
  const answer = await run(
    { ...postgres(database), command: ['bash'] },
    one('postgres', 'echo "$PGPASSWORD $HOOP_CONNECTION_TYPE"'),
  )
  expect(answer.output).toBe(`${database.password} postgres\n`)
})

client('mysql logs in with the password that is only in MYSQL_PWD', mysqlMissing, async () => {
  await using account = await mysqlAccount()
  const connection = {
    name: 'mysql',
    ...{ type: 'database', subtype: 'mysql' },
    command: ['mysql', '-N', '-h$HOST', '-u$USER', '--port=$PORT', '-D$DB'],
    env: { HOST: '127.0.0.1', PORT: '3306', USER: account.name, PASS: account.password },
  }
  const env = { ...connection.env, DB: 'information_schema' }
  const books = one('mysql', `select substring_index(current_user(), '@', 1), {{ .text | squote }};`)
  const parameters = { text: 'a b' }
  const good = await run({ ...connection, env }, books, { parameters })
  expect(good).toMatchObject({ output: `${account.name}\ta b\n`, exit_code: 0 })
  const bad = await run({ ...connection, env: { ...env, PASS: 'wrong' } }, books, { parameters })
  expect(bad).toMatchObject({ exit_code: 1, output_status: 'failed' })
  expect(bad.output).toContain('Access denied')
})

client('redis-cli logs in with the password that is only in REDISCLI_AUTH', redisMissing, async () => {
  using place = new Workplace()
  const secret = password()
  await using redis = await RedisServer.start(place, secret)
  const connection = { name: 'redis', command: ['redis-cli', '-s', '$SOCKET'] }
  const env = { SOCKET: redis.socket, REDISCLI_AUTH: secret }
  const books = one('redis', 'SET greeting {{ .text | dquote }}\nGET greeting\n')
  const parameters = { text: 'a b' }
  const good = await run({ ...connection, env }, books, { parameters })
  expect(good).toMatchObject({ output: 'OK\na b\n', exit_code: 0 })
  const bad = await run({ ...connection, env: { ...env, REDISCLI_AUTH: 'wrong' } }, books, { parameters })
  expect(bad.output).toContain('NOAUTH')
})

/** A test that is skipped, with the reason in its title, where the client or its server is missing. */
function client(title: string, missing: string | undefined, test: () => Promise<void>): void {
  it.skipIf(missing !== undefined)(`${title}${without(missing)}`, test)
}

interface Connection {
  readonly name: string
  readonly type?: string
  readonly subtype?: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Runs `<name>.runbook` on a connection of that name. */
async function run(connection: Connection, options: SiteOptions, body: object = {}): Promise<Answer> {
  await using site = await Site.start({
    ...options,
    connections: [connection],
    env: { RUNBOOK_AGENT_REDACT: 'off' },
  })
  const reply = await site.rest.runbook(connection.name, `${connection.name}.runbook`, body)
  expect(reply.status).toBe(200)
  return reply.body
}
