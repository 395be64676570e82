import { describe, expect, it } from 'vitest'
import { databaseProgram } from '../../../src/policy/client-escapes.ts'

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
