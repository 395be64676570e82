import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missingMysql, mysqlDatabase } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

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
  },
)
