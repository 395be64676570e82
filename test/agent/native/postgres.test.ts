import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { promisify } from 'node:util'
import { cutPostgres, HoopPort } from '../../support/native/hoop-port.ts'
import { missingPostgres, postgresDatabase, type PostgresDatabase } from '../../support/machine/databases.ts'
import { signalChild } from '../../../src/basics/signals.ts'
import { without } from '../../support/machine/servers.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway, running } from '../../support/sites/each-agent.ts'
import { waitFor } from '../../support/wait.ts'

agentForEachTest()

const missing = await missingPostgres()
const exec = promisify(execFile)

async function opened(database: PostgresDatabase, more: Record<string, string> = {}): Promise<HoopPort> {
  const { host, port, name, password } = database
  const values = { HOST: host, PORT: port, USER: name, PASS: password, DB: name, ...more }
  const envVars = new Map(Object.entries(values).map(([key, value]) => [`envvar:${key}`, base64(value)]))
  const params = { connectionType: 'postgres', clientVerb: 'connect', clientOrigin: 'client', envVars }
  gateway.send('AgentSessionOpen', openSpec('s', params))
  const opened = await HoopPort.open(gateway, { word: 'PG', sid: 's', greets: false, cut: cutPostgres })
  await opened.opened()
  return opened
}

interface Said {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

async function psql(
  port: HoopPort,
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<Said> {
  const env = { PGHOST: '127.0.0.1', PGPORT: String(port.port), PGUSER: 'noop', PGPASSWORD: 'noop' }
  const options = {
    env: { PATH: process.env['PATH'], ...env, PGDATABASE: 'noop', ...more },
    maxBuffer: 1 << 28,
  }
  try {
    return { ...(await exec('psql', ['-X', '-w', '-A', '-t', '-q', ...args], options)), code: 0 }
  } catch (error) {
    const { stdout, stderr, code } = error as Said
    return { stdout, stderr, code }
  }
}

describe.skipIf(missing !== undefined)(`psql through the agent${without(missing)}`, () => {
  it('is logged in as the user of the connection, whatever it says, and keeps its own parameters', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database)
    const query = "select current_user, current_database(), current_setting('application_name'), 40 + 2"
    const said = await psql(port, ['-c', query], { PGAPPNAME: 'mine', PGSSLMODE: 'prefer' })
    expect(said).toEqual({ stdout: `${database.name}|${database.name}|mine|42\n`, stderr: '', code: 0 })
    expect(gateway.received.some(({ payload }) => payload.includes(database.password))).toBe(false)
    expect(port.closedByAgent).toEqual([])
  })

  it('gets the database of the connection if it names none, and its own where it names one', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database)
    const query = ['-c', 'select current_user, current_database()']
    // libpq names the user as database.
    const alone = await psql(port, query, { PGUSER: 'somebody', PGDATABASE: '' })
    expect(alone.stdout).toBe(`${database.name}|${database.name}\n`)
    const own = await psql(port, query, { PGUSER: 'somebody', PGDATABASE: 'no_such_database' })
    expect(own.stderr).toContain('no_such_database')
  })

  it('names its user as database where the connection has none', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database, { DB: '' })
    const query = ['-c', 'select current_database()']
    const own = await psql(port, query, { PGUSER: database.name, PGDATABASE: '' })
    expect(own.stdout).toBe(`${database.name}\n`)
  })

  it('gets errors, notices, COPY in both directions and large results as from the server itself', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database)
    const failed = await psql(port, ['-v', 'VERBOSITY=verbose', '-c', 'select 1/0'])
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('22012: division by zero')])
    const noticed = await psql(port, ['-c', "do $$ begin raise notice 'hear'; end $$"])
    expect(noticed.stderr).toContain('NOTICE:  hear')
    await psql(port, ['-c', 'create table t (a int, b text)'])
    const copied = await psql(port, [
      ...['-c', String.raw`\copy t from program 'seq 20000 | sed s/$/,KKKKKKKKKKKKKKKKKKKKKK/' csv`],
      ...[
        '-c',
        'select count(*), sum(a) from t',
        '-c',
        String.raw`\copy (select a from t order by a limit 3) to stdout`,
      ],
    ])
    expect(copied).toEqual({ stdout: '20000|200010000\n1\n2\n3\n', stderr: '', code: 0 })
    const large = await psql(port, ['-c', "select a, repeat('K', 300) from t order by a"])
    expect(large.stdout.split('\n')).toHaveLength(20_001)
    expect(large.stdout.endsWith(`20000|${'K'.repeat(300)}\n`)).toBe(true)
  })

  it('cancels its statement by Ctrl-C, and goes on', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database)
    const env = {
      ...{ PATH: process.env['PATH'], PGHOST: '127.0.0.1', PGPORT: String(port.port), PGUSER: 'noop' },
      PGDATABASE: 'noop',
    }
    const args = ['-X', '-w', '-A', '-t', '-c', 'select pg_sleep(60)', '-c', 'select 7']
    const said = exec('psql', args, { env })
    const running = "select 1 from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'"
    await waitFor(async () => (await database.sql(running)) !== '')
    signalChild(said.child, 'SIGINT')
    const { stderr } = await said.catch((error: unknown) => error as Said)
    expect(stderr).toContain('canceling statement due to user request')
    expect(stderr).not.toContain('server closed the connection')
  })

  it('that is killed leaves no statement running', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database)
    const child = execFile('psql', ['-X', '-w', '-c', 'select pg_sleep(600)'], {
      env: { PATH: process.env['PATH'], PGHOST: '127.0.0.1', PGPORT: String(port.port), PGDATABASE: 'noop' },
    })
    const active = () =>
      database.sql(
        "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active'",
      )
    await waitFor(async () => (await active()) === '1')
    signalChild(child, 'SIGKILL')
    await waitFor(async () => (await active()) === '0')
  })

  it('reads why the server refuses, and why it cannot be reached any more', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database, { USER: 'runbook_test_nobody' })
    const refused = await psql(port, ['-c', 'select 1'])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('runbook_test_nobody')])
    const replication = await psql(port, ['-d', 'replication=database dbname=noop', '-c', 'IDENTIFY_SYSTEM'])
    expect(replication.stderr).toContain('replication is not served')
  })

  it('is told by the server that it was ended, and ends at once', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database)
    const ended = psql(port, ['-c', 'select pg_sleep(600)'])
    const pids = "select pid from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active'"
    await waitFor(async () => (await database.sql(pids)) !== '')
    await database.sql(`select pg_terminate_backend(${await database.sql(pids)})`)
    expect((await ended).stderr).toContain('terminating connection due to administrator command')
  })

  it('is told when the agent stops', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database)
    const ended = psql(port, ['-c', 'select pg_sleep(600)'])
    const active =
      "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active'"
    await waitFor(async () => (await database.sql(active)) === '1')
    running.agent.drain()
    running.agent.stop()
    expect((await ended).stderr).toContain('the agent is stopping')
    await waitFor(async () => (await database.sql(active)) === '0')
  })

  it('of many sessions at once gets its own answers', async () => {
    await using database = await postgresDatabase()
    await using port = await opened(database)
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => psql(port, ['-c', `select ${at}, repeat('x', 100000)`])),
    )
    answers.forEach(({ stdout }, at) => expect(stdout).toBe(`${at}|${'x'.repeat(100_000)}\n`))
  })
})
