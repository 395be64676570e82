import { describe, expect, it } from 'vitest'
import { missingPostgres, postgresDatabase, type PostgresDatabase } from '../../support/machine/databases.ts'
import { shell } from '../../support/terminals/shell.ts'
import { Site } from '../../support/sites/site.ts'

// Runbooks on a database where scripts are not allowed, with the built program: from gateway.yaml to the client.

const missing = await missingPostgres()

const connection = ({ host, port, name, password }: PostgresDatabase, access: object) => ({
  ...{ type: 'database', subtype: 'postgres', access: { exec: false, ...access } },
  command: ['psql', '-v', 'ON_ERROR_STOP=1', '-A', '-t', '-h', '$HOST', '-U', '$USER', '--port=$PORT', '$DB'],
  env: { HOST: host, PORT: port, USER: name, PASS: password, DB: name },
})

const runbooks = {
  'named.runbook.sql': `{{ .who | asenv "WHO" }}\\getenv who WHO\nselect :'who';\n`,
  'pasted.runbook.sql': `select {{ .who | squote }};\n`,
}

describe.skipIf(missing !== undefined)(
  `runbooks on PostgreSQL${missing === undefined ? '' : `: no ${missing}`}`,
  () => {
    it('cannot leave psql by a parameter where scripts are not allowed, and the record has the script of the user', async () => {
      await using database = await postgresDatabase()
      const connections = [
        { name: 'closed', ...connection(database, {}) },
        { name: 'open', ...connection(database, { 'client-escapes': 'allow' }) },
      ]
      await using site = await Site.start({ connections, runbooks })
      const who = "x';\n\\! echo escaped\n--"
      const pasted = (name: string) => site.rest.runbook(name, 'pasted.runbook.sql', { parameters: { who } })
      expect((await pasted('open')).body.output).toContain('escaped\n')
      const closed = (await pasted('closed')).body
      expect(closed).toMatchObject({
        exit_code: 3,
        output: expect.stringContaining('backslash commands are restricted') as string,
      })
      expect(closed.output).not.toContain('escaped')
      const { script } = await site.rest.session(closed.session_id)
      expect(script.data).toBe(`select '${who}';\n`)
    })

    it('still have parameters as variables of psql', async () => {
      await using database = await postgresDatabase()
      await using site = await Site.start({
        connections: [{ name: 'closed', ...connection(database, {}) }],
        runbooks,
      })
      const who = "it's \\! data"
      const { body } = await site.rest.runbook('closed', 'named.runbook.sql', { parameters: { who } })
      expect(body).toMatchObject({ exit_code: 0, output: `${who}\n` })
      const line = `echo '\\! echo escaped' | runbook-agent exec --local closed --config gateway.yaml`
      expect(await shell(site.place, line)).toMatchObject({ code: 3, stdout: '' })
    })
  },
)
