import { expect, it } from 'vitest'
import { databaseProgram, type KnownOptions, names, unknownAmong } from '../../../src/policy/client-escapes.ts'

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
  [['a', 'b'], 'an argument that is no option'],
  [['-', 'b'], 'an argument that is no option'],
  [['-\u001b[2J'], '-?'],
])('the options %j have an unknown one: %s', (args, expected) => {
  expect(unknownAmong(args, getopt)).toBe(expected)
})

it.each([
  [['-csv', '--header', '-separator', '-cmd', 'db'], undefined],
  [['-cs'], '-cs'],
  [['---csv'], '---csv'],
  [['-csv=x'], '-csv'],
])('words %j have an unknown one: %s', (args, expected) => {
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
