import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectionParams } from '../../../src/wire/params.ts'
import {
  missingMysql,
  missingPostgres,
  mysqlDatabase,
  postgresDatabase,
  type Account,
  type PostgresDatabase,
} from '../../support/machine/databases.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { missingProgram, RedisServer, without } from '../../support/machine/servers.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { waitFor } from '../../support/wait.ts'

// The clients that are installed here, on real servers, each with the whole of what takes its ways out away.

const psqlMissing = await missingPostgres()
const mysqlMissing = await missingMysql()

let gateway: ScriptedGateway
let running: RunningAgent
/** What an escape leaves behind if it works. */
let folder: string
let sessions = 0

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'escapes-'))
  gateway = await ScriptedGateway.start()
  running = await RunningAgent.start(gateway.key())
  await running.serving()
})
afterEach(async () => {
  await running[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

interface Outcome {
  readonly code: string
  readonly stdout: string
  readonly stderr: string
  readonly reason: string
}

async function run(
  script: string,
  {
    env = {},
    escapes = 'block',
    ...params
  }: Partial<ConnectionParams> & { env?: Record<string, string>; escapes?: string },
  caller: Record<string, string> = {},
): Promise<Outcome> {
  const sid = `s${++sessions}`
  const variables = Object.entries({ ...env, RUNBOOK_AGENT_CLIENT_ESCAPES: escapes })
  const envVars = new Map(variables.map(([name, value]) => [`envvar:${name}`, base64(value)]))
  const client = Object.entries(caller).map(([name, value]) => [`envvar:${name}`, base64(value)] as const)
  gateway.send('AgentSessionOpen', openSpec(sid, { envVars, ...params }, Object.fromEntries(client)))
  await waitFor(() => gateway.of(sid).length > 0)
  if (gateway.of(sid)[0]?.type === 'ClientSessionOpenOK')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  const close = await gateway.closeOf(sid)
  const text = (type: string) =>
    gateway
      .of(sid)
      .filter((packet) => packet.type === type)
      .map(({ payload }) => String(payload))
      .join('')
  return {
    code: String(close.spec['client.exit_code']),
    stdout: text('ClientWriteStdout'),
    stderr: text('ClientWriteStderr'),
    reason: String(close.payload),
  }
}

/** A program of the test's own under the name of a client. */
function program(name: string, text: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  return file
}

const REFUSED = 'client escapes are blocked on this connection'

describe.skipIf(psqlMissing !== undefined)(
  `psql${psqlMissing === undefined ? '' : `: no ${psqlMissing}`}`,
  () => {
    let database: PostgresDatabase
    beforeAll(async () => {
      database = await postgresDatabase()
    })
    afterAll(() => database[Symbol.asyncDispose]())

    const connection = (...more: string[]) => ({
      cmdList: [
        ...[
          'psql',
          '-v',
          'ON_ERROR_STOP=1',
          '-A',
          '-t',
          '-F\t',
          '-P',
          'pager=off',
          '-h',
          '$HOST',
          '-U',
          '$USER',
        ],
        ...['--port=$PORT', ...more, '$DB'],
      ],
      env: {
        HOST: database.host,
        PORT: database.port,
        USER: database.name,
        DB: database.name,
        PGPASSWORD: database.password,
      },
    })

    it('runs queries as before, with its codes and the lines of errors', async () => {
      expect(await run('select 1, 2;\n', connection())).toMatchObject({
        code: '0',
        stdout: '1\t2\n',
        stderr: '',
      })
      const wrong = await run('select 1;\nselect 2,\n  nope;\n', connection())
      expect(wrong).toMatchObject({ code: '3', stdout: '1\n', reason: '' })
      expect(wrong.stderr).toContain('LINE 2:   nope;')
      const copy = 'create temp table t (a int);\ncopy t from stdin;\n1\n2\n\\.\nselect sum(a) from t;\n'
      expect(await run(copy, connection('-q'))).toMatchObject({ code: '0', stdout: '3\n' })
    })

    it.each([
      ['\\! touch OUT', ''],
      ['\\echo `touch OUT`', ''],
      ['\\set x `touch OUT`', ''],
      ["\\copy (select 1) to program 'touch OUT'", ''],
      ["\\copy (select 1) to 'OUT'", ''],
      ['\\o |touch OUT', ''],
      ['select 1 \\g |touch OUT', ''],
      ["select 'touch OUT' \\gexec", ''],
      ['\\i OUT', ''],
      ['\\e', 'EDITOR'],
      ['\\unrestrict', ''],
      ['\\unrestrict x\n\\! touch OUT', ''],
      ['\\unrestrict `touch OUT`', ''],
      ['-- a comment\r\\! touch OUT', ''],
      ['\\set x 1 \\! touch OUT', ''],
      ['\\getenv x HOME \\\\ \\! touch OUT', ''],
      ['\\pset pager `touch OUT`', ''],
      ['\\x\n\\! touch OUT', ''],
      ['\ufeff\\! touch OUT', ''],
      // Interpolation brings a backslash that no reading of the script sees.
      ['\\getenv x ESCAPE\n:x', ''],
      ['\\getenv x ESCAPE\nselect 1 :x', ''],
      ["select '\\\\! touch OUT' as c \\gset\n:c", ''],
      ["set client_encoding = 'sjis';\nselect '\x95\\';\\! touch OUT", ''],
      ['\\setenv PAGER touch\nselect 1;', ''],
      ['\\lo_export 1 OUT', ''],
      ['\\w OUT', ''],
      ['\\s OUT', ''],
    ])('runs nothing for %j', async (script) => {
      const out = path.join(folder, 'out')
      const editor = { EDITOR: `touch ${out} #`, PSQL_EDITOR: `touch ${out} #` }
      const { env, ...rest } = connection()
      const ended = await run(
        `${script.replaceAll('OUT', out)}\n`,
        { ...rest, env: { ...env, ...editor } },
        { ESCAPE: `\\! touch ${out}` },
      )
      expect({ code: ended.code, made: existsSync(out) }).toEqual({ code: '3', made: false })
      expect(ended.stderr).toMatch(/restricted|wrong key|missing required argument/)
    })

    it('runs such a command where they are allowed', async () => {
      const ended = await run('\\! echo ran\n', { ...connection(), escapes: 'allow' })
      expect(ended).toMatchObject({ code: '0', stdout: 'ran\n' })
    })

    it("hands a caller's variable to the lines at the beginning that ask for it, as data", async () => {
      const value = "it's \\! touch `id`"
      const script = "-- who\n\\getenv who WHO\n\\set ON_ERROR_STOP on\nselect :'who';\n\\! env\n"
      const ended = await run(script, connection(), {
        WHO: value,
        LD_PRELOAD: '/nowhere',
        PGOPTIONS: '-c nonsense=1',
      })
      expect(ended).toMatchObject({ code: '3', stdout: `${value}\n` })
      expect(ended.stderr).not.toContain('LD_PRELOAD')
    })

    it('refuses what a caller adds, but for how results look and variables', async () => {
      for (const [clientArgs, named] of [
        [['-c', '\\! id'], '-c'],
        [['--file=/etc/passwd'], '--file'],
        [['-o', '|id'], '-o'],
        [['-h', '192.0.2.1'], '-h'],
        [['--com=\\! id'], '--com'],
        [['postgres'], 'an argument that is not an option'],
      ] as const) {
        const ended = await run('select 1;\n', { ...connection(), clientArgs: [...clientArgs] })
        expect(ended).toMatchObject({ code: '254', stdout: '' })
        expect(ended.reason).toContain(`Not allowed: ${named}`)
      }
      const added = { ...connection(), clientArgs: ['--csv', '-v', 'n=5'] }
      expect(await run('select :n;\n', added)).toMatchObject({ code: '0', stdout: '5\n' })
    })

    it.each(['-c', '-f', '-o', '-L', '--output', '-Xc'])(
      'refuses %s in the connection itself',
      async (option) => {
        const ended = await run('select 1;\n', connection(option, 'x'))
        expect(ended).toMatchObject({ code: '254', stdout: '' })
        expect(ended.reason).toMatch(
          new RegExp(`^${REFUSED}, but -{1,2}[a-zA-Z]+ in the connection.s command `),
        )
      },
    )

    it('does not read a start file', async () => {
      writeFileSync(path.join(folder, '.psqlrc'), '\\! echo ran\n')
      const { env, ...rest } = connection()
      const ended = await run('select 1;\n', {
        ...rest,
        env: { ...env, HOME: folder, PSQLRC: path.join(folder, '.psqlrc') },
      })
      expect(ended).toMatchObject({ code: '0', stdout: '1\n' })
    })

    it('lets what a caller sets fill in nothing of the command', async () => {
      const { cmdList, env } = connection()
      const connected = { cmdList: [...cmdList, '$CALLERS'], env }
      const ended = await run('select 1;\n', connected, { CALLERS: '-c\\! id' })
      expect(ended).toMatchObject({
        code: '254',
        reason: 'could not find environment variable for commands [$CALLERS]',
      })
    })
  },
)

describe.skipIf(mysqlMissing !== undefined)(
  `mysql${mysqlMissing === undefined ? '' : `: no ${mysqlMissing}`}`,
  () => {
    let account: Account & AsyncDisposable
    beforeAll(async () => {
      account = await mysqlDatabase()
    })
    afterAll(() => account[Symbol.asyncDispose]())

    const connection = (...more: string[]) => ({
      cmdList: ['mysql', '-h$HOST', '-u$USER', '--port=$PORT', '-D$USER', ...more],
      env: { HOST: '127.0.0.1', PORT: '3306', USER: account.name, MYSQL_PWD: account.password },
    })

    it('runs queries as before, with its codes', async () => {
      expect(await run('select 1\\G\n', connection())).toMatchObject({
        code: '0',
        stdout: expect.stringContaining('1: 1') as string,
      })
      const wrong = await run('select 1;\nselect nope;\n', connection())
      expect(wrong).toMatchObject({ code: '1', stdout: '1\n1\n' })
      expect(wrong.stderr).toContain('at line 2')
    })

    it.each([
      '\\! touch OUT',
      'system touch OUT',
      'select 1 \\! touch OUT',
      '\\. OUT',
      'source OUT',
      '\\T OUT',
      'tee OUT',
      '\\P touch OUT\nselect 1;\n\\! touch OUT',
      '\\e',
      'delimiter //\nsystem touch OUT//',
      '\\r information_schema 127.0.0.1\nsystem touch OUT',
      '/*! \\! touch OUT */;',
      'delimiter \\!\nselect 1\\! touch OUT',
      'charset sjis\nselect "\x95\\" \\! touch OUT',
      '\\-\n\\! touch OUT',
      'select 1 \\p \\! touch OUT',
      "create table u (a text);\nload xml local infile '/etc/passwd' into table u;",
      "create table t (a text);\nload data local infile '/etc/passwd' into table t;",
    ])('runs nothing for %j', async (script) => {
      const out = path.join(folder, 'out')
      const { env, ...rest } = connection()
      const editor = { EDITOR: `touch ${out} #`, VISUAL: `touch ${out} #` }
      const ended = await run(`${script.replaceAll('OUT', out)}\n`, { ...rest, env: { ...env, ...editor } })
      expect(existsSync(out)).toBe(false)
      expect(ended.stderr).toMatch(/sandbox|bin\/false|has disabled the local infile/)
    })

    it.each([
      '-e',
      '--execute=x',
      '--tee=x',
      '--skip-sandbox',
      '--local-infile',
      '--pager=id',
      '--loose-skip-sandbox',
      '--defaults-file=x',
      '--plugin-dir=x',
    ])('refuses %s, of a caller and in the connection itself', async (option) => {
      for (const params of [connection(option), { ...connection(), clientArgs: [option] }]) {
        const ended = await run('select 1;\n', params)
        expect(ended).toMatchObject({ code: '254', stdout: '' })
        expect(ended.reason).toContain(option.replace(/=.*/, ''))
      }
    })
  },
)

const redisMissing = missingProgram('redis-server', 'redis-cli')

describe.skipIf(redisMissing !== undefined)(`redis-cli${without(redisMissing)}`, () => {
  it('knows no command in a script that runs or writes anything here', async () => {
    using place = new Workplace()
    await using server = await RedisServer.start(place, 'redis-password')
    const out = path.join(folder, 'out')
    const script = [
      ...[
        `!touch ${out}`,
        `\\! touch ${out}`,
        `:save ${out}`,
        `--rdb ${out}`,
        `-x set ${out}`,
        `set x "$(touch ${out})"`,
      ],
      ...[`eval "os.execute('touch ${out}')" 0`, 'get x', 'script debug yes', 'eval "return 1" 0', 'restart'],
    ]
    const ended = await run(`${script.join('\n')}\n`, {
      cmdList: ['redis-cli', '-s', '$SOCKET'],
      env: {
        SOCKET: server.socket,
        REDISCLI_AUTH: 'redis-password',
        PAGER: `touch ${out}`,
        EDITOR: `touch ${out}`,
      },
    })
    expect({ code: ended.code, made: existsSync(out) }).toEqual({ code: '0', made: false })
    expect(ended.stdout).toContain("Use 'restart' only in Lua debugging mode")
  })
})

describe('a connection that blocks escapes', () => {
  it.each([
    [
      'psql',
      'echo "psql (PostgreSQL) 15.18 (Debian 15.18-1)"',
      'psql 15.18 cannot block escapes. Install psql 14.24, 15.19, 16.15, 17.11 or 18.6,',
    ],
    ['psql', 'echo "psql (PostgreSQL) 13.23"', 'psql 13.23 cannot'],
    ['psql', 'echo "psql (PostgreSQL) 19beta1"', 'psql 19beta1 cannot'],
    ['psql', 'echo "psql (EnterpriseDB) 15.20.0"', 'this psql, whose version is not known, cannot'],
    ['psql', 'echo "psql (PostgreSQL) 15.20"; exit 1', 'this psql, whose version is not known, cannot'],
    [
      'mysql',
      '[ "$1" = --version ] || exit 2; echo "mysql  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)"',
      'mysql 8.4.3 cannot block escapes. Install a client of MariaDB',
    ],
    [
      'mariadb',
      '[ "$1" = --version ] || exit 7; echo "mariadb  Ver 15.1 Distrib 10.6.12-MariaDB, for Linux (x86_64)"',
      'mariadb 10.6.12-MariaDB cannot',
    ],
  ])('refuses a %s that cannot: %s', async (name, text, expected) => {
    const ended = await run('select 1;\n', { cmdList: [program(name, text)] })
    expect(ended).toMatchObject({ code: '254', stdout: '' })
    expect(ended.reason).toContain(expected)
  })

  it('asks a client again once its file has changed', async () => {
    const says = (version: string) => `[ "$1" = --version ] && echo "psql (PostgreSQL) ${version}" || cat`
    const cmdList = [program('psql', says('15.19'))]
    for (let i = 0; i < 2; i++)
      expect(await run('hello', { cmdList })).toMatchObject({
        code: '0',
        stdout: expect.stringMatching(/\nhello$/) as string,
      })
    program('psql', says('15.18'))
    expect(await run('hello', { cmdList })).toMatchObject({ code: '254', stdout: '' })
  })

  it.each([[['bash', '-c', 'psql']], [['env', 'psql']], [['mongosh']], [['sqlcmd']], [['']]])(
    'refuses the command %j, with what to do',
    async (cmdList) => {
      const ended = await run('', { cmdList })
      expect(ended.code).toBe('254')
      expect(ended.reason).toContain('Begin the command with one of these')
    },
  )

  it('refuses sqlite3, whose safe mode reads files, whatever the script is', async () => {
    for (const cmdList of [
      ['sqlite3', ':memory:'],
      ['/usr/bin/sqlite3', '-safe'],
    ]) {
      const ended = await run('select 1;\n', { cmdList })
      expect(ended).toMatchObject({ code: '254', stdout: '' })
      expect(ended.reason).toContain('sqlite3 cannot block escapes')
    }
  })

  it('refuses a terminal, with what to do', async () => {
    const ended = await run('', { cmdList: ['psql'], clientVerb: 'connect' })
    expect(ended).toMatchObject({ code: '254' })
    expect(ended.reason).toContain('a terminal cannot block escapes')
  })

  it('says that a client is not there as ever', async () => {
    const ended = await run('', { cmdList: [path.join(folder, 'psql')] })
    expect(ended.code).toBe('127')
  })

  it('refuses a wish that it does not understand, and does not hear one of a caller', async () => {
    expect(await run('echo ran', { cmdList: ['sh'], escapes: 'yes' })).toMatchObject({
      code: '254',
      stdout: '',
    })
    const open = await run(
      'echo ran; env',
      { cmdList: ['sh'], escapes: 'allow' },
      { RUNBOOK_AGENT_CLIENT_ESCAPES: 'block' },
    )
    expect(open).toMatchObject({ code: '0' })
    expect(open.stdout).not.toContain('CLIENT_ESCAPES')
    const blocked = await run('', { cmdList: ['sh'] }, { RUNBOOK_AGENT_CLIENT_ESCAPES: 'allow' })
    expect(blocked.code).toBe('254')
  })
})
