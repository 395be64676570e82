import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseTemplate } from '../../src/template/runbook.ts'
import { missingPostgres, postgresDatabase, type PostgresDatabase } from '../support/machine/databases.ts'

// The examples teach how a parameter gets into a script. They really run here, with values that want to be code.

type Values = Readonly<Record<string, string>>

function example(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../examples/runbooks/${name}`, import.meta.url)), 'utf8')
}

/** What the command of a connection makes of a runbook: the script on its stdin, what `asenv` sets in its environment. */
function run(
  command: readonly [string, ...string[]],
  template: string,
  parameters: Values,
  env: Values = {},
): string {
  const [program, ...args] = command
  const rendered = parseTemplate(template).render(new Map(Object.entries(parameters)))
  const variables: Record<string, string> = {}
  for (const [key, value] of rendered.env) {
    variables[key.replace('envvar:', '')] = Buffer.from(value, 'base64').toString()
  }
  return execFileSync(program, args, {
    input: rendered.bytes,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...variables, ...env },
  })
}

function runSql({ login, password }: PostgresDatabase, template: string, parameters: Values): string {
  const command = ['psql', '-v', 'ON_ERROR_STOP=1', '-A', '-t', ...login] as const
  return run(command, template, parameters, { PGPASSWORD: password })
}

describe('an example', () => {
  test.each([
    "/x'; echo RAN; : '",
    '$(echo RAN)',
    '`echo RAN`',
    '/x"; echo RAN; "',
    '/x\necho RAN',
    '--help',
  ])('takes the folder %j as a folder that is not there', (folder) => {
    expect(run(['bash'], example('ops/disk-usage.runbook.sh'), { folder })).toBe('')
  })

  test('shows the largest entries of a folder', () => {
    const output = run(['bash'], example('ops/disk-usage.runbook.sh'), { folder: '/etc', count: '1' })
    expect(output).toMatch(/^\d+\t\/etc\n$/)
  })

  test('greets, and refuses a name that is none', () => {
    const hello = example('ops/hello.runbook.sh')
    expect(run(['bash'], hello, { name: 'Ada Lovelace' }, { GREETING: 'hello' })).toContain(
      'hello, Ada Lovelace\n',
    )
    expect(() => run(['bash'], hello, { name: 'a; id' })).toThrow("pattern didn't match")
  })

  test('prints a report with Python', () => {
    const output = run(['python3', '-'], example('python/report.runbook.py'), {
      password: `"'); exit(3)`,
      rows: '2',
    })
    expect(JSON.parse(output)).toEqual({
      rows: [
        { id: 0, square: 0 },
        { id: 1, square: 1 },
      ],
      password_length: 12,
    })
  })

  test('asks PostgreSQL for sessions of one of its states', async ({ skip }) => {
    const missing = await missingPostgres()
    skip(missing !== undefined, missing)
    await using database = await postgresDatabase()
    const activity = (parameters: Values) => runSql(database, example('sql/activity.runbook.sql'), parameters)
    expect(activity({ limit: '3' })).toContain(`|${database.name}|active\n`)
    const refused = () => activity({ state: "idle' or 'a' = 'a" })
    expect(refused).toThrow('parameter state has to be one of active, idle')
  })
})

describe('a form that docs/runbooks.md calls safe, with psql,', () => {
  const hostile = [
    `'; select 'RAN`,
    "\\'; select 'RAN' --",
    '\\! echo RAN',
    '\n\\! echo RAN\n',
    '`echo RAN`',
    ':x',
    `:'x'`,
    '',
  ]

  test.for([
    ['asenv and \\getenv', "{{ .x | asenv \"X\" }}\n\\getenv x X\nselect length(:'x'), md5(:'x');"],
    [
      'encodeb64',
      "select length(x), md5(x) from convert_from(decode('{{ .x | encodeb64 }}', 'base64'), 'UTF8') as x;",
    ],
  ] as const)('keeps every value data: %s', async ([, template], { skip }) => {
    const missing = await missingPostgres()
    skip(missing !== undefined, missing)
    await using database = await postgresDatabase()
    for (const x of hostile) {
      const [length, hash] = runSql(database, template, { x }).trim().split('|')
      const digest = execFileSync('md5sum', [], { input: x, encoding: 'utf8' }).slice(0, 32)
      expect([x, length, hash]).toEqual([x, String(x.length), digest])
    }
  })
})
