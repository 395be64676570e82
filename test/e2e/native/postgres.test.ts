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
  },
)
