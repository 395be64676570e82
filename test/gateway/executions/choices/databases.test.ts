import { describe, expect, it } from 'vitest'
import {
  missingMysql,
  missingPostgres,
  mysqlDatabase,
  postgresDatabase,
} from '../../../support/machine/databases.ts'
import { without } from '../../../support/machine/servers.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

// The forms of lists that docs/choices.md shows, by the clients as a connection starts them.

const [noPostgres, noMysql] = [await missingPostgres(), await missingMysql()]

const TABLE = `create table tenants (slug varchar(20), name varchar(40), region varchar(4));
insert into tenants values ('acme', 'Acme, "Ltd"', 'eu'), ('zeta', 'Zeta', 'us');`
const EXPECTED = [
  { value: 'acme', label: 'Acme, "Ltd"', of: 'eu' },
  { value: 'zeta', label: 'Zeta', of: 'us' },
]

async function choicesOf(list: string, connection: string): Promise<unknown> {
  await using gateway = await RunningGateway.start(
    {
      'ops/of.runbook.sql':
        '{{/* options-from tenant ops/list.runbook.sql of region */}}{{ .tenant }}{{ .region }}',
      'ops/list.runbook.sql': list,
    },
    { connections: `\n  - { name: db, agent: local, ${connection}, runbooks: { repository: rb } }` },
  )
  await using agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  const path = '/api/runbooks/choices?connection_name=db&file_name=ops/of.runbook.sql&parameter=tenant'
  return (await gateway.request('GET', path)).body['choices']
}

describe('a list of choices', () => {
  it.skipIf(noPostgres !== undefined)(`is read by psql with copy${without(noPostgres)}`, async () => {
    await using database = await postgresDatabase()
    const { name, password, login } = database
    await database.sql(TABLE)
    const common = `type: database, subtype: postgres, env: { HOST: 127.0.0.1, USER: ${name}, PASS: ${password}, PGPASSWORD: ${password} }`
    const list = 'copy (select slug, name, region from tenants order by slug) to stdout;\n'
    expect(await choicesOf(list, `${common}, command: ${JSON.stringify(['psql', ...login])}`)).toEqual(
      EXPECTED,
    )
  })

  it.skipIf(noMysql !== undefined)(`is read by mysql with empty headings${without(noMysql)}`, async () => {
    await using database = await mysqlDatabase()
    const { name, password } = database
    const common = `type: mysql, env: { HOST: 127.0.0.1, USER: ${name}, PASS: '${password}', MYSQL_PWD: '${password}' }`
    const command = JSON.stringify(['mysql', '-h', '127.0.0.1', '-u', name, name])
    const list =
      "select 'acme' as '', 'Acme, \"Ltd\"' as '', 'eu' as '' union all select 'zeta', 'Zeta', 'us';\n"
    expect(await choicesOf(list, `${common}, command: ${command}`)).toEqual(EXPECTED)
  })
})
