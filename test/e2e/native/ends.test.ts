import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingPostgres, postgresDatabase, type PostgresDatabase } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { Program } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

const missing = await missingPostgres()

/** The way to the database, which a test can cut. */
let way: Server
const sockets = new Set<Socket>()
let site: Site
let database: PostgresDatabase

describe.skipIf(missing !== undefined)(
  `a native client in the middle of a statement${without(missing)}`,
  () => {
    beforeAll(async () => {
      database = await postgresDatabase()
      way = createServer((client) => {
        const server = connect(Number(database.port), database.host)
        for (const [one, other] of [
          [client, server],
          [server, client],
        ] as const) {
          sockets.add(one)
          one.pipe(other).on('error', () => undefined)
          one.on('close', () => other.destroy()).on('error', () => undefined)
        }
      })
      await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve))
      const { port } = way.address() as AddressInfo
      const env = { HOST: '127.0.0.1', PORT: String(port), USER: database.name, PASS: database.password }
      const named = { name: 'pg', type: 'database', subtype: 'postgres', command: ['psql'] }
      site = await Site.start({ connections: [{ ...named, env: { ...env, DB: database.name } }] })
      await database.sql('create table ran (what text)')
    })
    afterAll(async () => {
      await site[Symbol.asyncDispose]()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => way.close(resolve))
      await database[Symbol.asyncDispose]()
    })

    const sleeping = () =>
      database.sql(
        "select count(*) from pg_stat_activity where query like '%sleep(1000)' and state = 'active'",
      )

    /**
     * Ends something while a statement runs. Nothing is executed twice, and the server goes on with nothing, unless nobody
     * is left who could tell it.
     * @returns what the client is told, and its code
     */
    async function interrupted(what: string, end: () => unknown, isCancelled = true) {
      const run = `psql -X -c "insert into ran values ('${what}')" -c "select pg_sleep(1000)"`
      await using program = new Program(site.place, ['connect', 'pg', '--run', run], {
        HOOP_APIURL: `http://${site.address}`,
        HOOP_TOKEN: site.token,
      })
      await waitFor(async () => (await sleeping()) === '1')
      await end()
      const { code } = await program.ended()
      if (!isCancelled)
        await database.sql(
          "select pg_terminate_backend(pid) from pg_stat_activity where query like '%sleep(1000)' and state = 'active'",
        )
      // Nothing is executed twice, and the server goes on with nothing.
      await waitFor(async () => (await sleeping()) === '0')
      expect(await database.sql(`select count(*) from ran where what = '${what}'`)).toBe('1')
      return { code, said: program.stderr }
    }

    it('is told that the server is lost', async () => {
      const cut = () => sockets.forEach((socket) => void socket.destroy())
      const { code, said } = await interrupted('server', cut, false)
      expect(said).toMatch(/FATAL: +the connection to .* was lost/)
      expect(code).toBe(2)
      const [inserted, slept] = await site.rest.lastStatements()
      expect(inserted).toMatchObject({ query: "insert into ran values ('server')", state: 'done', rows: 1 })
      expect(slept).toMatchObject({ state: 'failed', error: '08006' })
    })

    it('ends with its session when that is killed', async () => {
      const { code, said } = await interrupted('kill', async () =>
        site.rest.send('POST', `/api/sessions/${await site.rest.lastSession()}/kill`),
      )
      expect(said).toMatch(/server closed the connection|killed/)
      expect(code).not.toBe(0)
    })
  },
)
