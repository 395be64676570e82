import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingPostgres, postgresDatabase, type PostgresDatabase } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

const missing = await missingPostgres()

describe.skipIf(missing !== undefined)(
  `psql by connect --run, through gateway and agent${without(missing)}`,
  () => {
    let site: Site
    let database: PostgresDatabase

    beforeAll(async () => {
      database = await postgresDatabase()
      const { host, port, name, password } = database
      const env = { HOST: host, PORT: port, USER: name, PASS: password, DB: name }
      const pg = { name: 'pg', type: 'database', subtype: 'postgres', command: ['psql'], env }
      site = await Site.start({ connections: [pg] })
    })
    afterAll(async () => {
      await site[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    })

    it('knows no password, and its statements are in the record, without the secrets and values in them', async () => {
      const sql = `select current_user = '${database.name}', '${database.password}' as p`
      const ran = await runProgram(
        site.place,
        ['connect', 'pg', '--run', `psql -X -A -t -c "${sql}"; echo "$PGUSER $PGPASSWORD"; exit 3`],
        { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token },
      )
      expect([ran.code, ran.stdout]).toEqual([3, `t|${database.password}\nnoop noop\n`])
      const recorded = await site.rest.lastRecord()
      expect(recorded).toContain("[1] select current_user = '")
      expect(recorded).not.toContain(database.password)
    })

    it('sets a password that is in no record, and the rest of its statement is', async () => {
      const [role, word] = [`${database.name}_role`, randomBytes(12).toString('hex')]
      // The role is never made: the database's user may make none. The statement reaches the server.
      const sql = `create role ${role} /* new */ password '${word}'; alter user ${role} password $x$${word}$x$`
      const account = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
      const script = site.place.write('role.sql', sql)
      const ran = await runProgram(site.place, ['connect', 'pg', '--run', `psql -X -f ${script}`], account)
      expect(ran.stderr).toContain('permission denied')
      const [first] = await site.rest.lastStatements()
      expect(first?.query).toBe(`create role ${role} /* new */ password '[REDACTED]';`)
      const shown = await runProgram(site.place, ['sessions', 'show', await site.rest.lastSession()], account)
      expect(shown.stdout + (await site.rest.lastRecord())).not.toContain(word)
      for (const file of readdirSync(site.place.at('state')).filter((name) => name.startsWith('history')))
        expect(readFileSync(site.place.at('state', file)).includes(word)).toBe(false)
      expect(site.agent.stderr + site.gateway.stderr).not.toContain(word)
    })

    it('are shown with duration and rows, and with their errors, by REST and the command line', async () => {
      const asked = [
        'create table t (n int); insert into t select generate_series(1, 50); select * from t',
        'select 1/0',
        'update t set n = 0 where n < 11',
        'copy t from stdin',
      ]
      const clients = asked.map((sql) => `psql -X -q -o /dev/null -c "${sql}" </dev/null; `).join('')
      const bench = 'echo "select 7;" > b.sql; pgbench -n -M prepared -t 3 -f b.sql >/dev/null'
      const account = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
      await runProgram(site.place, ['connect', 'pg', '--run', `${clients} ${bench}; true`], account)
      const execution = expect.stringMatching(/^\(execute P\w*_0\)$/) as string
      const statements = await site.rest.lastStatements()
      expect(
        statements.map(({ query, state, rows, error_text: said }) => [query, state, rows, said]),
      ).toEqual([
        [asked[0], 'done', 100, null],
        [asked[1], 'failed', null, 'division by zero'],
        [asked[2], 'done', 10, null],
        [asked[3], 'done', 0, null],
        ['select 7;', 'prepared', null, null],
        ...Array.from({ length: 3 }, () => [execution, 'done', 1, null]),
      ])
      expect(statements.flatMap(({ error }) => error ?? [])).toEqual(['22012'])
      expect(statements.every(({ duration_ms: ms }) => ms !== null && ms < 60_000)).toBe(true)
      const shown = await runProgram(site.place, ['sessions', 'show', await site.rest.lastSession()], account)
      expect(JSON.parse(shown.stdout)).toMatchObject({
        ...{ port: true, statements, statements_total: 8, statements_has_more: false },
      })
    })

    it('shows a thousand statements in JSON, with the number of all and whether there are more', async () => {
      const account = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
      const select = 'for n in $(seq 1002); do echo "select $n;"; done | psql -X -q -o /dev/null'
      await runProgram(site.place, ['connect', 'pg', '--run', select], account)
      const shown = await runProgram(site.place, ['sessions', 'show', await site.rest.lastSession()], account)
      const { statements, ...rest } = JSON.parse(shown.stdout) as { statements: readonly object[] }
      expect(statements).toHaveLength(1000)
      expect(rest).toMatchObject({ statements_total: 1002, statements_has_more: true })
    })
  },
)
