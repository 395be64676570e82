import { describe, expect, it } from 'vitest'
import {
  missingMysql,
  missingPostgres,
  mysqlDatabase,
  postgresDatabase,
} from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, userToken } from '../../support/sites/running-gateway.ts'

const [noPostgres, noMysql] = [await missingPostgres(), await missingMysql()]

interface Schema {
  readonly session_id: string
  readonly read_at: string
  readonly tables: readonly { schema: string; name: string; columns: { name: string; type: string }[] }[]
  readonly is_complete: boolean
  readonly problem: string | null
}

class Place implements AsyncDisposable {
  readonly gateway: RunningGateway
  readonly #agent: RunningAgent

  static async start(connections: string): Promise<Place> {
    const gateway = await RunningGateway.start({}, { connections })
    const agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
    return new Place(gateway, agent)
  }

  private constructor(gateway: RunningGateway, agent: RunningAgent) {
    this.gateway = gateway
    this.#agent = agent
  }

  async read(connection: string, more = {}, token = userToken): Promise<Schema> {
    const { status, body } = await this.ask({ connection, ...more }, token)
    expect(status).toBe(200)
    return body as unknown as Schema
  }

  ask(body: object, token = userToken) {
    return this.gateway.request('POST', '/api/sessions/schema', body, { authorization: `Bearer ${token}` })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent[Symbol.asyncDispose]()
    await this.gateway[Symbol.asyncDispose]()
  }
}

const SQL = `create table orders (id bigint primary key, "amount, net" numeric, note text);
create table carts (id int); create schema shop; create table shop."it's {odd}" (a int);`

describe('the tables of a database', () => {
  it.skipIf(noPostgres !== undefined)(
    `are read from PostgreSQL in a recorded session, whatever form its client prints${without(noPostgres)}`,
    async () => {
      await using database = await postgresDatabase()
      const { name, password, login } = database
      await database.sql(SQL)
      const common = `agent: local, type: database, subtype: postgres, env: { HOST: 127.0.0.1, USER: ${name}, PASS: ${password}, PGPASSWORD: ${password} }`
      const command = (...more: string[]) => JSON.stringify(['psql', ...login, ...more])
      await using place = await Place.start(`
  - { name: plain, ${common}, command: ${command()} }
  - { name: csv, ${common}, command: ${command('--csv')} }
  - { name: bare, ${common}, command: ${command('-A', '-t')} }
  - { name: off, ${common}, command: ${command()}, access: { schema: false } }
  - { name: asks, ${common}, command: ${command()}, review: { groups: [dba] } }
  - { name: broken, ${common}, command: [bash, -c, 'cat > /dev/null; echo no such host; exit 3'] }
  - { name: shell, agent: local, command: [bash] }`)
      const plain = await place.read('plain')
      expect(plain).toMatchObject({ is_complete: true, problem: null })
      expect(plain.tables).toEqual([
        { schema: 'public', name: 'carts', columns: [{ name: 'id', type: 'integer' }] },
        {
          ...{ schema: 'public', name: 'orders' },
          columns: [
            { name: 'id', type: 'bigint' },
            { name: 'amount, net', type: 'numeric' },
            { name: 'note', type: 'text' },
          ],
        },
        { schema: 'shop', name: "it's {odd}", columns: [{ name: 'a', type: 'integer' }] },
      ])
      for (const other of ['bare', 'csv'])
        expect((await place.read(other)).tables, other).toEqual(plain.tables)
      const { body: session } = await place.gateway.request('GET', `/api/sessions/${plain.session_id}`)
      expect(session).toMatchObject({ user: 'admin', connection: 'plain', labels: { purpose: 'schema' } })

      const broken = await place.read('broken')
      expect(broken).toMatchObject({ tables: [], is_complete: false, problem: 'no such host\n' })
      expect((await place.read('broken')).session_id).not.toBe(broken.session_id)
      await database.sql('drop table carts')
      expect(await place.read('plain')).toEqual(plain)
      const others = await place.read('plain', {}, otherToken)
      expect(others.tables).toHaveLength(2)
      expect((await place.read('plain', { fresh: true })).tables).toHaveLength(2)
      for (const [connection, reason] of [
        ['off', 'access.schema'],
        ['asks', 'need approval'],
        ['shell', 'only PostgreSQL and MySQL'],
      ]) {
        const { status, body } = await place.ask({ connection })
        expect([status, body['code'], body['message']]).toEqual([
          403,
          'not-permitted',
          expect.stringContaining(reason ?? ''),
        ])
      }
    },
  )

  // The agent connects to the server before it starts the client.
  it.skipIf(noPostgres !== undefined)(
    `are kept only if they have at most 1 MiB${without(noPostgres)}`,
    async () => {
      const prints = (bytes: number) =>
        `cat > /dev/null; printf '{"schema":"a","table":"b","columns":[["'; head -c ${bytes} /dev/zero | tr '\\0' x; echo '","int"]]}'`
      const connection = (name: string, bytes: number) =>
        `  - { name: ${name}, agent: local, type: postgres, env: { HOST: 127.0.0.1, USER: u, PASS: p }, command: [bash, -c, ${JSON.stringify(prints(bytes))}] }`
      await using place = await Place.start(
        ['', connection('small', 1000), connection('large', 1024 * 1024)].join('\n'),
      )
      const sessions = async (name: string) => {
        const answers = [await place.read(name), await place.read(name)]
        expect(answers.map(({ tables, problem }) => [tables.length, problem])).toEqual([
          [1, null],
          [1, null],
        ])
        return new Set(answers.map(({ session_id: id }) => id)).size
      }
      expect([await sessions('small'), await sessions('large')]).toEqual([1, 2])
    },
  )

  it.skipIf(noPostgres !== undefined)(
    `are read at once from a line that was cut off within its braces${without(noPostgres)}`,
    async () => {
      const print = `cat > /dev/null; head -c 1000000 /dev/zero | tr '\\0' '{'; echo; echo '| {"schema":"a","table":"b","columns":[]} |'`
      await using place = await Place.start(`
  - { name: cut, agent: local, type: postgres, env: { HOST: 127.0.0.1, USER: u, PASS: p }, command: [bash, -c, ${JSON.stringify(print)}] }`)
      const { tables } = await place.read('cut')
      expect(tables).toEqual([{ schema: 'a', name: 'b', columns: [] }])
    },
  )

  it.skipIf(noMysql !== undefined)(`are read from MySQL${without(noMysql)}`, async () => {
    await using database = await mysqlDatabase()
    const { name, password } = database
    const command = JSON.stringify(['mysql', '-h', '127.0.0.1', '-u', name, name])
    await using place = await Place.start(`
  - { name: shop, agent: local, type: mysql, command: ${command},
      env: { HOST: 127.0.0.1, USER: ${name}, PASS: '${password}', MYSQL_PWD: '${password}' } }`)
    const script = 'create table orders (id bigint, note text);'
    await place.gateway.request('POST', '/api/sessions', { connection: 'shop', script })
    const { tables, problem } = await place.read('shop')
    expect([problem, tables]).toEqual([
      null,
      [
        {
          ...{ schema: name, name: 'orders' },
          columns: expect.arrayContaining([
            { name: 'id', type: 'bigint' },
            { name: 'note', type: 'text' },
          ]) as unknown,
        },
      ],
    ])
  })
})
