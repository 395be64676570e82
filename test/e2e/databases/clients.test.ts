import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  missingMysql,
  missingPostgres,
  mysqlAccount,
  postgresDatabase,
  type PostgresDatabase,
} from '../../support/machine/databases.ts'
import type { Answer } from '../../support/scripted/rest.ts'
import { missingProgram, RedisServer, without } from '../../support/machine/servers.ts'
import { Site } from '../../support/sites/site.ts'
import { Workplace } from '../../support/sites/workplace.ts'

// Every client is a connection's command and gets its runbook on stdin and its password from the environment.

const psqlMissing = await missingPostgres()
const mysqlMissing = await missingMysql()
const redisMissing = missingProgram('redis-cli', 'redis-server')

const password = () => `p-${randomBytes(8).toString('hex')}`

client('bash takes parameters, variables and arguments', missingProgram('bash'), async () => {
  const secret = password()
  const shell = {
    name: 'shell',
    command: ['bash', '-s', '--', '$FIRST'],
    env: { FIRST: 'one', SECRET: secret },
  }
  const body = { parameters: { greeting: 'hello' }, client_args: ['two'] }
  const [answer] = await run('echo "{{ .greeting }} $# $1 $2 $SECRET"', [shell, body])
  expect(answer).toMatchObject({ output: `hello 2 one two ${secret}\n`, exit_code: 0 })
})

client('python3 reads its program from stdin', missingProgram('python3'), async () => {
  const secret = password()
  const python = { name: 'python', command: ['python3', '-'], env: { SECRET: secret } }
  const program = 'import os, sys\nprint({{ .text | dquote }}, os.environ["SECRET"])\nsys.exit(7)\n'
  const [answer] = await run(program, [python, { parameters: { text: 'päth' } }])
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
  const by = (divisor: string) => ({ parameters: { text: 'a b', divisor } })
  const connection = postgres(database)
  const [good, bad] = await run(sql, [connection, by('1')], [connection, by('0')])
  expect(good).toMatchObject({ output: `${database.name}|a b\n1\n`, exit_code: 0 })
  expect(bad).toMatchObject({ exit_code: 3, output_status: 'failed' })
  expect(bad?.output).toContain('division by zero')
})

// A server often trusts everybody on its own machine, so this shows what psql is given instead.
client('psql has its password in PGPASSWORD', psqlMissing, async () => {
  await using database = await postgresDatabase()
  const connection = { ...postgres(database), command: ['bash'] }
  const [answer] = await run('echo "$PGPASSWORD $HOOP_CONNECTION_TYPE"', [connection, {}])
  expect(answer?.output).toBe(`${database.password} postgres\n`)
})

client('mysql logs in with the password that is only in MYSQL_PWD', mysqlMissing, async () => {
  await using account = await mysqlAccount()
  const right = {
    name: 'right',
    ...{ type: 'database', subtype: 'mysql' },
    command: ['mysql', '-N', '-h$HOST', '-u$USER', '--port=$PORT', '-D$DB'],
    env: {
      ...{ HOST: '127.0.0.1', PORT: '3306', DB: 'information_schema' },
      ...{ USER: account.name, PASS: account.password },
    },
  }
  const wrong = { ...right, name: 'wrong', env: { ...right.env, PASS: 'wrong' } }
  const sql = `select substring_index(current_user(), '@', 1), {{ .text | squote }};`
  const body = { parameters: { text: 'a b' } }
  const [good, bad] = await run(sql, [right, body], [wrong, body])
  expect(good).toMatchObject({ output: `${account.name}\ta b\n`, exit_code: 0 })
  expect(bad).toMatchObject({ exit_code: 1, output_status: 'failed' })
  expect(bad?.output).toContain('Access denied')
})

client('redis-cli logs in with the password that is only in REDISCLI_AUTH', redisMissing, async () => {
  using place = new Workplace()
  const secret = password()
  await using redis = await RedisServer.start(place, secret)
  const env = { SOCKET: redis.socket, REDISCLI_AUTH: secret }
  const right = { name: 'right', command: ['redis-cli', '-s', '$SOCKET'], env }
  const wrong = { ...right, name: 'wrong', env: { ...env, REDISCLI_AUTH: 'wrong' } }
  const commands = 'SET greeting {{ .text | dquote }}\nGET greeting\n'
  const body = { parameters: { text: 'a b' } }
  const [good, bad] = await run(commands, [right, body], [wrong, body])
  expect(good).toMatchObject({ output: 'OK\na b\n', exit_code: 0 })
  expect(bad?.output).toContain('NOAUTH')
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

/** Runs a runbook on connections, one after the other, and gives their answers. */
async function run(
  runbook: string,
  ...runs: readonly (readonly [Connection, body: object])[]
): Promise<Answer[]> {
  await using site = await Site.start({
    runbooks: { 'a.runbook': runbook },
    connections: [...new Set(runs.map(([connection]) => connection))],
    env: { RUNBOOK_AGENT_REDACT: 'off' },
  })
  const answers: Answer[] = []
  for (const [{ name }, body] of runs) {
    const reply = await site.rest.runbook(name, 'a.runbook', body)
    expect(reply.status).toBe(200)
    answers.push(reply.body)
  }
  return answers
}
