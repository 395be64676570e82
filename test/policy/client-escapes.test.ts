import { describe, expect, it } from 'vitest'
import {
  databaseProgram,
  type KnownOptions,
  names,
  restrict,
  unknownAmong,
} from '../../src/policy/client-escapes.ts'

const sufficient = (program: string, said: string) => {
  const version = databaseProgram(program)?.version
  const read = version?.read(said)
  return read !== undefined && version?.suffices(read) === true
}

describe('psql', () => {
  it.each([
    ['13.99', false],
    ['14.23', false],
    ['14.24', true],
    ['15.18', false],
    ['15.19', true],
    ['16.14', false],
    ['16.15', true],
    ['17.10', false],
    ['17.11', true],
    ['17.100', true],
    ['18.5', false],
    ['18.6', true],
    ['19.0', true],
    ['20.1', true],
    ['18.6beta1', false],
    ['19beta2', false],
    ['19', false],
  ])('%s can be closed: %s', (version, expected) => {
    expect(sufficient('/usr/bin/psql', `psql (PostgreSQL) ${version} (Debian 1)`)).toBe(expected)
  })

  it('is not known by a text that only has its version somewhere', () => {
    expect(sufficient('psql', 'not psql (PostgreSQL) 18.6')).toBe(false)
    expect(sufficient('psql', '')).toBe(false)
  })
})

describe.each(['mysql', 'mariadb'])('%s', (program) => {
  it.each([
    [`Ver 15.1 Distrib 10.11.19-MariaDB, for debian-linux-gnu`, true],
    ['from 11.4.2-MariaDB, client 15.2 for Linux (x86_64)', true],
    ['Ver 8.4.0 for Linux on x86_64 (MySQL Community Server - GPL)', false],
    ['', false],
  ])('that says %j can be closed: %s', (said, expected) => {
    expect(sufficient(`/opt/${program}`, said)).toBe(expected)
  })
})

it.each(['bash', 'env', 'psql-17', '/usr/bin/psql/', ''])('%j is none of the clients', (program) => {
  expect(databaseProgram(program)).toBeUndefined()
})

const restricted = (script: string | Buffer, callers: readonly string[] = []): string =>
  restrict(Buffer.from(script), 'KEY', {
    hand: (name) => (callers.includes(name) ? `HANDED_${name}` : undefined),
  }).toString('latin1')

describe('the script of a closed psql', () => {
  it.each([
    ['nothing', '', '\\restrict KEY\n'],
    ['a statement', 'select 1;\n', '\\restrict KEY\nselect 1;\n'],
    ['no line end', 'select 1', '\\restrict KEY\nselect 1'],
    [
      'settings and comments',
      '-- a\n\n\\set ON_ERROR_STOP on\n  \\pset format csv \r\n\\x\nselect 1;\n\\x\n',
      '-- a\n\n\\set ON_ERROR_STOP on\n  \\pset format csv \r\n\\x\n\\restrict KEY\nselect 1;\n\\x\n',
    ],
    ['bytes that are no text', Buffer.from('ff00fe0a', 'hex'), '\\restrict KEY\n\xff\x00\xfe\n'],
    ['a byte order mark', '\ufeffselect 1;', '\\restrict KEY\nselect 1;'],
  ])('is restricted from the first line on that does more than set something: %s', (_, script, expected) => {
    expect(restricted(script)).toBe(expected)
  })

  it.each([
    '\\! id\n',
    '\\set x `id`\n',
    "\\set x 'a'\n",
    '\\set x :y\n',
    '\\set x 1 \\! id\n',
    '\\getenv x HOME\\! id\n',
    '\\getenv x HOME \\\\ \\! id\n',
    '-- a\r\\! id\n',
    '\r\\! id\n',
    '\\x\r\\! id\n',
    '-- a\x00\\! id\n',
    '-- a\x0b\\! id\n',
    '\\settings\n',
    '\\setenv PAGER id\n',
    '/* a */\n',
    '\\x',
  ])('is restricted before %j', (line) => {
    expect(restricted(`\\x\n${line}`)).toBe(`\\x\n\\restrict KEY\n${line}`)
  })

  it("has the names under which a caller's variables are handed to it, and no others", () => {
    const script = '\\getenv a WHO\n\\getenv b HOME\nselect :a;\n\\getenv c WHO\n'
    expect(restricted(script, ['WHO'])).toBe(
      '\\getenv a HANDED_WHO\n\\getenv b HOME\n\\restrict KEY\nselect :a;\n\\getenv c WHO\n',
    )
  })
})

const getopt: KnownOptions = {
  style: 'getopt',
  flags: names('A t csv'),
  valued: names('v h host'),
  attached: names('p password'),
  words: 1,
}

it.each([
  [
    ['-A', '-At', '--csv', '-v', '-c', '-hx', '--host', '--tee', '--host=x', '-pc', '--password=c', 'db'],
    undefined,
  ],
  [['-Ac'], '-c'],
  [['--cs'], '--cs'],
  [['--csv=x'], '--csv'],
  [['--no-such=secret'], '--no-such'],
  [['--'], '--'],
  [['-v'], '-v without its value'],
  [['a', 'b'], 'an argument that is not an option'],
  [['-', 'b'], 'an argument that is not an option'],
  [['-\u001b[2J'], '-?'],
])('the options %j have an unknown one: %s', (args, expected) => {
  expect(unknownAmong(args, getopt)).toBe(expected)
})

it.each([
  [['-csv', '--header', '-separator', '-cmd', 'db'], undefined],
  [['-cs'], '-cs'],
  [['---csv'], '---csv'],
  [['-csv=x'], '-csv'],
])('the words %j have an unknown one: %s', (args, expected) => {
  const words: KnownOptions = {
    ...getopt,
    style: 'words',
    flags: names('csv header'),
    valued: names('separator'),
  }
  expect(unknownAmong(args, words)).toBe(expected)
})

it.each([
  ['psql', '13.23', false],
  ['psql', '14.24', true],
  ['psql', '15.18', false],
  ['psql', '15.19', true],
  ['psql', '16.15', true],
  ['psql', '17.6', false],
  ['psql', '18.5', false],
  ['psql', '18.10', true],
  ['psql', '19.0', true],
  ['psql', '19beta2', false],
  ['psql', '9.6.24', false],
])('%s %s can be closed: %s', (program, version, expected) => {
  expect(databaseProgram(program)?.version?.suffices(version)).toBe(expected)
})

it.each([
  [
    'mysql',
    'mysql  Ver 15.1 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)',
    '10.11.19-MariaDB',
    true,
  ],
  ['mariadb', 'mariadb from 11.4.2-MariaDB, client 15.2 for Linux (x86_64)', '11.4.2-MariaDB', true],
  ['mysql', 'mysql  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)', '8.4.3', false],
  ['mysql', 'mysql  Ver 14.14 Distrib 5.7.44, for Linux (x86_64)', '5.7.44', false],
])('%s tells its version by %j', (program, said, expected, suffices) => {
  const version = databaseProgram(program)?.version
  expect(version?.read(said)).toBe(expected)
  expect(version?.suffices(expected)).toBe(suffices)
})

it('redis-cli needs no version, and its options that read or write files are not known', () => {
  const redis = databaseProgram('/usr/bin/redis-cli')
  expect(redis?.version).toBeUndefined()
  const unknown = (args: readonly string[]) => redis && unknownAmong(args, redis.options)
  expect(unknown(['-h', 'db', '-p', '6379', '--no-auth-warning', '-n', '1'])).toBeUndefined()
  for (const option of ['--eval', '--rdb', '-x', '--pipe']) expect(unknown([option, 'f'])).toBe(option)
})
