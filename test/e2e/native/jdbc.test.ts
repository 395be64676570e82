import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
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
import { missingProgram, without } from '../../support/machine/servers.ts'
import { Program } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

const told = promisify(execFile)
const jars = ['/usr/share/java/postgresql.jar', '/usr/share/java/mariadb-java-client.jar']
const missing =
  (await missingPostgres()) ??
  (await missingMysql()) ??
  missingProgram('java') ??
  jars.find((jar) => !existsSync(jar))

const PEOPLE = "create table people as select 1 as n, 'ann@example.com' as mail, 4111111111111111 as card"

describe.skipIf(missing !== undefined)(
  `JDBC at a port of connect, through gateway and agent${without(missing)}`,
  () => {
    let site: Site
    let database: PostgresDatabase
    let account: Account & AsyncDisposable

    beforeAll(async () => {
      database = await postgresDatabase()
      account = await mysqlDatabase()
      const pgLogin = { USER: database.name, PASS: database.password, DB: database.name }
      const myLogin = { HOST: '127.0.0.1', USER: account.name, PASS: account.password }
      const pgEnv = { HOST: database.host, PORT: database.port, ...pgLogin }
      const pg = { type: 'database', subtype: 'postgres', command: ['psql'], env: pgEnv }
      const my = { type: 'database', subtype: 'mysql', command: ['mysql'], env: myLogin }
      const ruled = { guardrails: ['no-drops'], masking: ['mails'] }
      site = await Site.start({
        connections: [
          { ...pg, name: 'pg' },
          { ...pg, ...ruled, name: 'pg-ruled' },
          { ...my, name: 'my' },
          { ...my, ...ruled, name: 'my-ruled' },
        ],
        guardrails: [
          {
            name: 'no-drops',
            input: [{ type: 'deny_words_list', words: ['drop table'], message: 'no drops' }],
          },
        ],
        masking: [{ name: 'mails', entities: ['EMAIL_ADDRESS', 'CREDIT_CARD'] }],
      })
      await database.sql(PEOPLE)
      const { name: user, password: secret } = account
      await told('mysql', ['--no-defaults', `-u${user}`, `-p${secret}`, '-h127.0.0.1', user, '-e', PEOPLE])
    })
    afterAll(async () => {
      await site[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await account[Symbol.asyncDispose]()
    })

    function listening(connection: string): Program {
      return new Program(site.place, ['connect', connection, '--port', '0', '--json'], {
        HOOP_APIURL: `http://${site.address}`,
        HOOP_TOKEN: site.token,
      })
    }

    async function portOf(program: Program): Promise<string> {
      const [line] = await program.says('stderr', /^\{.*listening.*\}$/m)
      return String((JSON.parse(line) as { readonly port: number }).port)
    }

    /** By the options of the driver, the facts by their names. */
    async function facts(kind: string, connections: readonly [string, string], name: string) {
      await using plain = listening(connections[0])
      await using ruled = listening(connections[1])
      const ports = await Promise.all([plain, ruled].map(portOf))
      const java = [
        '-XX:TieredStopAtLevel=1',
        '-XX:-UsePerfData',
        '-cp',
        jars.join(':'),
        'test/fixtures/jdbc/Jdbc.java',
      ]
      const { stdout } = await told('java', [...java, kind, ...ports, name])
      const all: Record<string, Record<string, string>> = {}
      for (const line of stdout.trimEnd().split('\n')) {
        const [options = '', fact = '', ...value] = line.split('\t')
        all[options] = { ...all[options], [fact]: value.join('\t') }
      }
      return all
    }

    const matching = (text: RegExp) => expect.stringMatching(text) as string
    const everything = (user: string, noColumn: RegExp) => ({
      user,
      prepared: '55',
      batch: '199 19900',
      rollback: '0 200',
      // The one row without a time counts as one more.
      fetch: '19901',
      error: matching(noColumn),
      tables: '1',
      'rows afterwards': '200',
    })

    it('pgjdbc: its modes, cursors, COPY, cancel, a pool, rules, and masked rows', async () => {
      const { name } = database
      const all = everything(name, /^42703 ERROR: column "nothing" does not exist/)
      const blocked = matching(/^42501 .*Blocked by .* Rules: no drops/)
      const ruled = {
        refused: blocked,
        'refused value': blocked,
        'refused in a batch': blocked,
        masked: '<EMAIL_ADDRESS>',
        'masked number': '<CREDIT_CARD>',
        afterwards: '7',
      }
      const cancelled = matching(/^57014 /)
      expect(await facts('postgresql', ['pg', 'pg-ruled'], name)).toEqual({
        '': {
          ...all,
          ...{ cancel: cancelled, timeout: cancelled, pool: '20', copy: '5000 true' },
          ...ruled,
          // The driver changes to the binary format of numbers after five executions.
          'masked number': matching(/^42501 .*must be masked.*binaryTransfer=false/),
          'copy of masked rows': '1\t<EMAIL_ADDRESS>\t<CREDIT_CARD>',
          // The driver leaves out the agent's reason.
          'copy in binary': matching(/^08006 /),
          'function call': matching(/^42501 .*function calls .* refused/),
        },
        'preferQueryMode=simple': { ...all, ...ruled },
        'prepareThreshold=-1&gssEncMode=prefer': all,
        'binaryTransfer=false': { ...all, ...ruled },
        'prepareThreshold=0': ruled,
        'sslmode=require': { connect: matching(/^08004 The server does not support SSL/) },
      })
    })

    it("MariaDB's driver: its modes, cursors, cancel, a pool, rules, masked rows, and no files", async () => {
      const { name } = account
      const all = everything(name, /^42S22 .*Unknown column 'nothing'/)
      const blocked = matching(/^45000 .*Blocked by .* Rules: no drops/)
      const ruled = {
        refused: blocked,
        'refused value': blocked,
        'refused in a batch': blocked,
        masked: '<EMAIL_ADDRESS>',
        'masked number': '<CREDIT_CARD>',
        afterwards: '7',
      }
      expect(await facts('mariadb', ['my', 'my-ruled'], name)).toEqual({
        '': {
          ...all,
          ...{ cancel: matching(/^70100 /), timeout: matching(/^70100 /), pool: '20', several: '123' },
          file: matching(/local infile/),
          ...ruled,
        },
        'useServerPrepStmts=true': {
          ...all,
          ...ruled,
          // A number in the binary form has no place for the tag.
          'masked number': 'null',
          'value in pieces': matching(/^45000 .*COM_STMT_SEND_LONG_DATA/),
        },
        'useCompression=true&trustServerCertificate=true': all,
        'rewriteBatchedStatements=true': all,
        'useSsl=true': { connect: matching(/^08000 .*ssl not enabled in the server/) },
      })
    })
  },
)
