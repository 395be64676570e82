import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  missingMysql,
  missingPostgres,
  mysqlDatabase,
  postgresDatabase,
  type Account,
  type PostgresDatabase,
} from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

const missing = (await missingPostgres()) ?? (await missingMysql())

describe.skipIf(missing !== undefined)(
  `native clients of connections with rules in gateway.yaml, and of an agent with its owner's${without(missing)}`,
  () => {
    let site: Site
    let database: PostgresDatabase
    let account: Account & AsyncDisposable

    beforeAll(async () => {
      database = await postgresDatabase()
      account = await mysqlDatabase()
      const { host, port, name, password } = database
      const ruled = { type: 'database', guardrails: ['no-drops'], masking: ['mails'] }
      const login = { HOST: '127.0.0.1', USER: account.name, PASS: account.password }
      const env = { HOST: host, PORT: port, USER: name, PASS: password, DB: name }
      const owners = [{ type: 'deny_words_list', words: ['TRUNCATE'], message: 'ask the owner' }]
      site = await Site.start({
        connections: [
          { ...ruled, name: 'pg', subtype: 'postgres', command: ['psql'], env },
          { ...ruled, name: 'my', subtype: 'mysql', command: ['mysql'], env: login },
        ],
        guardrails: [
          {
            name: 'no-drops',
            input: [{ type: 'deny_words_list', words: ['DROP TABLE'], message: 'no drops' }],
            output: [{ type: 'deny_words_list', words: ['s3cret'], message: 'no secrets' }],
          },
        ],
        masking: [{ name: 'mails', entities: ['EMAIL_ADDRESS'] }],
        files: { 'owner.json': JSON.stringify({ rules: owners }) },
        env: { RUNBOOK_AGENT_POLICY_INPUT_RULES: 'owner.json' },
      })
      await database.sql("create table people as select 'ann@example.com' as mail")
      const { name: user, password: secret } = account
      const sql = "create table people as select 'ann@example.com' as mail"
      await promisify(execFile)('mysql', [
        '--no-defaults',
        `-u${user}`,
        `-p${secret}`,
        '-h127.0.0.1',
        user,
        '-e',
        sql,
      ])
    })
    afterAll(async () => {
      await site[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await account[Symbol.asyncDispose]()
    })

    async function said(connection: string, run: string): Promise<string> {
      const ran = await runProgram(site.place, ['connect', connection, '--run', run], {
        HOOP_APIURL: `http://${site.address}`,
        HOOP_TOKEN: site.token,
      })
      return ran.stdout + ran.stderr
    }

    it.each([
      { connection: 'pg', client: 'psql -X -A -t', each: '-c', refused: 'ERROR:' },
      {
        connection: 'my',
        client: 'mysql --no-defaults -N -B --force',
        each: '-e',
        refused: 'ERROR 1644 (45000)',
      },
    ])(
      '$connection: are refused by both, masked, and recorded',
      async ({ connection, client, each, refused }) => {
        const use = connection === 'my' ? ` ${account.name}` : ''
        const run = (sql: string) => `${client}${use} ${each} "${sql}"`
        const statements = [
          'DROP TABLE people',
          'TRUNCATE people',
          'select mail from people',
          "select 's3' || 'cret', concat('s3', 'cret')",
        ]
        const output = await said(connection, statements.map(run).join('; '))
        expect(output).toContain(refused)
        expect(output).toContain('no drops')
        expect(output).toContain('ask the owner')
        expect(output).toContain('<EMAIL_ADDRESS>')
        expect(output).toContain('no secrets')
        expect(output).not.toMatch(/ann@example\.com|s3cret/)
        const recorded = await site.rest.lastStatements()
        expect(
          recorded.map(({ query, state }) => [query, state]).filter(([query]) => query?.includes('people')),
        ).toEqual([
          ['DROP TABLE people', 'failed'],
          ['TRUNCATE people', 'failed'],
          ['select mail from people', 'done'],
        ])
        expect(JSON.stringify(recorded)).not.toContain('ann@example.com')
        const { body } = await site.rest.send('GET', `/api/sessions/${await site.rest.lastSession()}`)
        expect(JSON.parse(body)).toMatchObject({
          exit_code: 0,
          state: { name: 'succeeded' },
          guardrails_info: [
            { rule_name: 'no-drops', direction: 'input', matched_words: ['DROP TABLE'] },
            { rule_name: 'owner of the server, owner.json:1', direction: 'input' },
            { rule_name: 'no-drops', direction: 'output', matched_words: ['s3cret'] },
          ],
          metrics: { data_masking: { total_redact_count: 1, info_types: { EMAIL_ADDRESS: 1 } } },
        })
        const succeeded = await site.rest.send('GET', '/api/sessions?outcome=succeeded&limit=1')
        expect(succeeded.body).toContain(await site.rest.lastSession())
      },
    )
  },
)
