import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingMysql, mysqlDatabase } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { Program, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

const told = promisify(execFile)
const missing = await missingMysql()

describe.skipIf(missing !== undefined)(
  `mysql by connect --run, through gateway and agent${without(missing)}`,
  () => {
    let site: Site
    let account: Awaited<ReturnType<typeof mysqlDatabase>>

    beforeAll(async () => {
      account = await mysqlDatabase()
      const env = { HOST: '127.0.0.1', USER: account.name, PASS: account.password }
      const my = { name: 'my', type: 'database', subtype: 'mysql', command: ['mysql'], env }
      site = await Site.start({ connections: [my] })
    })
    afterAll(async () => {
      await site[Symbol.asyncDispose]()
      await account[Symbol.asyncDispose]()
    })

    it('knows no password, and its statements are in the record, without the secrets in them', async () => {
      const sql = `select substring_index(current_user(), '@', 1) = '${account.name}', '${account.password}'`
      const ran = await runProgram(
        site.place,
        [
          'connect',
          'my',
          '--run',
          `mysql --no-defaults -u noop -N -B -e "${sql}"; echo "$MYSQL_PWD"; exit 3`,
        ],
        { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token },
      )
      expect([ran.code, ran.stdout]).toEqual([3, `1\t${account.password}\nnoop\n`])
      const recorded = await site.rest.lastRecord()
      expect(recorded).toContain('[1] select substring_index(current_user()')
      expect(recorded).not.toContain(account.password)
    })

    it('are shown with duration and rows, and with their errors, prepared ones too', async () => {
      const env = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
      await using port = new Program(site.place, ['connect', 'my', '--port', '0', '--json'], env)
      const [line] = await port.says('stderr', /^\{.*listening.*\}$/m)
      const { port: number } = JSON.parse(line) as { readonly port: number }
      const login = { host: '127.0.0.1', user: 'noop', password: 'noop', database: account.name }
      const db = await createConnection({ ...login, port: number, multipleStatements: true })
      await db.query('create table t (n int); insert into t values (1), (2), (3); select * from t')
      await db.execute('select n, ? as m from t where n > ?', [1, 1])
      await db.ping()
      await db.execute('select n, ? as m from t where n > ?', [1, 0])
      await expect(db.query('selec')).rejects.toThrow()
      await db.query('update t set n = 4 where n < 3')
      await db.end()
      const bulk = 'select seq from seq_1_to_20000'
      await told('mysql', [
        '--no-defaults',
        '-h127.0.0.1',
        `-P${number}`,
        '-unoop',
        '-pnoop',
        account.name,
        '-e',
        bulk,
      ])
      port.signal('SIGINT')
      await port.ended()
      const statements = await site.rest.lastStatements()
      // MariaDB numbers statements on in a thread that it uses again.
      const shown = statements.map(({ query, ...rest }) => ({
        query: query.replace(/^\(execute \d+\)$/, '(execute 1)'),
        ...rest,
      }))
      expect(shown.map(({ query, state, rows, error }) => [query, state, rows, error])).toEqual([
        ['create table t (n int); insert into t values (1), (2), (3); select * from t', 'done', 6, null],
        ['select n, ? as m from t where n > ?', 'prepared', null, null],
        ['(execute 1)', 'done', 2, null],
        ['(execute 1)', 'done', 3, null],
        ['selec', 'failed', null, '1064'],
        ['update t set n = 4 where n < 3', 'done', 2, null],
        [bulk, 'done', 20_000, null],
      ])
      const texts = statements.flatMap(({ error_text: said }) => said ?? [])
      expect(texts).toEqual([
        expect.stringMatching(/^You have an error in your SQL syntax;.* 'selec' at line 1$/),
      ])
      expect(statements.every(({ duration_ms: ms }) => ms !== null && ms < 60_000)).toBe(true)
    })
  },
)
