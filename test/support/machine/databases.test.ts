import { describe, expect, it } from 'vitest'
import { create, missingMysql, missingPostgres, mysqlAccount, postgresDatabase } from './databases.ts'
import { without } from './servers.ts'

const noPostgres = await missingPostgres()
const noMysql = await missingMysql()

describe.skipIf(noPostgres !== undefined)(`a PostgreSQL database of a test${without(noPostgres)}`, () => {
  it('is owned by a user of its own, who can do nothing to another', async () => {
    await using one = await postgresDatabase()
    await using other = await postgresDatabase()
    expect(one.name).toMatch(/^runbook_test_\d+_[0-9a-f]{8}$/)
    expect(await one.sql('select current_user, current_database()')).toBe(`${one.name}|${one.name}`)
    await expect(one.sql(`drop database ${other.name}`)).rejects.toThrow('must be owner of database')
    await expect(one.sql(`drop role ${other.name}`)).rejects.toThrow('permission denied')
    await expect(one.sql(`create database ${one.name}_2`)).rejects.toThrow('permission denied')
  })

  it('goes with its user when the test fails, also while somebody is connected to it', async () => {
    await using witness = await postgresDatabase()
    let name = ''
    let sleeping: Promise<unknown> | undefined
    const failing = async () => {
      await using database = await postgresDatabase()
      name = database.name
      sleeping = database.sql('select pg_sleep(1000)').catch(String)
      while ((await sessionsOf(name)) === '0');
      throw new Error('a test that fails')
    }
    const sessionsOf = (database: string) =>
      witness.sql(`select count(*) from pg_stat_activity where datname = '${database}'`)
    await expect(failing()).rejects.toThrow('a test that fails')
    expect(await sleeping).toContain('terminating connection')
    const left = `select (select count(*) from pg_database where datname = '${name}'),
                         (select count(*) from pg_roles where rolname = '${name}')`
    expect(await witness.sql(left)).toBe('0|0')
  })

  it('is not made, and nothing dropped, where the name is taken', async () => {
    await using first = await postgresDatabase()
    await expect(postgresDatabase(first.name)).rejects.toThrow('already exists')
    expect(await first.sql('select 1')).toBe('1')
  })
})

describe.skipIf(noMysql !== undefined)(`a MySQL user of a test${without(noMysql)}`, () => {
  it('is not made, and nobody dropped, where the name is taken', async () => {
    await using first = await mysqlAccount()
    expect(first.name).toMatch(/^runbook_test_\d+_[0-9a-f]{8}$/)
    await expect(mysqlAccount(first.name)).rejects.toThrow('CREATE USER failed')
    await expect(mysqlAccount(first.name)).rejects.toThrow('CREATE USER failed')
  })

  it('is dropped when it is disposed', async () => {
    const account = await mysqlAccount()
    await account[Symbol.asyncDispose]()
    await using again = await mysqlAccount(account.name)
    expect(again.name).toBe(account.name)
  })
})

it('what could not be made whole is taken back, and nothing else', async () => {
  const ran: string[] = []
  const run = (statement: string) => {
    ran.push(statement)
    return statement === 'make 3' ? Promise.reject(new Error('it is there')) : Promise.resolve()
  }
  const pairs = [1, 2, 3, 4].map((n) => [`make ${n}`, `drop ${n}`] as const)
  await expect(create(run, pairs)).rejects.toThrow('it is there')
  expect(ran).toEqual(['make 1', 'make 2', 'make 3', 'drop 2', 'drop 1'])
})
