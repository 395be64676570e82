import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseTemplate } from '../../src/template/runbook.ts'
import {
  missingMysql,
  missingPostgres,
  mysqlAccount,
  postgresDatabase,
  type PostgresDatabase,
} from '../support/machine/databases.ts'

// Quoted texts go through the programs that will read them: many in one start, each printed back as hexadecimal digits.

const ROUNDS = 400

function quoted(call: string, value: string): string {
  return parseTemplate(`{{ .x | ${call} }}`)
    .render(new Map([['x', value]]))
    .bytes.toString()
}

/** What has ended quotes somewhere, among ordinary characters. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ...Array.from(`'"\`$()\\;&|<>*?[]{}~#!%:=-/ \n\r\t\x01\x7f`),
      "''",
      '\\!',
      '\\g',
      '--',
      '/*',
      '$$',
      ":'x'",
      ':x',
    ),
    fc.constantFrom(
      '\ndelimiter x\n',
      '\n\\! id\n',
      '\n.shell id\n',
      '\ngo\n',
      '\n/\n',
      'é',
      '\u{1f600}',
      '\u2028',
      'ʼ',
      '＇',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 40,
})

function samples(accepted: (value: string) => boolean): string[] {
  const values = fc.sample(hostile, ROUNDS).map((value) => Buffer.from(value).toString())
  return values.filter((value) => !value.includes('\0') && accepted(value))
}

const hexOf = (value: string) => Buffer.from(value).toString('hex')

describe('shellquote', () => {
  test.each(['sh', 'bash'])('makes one word of any text for %s', (shell) => {
    const values = samples(() => true)
    const script = values.map(
      (value) => `printf %s ${quoted('shellquote', value)} | od -An -v -tx1 | tr -d ' \\n'; echo`,
    )
    const lines = execFileSync(shell, [], { input: script.join('\n'), encoding: 'utf8' }).split('\n')
    expect(lines.slice(0, -1)).toEqual(values.map(hexOf))
  })

  test('refuses NUL, which no word can hold', () => {
    expect(() => quoted('shellquote', 'a\0b')).toThrow(
      'error calling shellquote: a NUL byte cannot be quoted',
    )
  })
})

const withoutBackslash = (value: string) => !value.includes('\\')
/** These clients drop a carriage return at the end of a line before they look at SQL. */
const keptByLines = (value: string) => withoutBackslash(value) && !value.includes('\r')

function throughPsql({ login, password }: PostgresDatabase, input: string): string {
  const args = ['-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...login]
  const env = { PATH: process.env['PATH'], PGPASSWORD: password }
  return execFileSync('psql', args, { input, env, encoding: 'utf8' })
}

describe('sqlquote', () => {
  let without: { readonly postgres: string | undefined; readonly mysql: string | undefined }
  beforeAll(async () => {
    without = { postgres: await missingPostgres(), mysql: await missingMysql() }
  })

  test.for(['on', 'off'])(
    'makes one text for psql, standard_conforming_strings %s',
    async (conforming, { skip }) => {
      skip(without.postgres !== undefined, without.postgres)
      await using database = await postgresDatabase()
      const values = samples(withoutBackslash)
      const selects = values.map(
        (value) => `select encode(convert_to(${quoted('sqlquote', value)}, 'UTF8'), 'hex');`,
      )
      const settings = `set client_encoding = 'UTF8'; set standard_conforming_strings = ${conforming};\n`
      const output = throughPsql(database, settings + selects.join('\n'))
      expect(output.split('\n').slice(0, -1)).toEqual(values.map(hexOf))
    },
  )

  test.for(['', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES'])(
    'makes one text for mysql, sql_mode "%s"',
    async (mode, { skip }) => {
      skip(without.mysql !== undefined, without.mysql)
      await using account = await mysqlAccount()
      const values = samples(keptByLines)
      const selects = values.map((value) => `select lower(hex(${quoted('sqlquote', value)}));`)
      const login = ['-h127.0.0.1', `-u${account.name}`]
      const args = ['--no-defaults', '-N', '-B', ...login, '--default-character-set=utf8mb4']
      const output = execFileSync('mysql', args, {
        input: `set sql_mode = '${mode}';\n${selects.join('\n')}\n`,
        env: { PATH: process.env['PATH'], MYSQL_PWD: account.password },
        encoding: 'utf8',
      })
      expect(output.split('\n').slice(0, -1)).toEqual(values.map(hexOf))
    },
  )

  test('makes one text for sqlite3', () => {
    const values = samples(keptByLines)
    const selects = values.map((value) => `select lower(hex(${quoted('sqlquote', value)}));`)
    const output = execFileSync('sqlite3', ['-batch', ':memory:'], {
      input: selects.join('\n'),
      encoding: 'utf8',
    })
    expect(output.split('\n').slice(0, -1)).toEqual(values.map(hexOf))
  })

  test.each([
    ['a backslash', 'a\\', 'a backslash cannot be quoted for every database'],
    ['NUL', 'a\0', 'a NUL byte cannot be quoted'],
  ])('refuses %s', (_name, value, words) => {
    expect(() => quoted('sqlquote', value)).toThrow(`error calling sqlquote: ${words}`)
    expect(() => quoted('sqlident', value)).toThrow(`error calling sqlident: ${words}`)
  })

  test('refuses half a character, which could take the closing mark with it', () => {
    const half = Buffer.from([0x61, 0xc3]).toString('base64')
    expect(() => quoted('decodeb64 | sqlquote', half)).toThrow('bytes that are not UTF-8')
    expect(() => quoted('decodeb64 | sqlident', half)).toThrow('bytes that are not UTF-8')
  })

  test('sqlident makes one name for psql', async ({ skip }) => {
    skip(without.postgres !== undefined, without.postgres)
    await using database = await postgresDatabase()
    const values = samples(
      (value) => withoutBackslash(value) && value !== '' && Buffer.byteLength(value) <= 63,
    )
    // A row has its columns' names as keys.
    const selects = values.map(
      (value) =>
        `select encode(convert_to(j.k, 'UTF8'), 'hex') from (select 1 as ${quoted('sqlident', value)}) one_row, json_each(row_to_json(one_row)) as j(k);`,
    )
    const output = throughPsql(database, `set client_encoding = 'UTF8';\n${selects.join('\n')}`)
    expect(output.split('\n').slice(0, -1)).toEqual(values.map(hexOf))
  })

  test('sqlident refuses an empty name, and one that PostgreSQL would cut', () => {
    expect(() => quoted('sqlident', '')).toThrow('a name may not be empty')
    expect(() => quoted('sqlident', 'é'.repeat(32))).toThrow('a name may not have more than 63 bytes')
    expect(quoted('sqlident', 'a'.repeat(63))).toBe(`"${'a'.repeat(63)}"`)
  })
})
