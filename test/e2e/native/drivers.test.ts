import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import pg from 'pg'
import postgres from 'postgres'
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
import { waitFor } from '../../support/wait.ts'
import { Site } from '../../support/sites/site.ts'

const told = promisify(execFile)
const missing =
  (await missingPostgres()) ??
  (await missingMysql()) ??
  missingProgram('mariadb', 'redis-cli') ??
  (await told('redis-cli', ['-h', '127.0.0.1', 'ping']).then(
    () => undefined,
    () => 'a Redis on 127.0.0.1:6379',
  ))

describe.skipIf(missing !== undefined)(
  `drivers and clients at a port of connect, through gateway and agent${without(missing)}`,
  () => {
    let site: Site
    let database: PostgresDatabase
    let account: Account & AsyncDisposable
    const ports: Record<string, Program> = {}
    const numbers: Record<string, number> = {}

    beforeAll(async () => {
      database = await postgresDatabase()
      account = await mysqlDatabase()
      const { host, port, name, password } = database
      const env = { HOST: host, PORT: port, USER: name, PASS: password, DB: name }
      const login = { HOST: '127.0.0.1', USER: account.name, PASS: account.password }
      const redis = { HOST: '127.0.0.1', PORT: '6379' }
      site = await Site.start({
        connections: [
          { name: 'pg', type: 'database', subtype: 'postgres', command: ['psql'], env },
          { name: 'my', type: 'database', subtype: 'mysql', command: ['mysql'], env: login },
          { name: 'redis', type: 'application', subtype: 'tcp', command: ['redis-cli'], env: redis },
        ],
      })
      for (const connection of ['pg', 'my', 'redis']) {
        const program = new Program(site.place, ['connect', connection, '--port', '0', '--json'], {
          HOOP_APIURL: `http://${site.address}`,
          HOOP_TOKEN: site.token,
        })
        ports[connection] = program
        const [line] = await program.says('stderr', /^\{.*listening.*\}$/m)
        numbers[connection] = (JSON.parse(line) as { readonly port: number }).port
      }
      await database.sql('create table people (id int primary key, name text)')
    })
    afterAll(async () => {
      for (const program of Object.values(ports)) await program[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await account[Symbol.asyncDispose]()
    })

    const noop = { host: '127.0.0.1', user: 'noop', password: 'noop', database: 'noop' }
    const noopArgs = ['-h', '127.0.0.1', '-U', 'noop', '-d', 'noop']

    it('node-postgres: parameters, names, errors, a transaction, a pool, and NOTIFY', async () => {
      const pool = new pg.Pool({ ...noop, port: numbers['pg'], max: 10, ssl: false })
      const sums = await Promise.all(
        Array.from({ length: 40 }, (_, n) => pool.query<{ sum: number }>('select $1::int + 1 as sum', [n])),
      )
      expect(sums.map(({ rows }) => rows[0]?.sum)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
      const client = await pool.connect()
      const named = { name: 'one', text: 'select current_user = $1 as mine', values: [database.name] }
      for (let times = 0; times < 2; times += 1)
        expect((await client.query<{ mine: boolean }>(named)).rows).toEqual([{ mine: true }])
      await client.query('begin')
      await client.query("insert into people values (1, 'Ada')")
      await expect(client.query("insert into people values (1, 'again')")).rejects.toMatchObject({
        code: '23505',
      })
      await client.query('rollback')
      const heard = new Promise<string | undefined>((resolve) => {
        client.on('notification', ({ payload }) => resolve(payload))
      })
      await client.query('listen news')
      await pool.query("notify news, 'hello'")
      expect(await heard).toBe('hello')
      client.release()
      await pool.end()
    })

    it('postgres: pipelined queries, COPY both ways, and a statement that is cancelled', async () => {
      const sql = postgres({
        ...noop,
        port: numbers['pg'] ?? 0,
        max: 2,
        ssl: false,
        onnotice: () => undefined,
      })
      const values = await Promise.all(
        Array.from({ length: 200 }, (_, n) => sql<{ n: number }[]>`select ${n}::int as n`),
      )
      expect(values.map(([row]) => row?.n)).toEqual(Array.from({ length: 200 }, (_, n) => n))
      const lines = Array.from({ length: 5000 }, (_, n) => `${n + 10}\tname ${n}\n`)
      await pipeline(Readable.from(lines), await sql`copy people from stdin`.writable())
      const read: Buffer[] = []
      for await (const piece of await sql`copy people to stdout`.readable()) read.push(piece as Buffer)
      expect(Buffer.concat(read).toString()).toBe(lines.join(''))
      const sleeping = sql`select pg_sleep(1000)`
      const caught = sleeping.catch((error: unknown) => error)
      const active = "select count(*) from pg_stat_activity where query = 'select pg_sleep(1000)'"
      await waitFor(async () => (await database.sql(active)) === '1')
      sleeping.cancel()
      expect(await caught).toMatchObject({ code: '57014' })
      await sql.end()
    })

    it('psql: \\copy both ways', async () => {
      const env = {
        PATH: process.env['PATH'],
        PGPASSWORD: 'noop',
        PGPORT: String(numbers['pg']),
        PGSSLMODE: 'disable',
      }
      const file = site.place.write(
        'rows.tsv',
        Array.from({ length: 1000 }, (_, n) => `${n}\tx${n}\n`).join(''),
      )
      const out = site.place.at('out.tsv')
      const run = ['create table c (id int, name text)', `\\copy c from '${file}'`, `\\copy c to '${out}'`]
      await told('psql', ['-X', ...noopArgs, ...run.flatMap((one) => ['-c', one])], { env })
      expect((await told('cmp', [file, out])).stdout).toBe('')
    })

    it.each(['mysql', 'mariadb'])('%s: several statements, and an error', async (program) => {
      const login = ['--no-defaults', '-h127.0.0.1', `-P${numbers['my']}`, '-unoop', '-pnoop', account.name]
      const table = `t_${program}`
      const statements = `create table ${table} (n int); insert into ${table} values (1), (2); select sum(n) from ${table}; selec`
      const asked = told(program, [...login, '-N', '-B', '-e', statements])
      await expect(asked).rejects.toMatchObject({
        stdout: '3\n',
        stderr: expect.stringContaining('ERROR 1064') as string,
      })
    })

    it('redis-cli: values of many bytes, and a pipeline', async () => {
      const key = `runbook-test-${randomBytes(8).toString('hex')}`
      const redis = (...args: string[]) =>
        told('redis-cli', ['-h', '127.0.0.1', '-p', String(numbers['redis']), ...args], {
          maxBuffer: 64_000_000,
        })
      const value = 'v'.repeat(100_000)
      await redis('set', key, value)
      expect((await redis('get', key)).stdout).toBe(`${value}\n`)
      expect((await redis('-r', '50', 'incr', `${key}:n`)).stdout.trim().split('\n').at(-1)).toBe('50')
      await redis('del', key, `${key}:n`)
    })
  },
)
