import { describe, expect, it } from 'vitest'
import { checkServer } from '../../../src/agent/opening/liveness.ts'
import { RefusedError } from '../../../src/agent/refused.ts'

/** An address to which TCP connects nowhere, without a look-up. */
const NOWHERE = '255.255.255.255'
const database = { HOST: NOWHERE, USER: 'u', PASS: 'p' }

/** @returns the text that closes the session */
async function refusal(type: string, variables: Record<string, string>): Promise<string> {
  const error: unknown = await checkServer(type, (name) => variables[name]).catch((error: unknown) => error)
  if (!(error instanceof RefusedError)) throw new Error('a server was found where there is none')
  return error.message
}

const tried = (port: number, host = NOWHERE) => `failed connecting to remote host=${host}, port=${port}, `

describe('the address of a database server', () => {
  it.each([
    ['postgres', 5432],
    ['mysql', 3306],
    ['mssql', 1433],
    ['mongodb', 27017],
  ])('of type %s has the port %i unless PORT says another', async (type, port) => {
    expect(await refusal(type, database)).toContain(tried(port))
    expect(await refusal(type, { ...database, PORT: '' })).toContain(tried(port))
    expect(await refusal(type, { ...database, PORT: '65535' })).toContain(tried(65535))
  })

  it.each(['0', '65536', '1.5', '-1', 'x', '5432x'])('has no port %s', async (port) => {
    expect(await refusal('mysql', { ...database, PORT: port })).toBe(
      'PORT of the mysql connection is not a port number',
    )
    expect(await refusal('tcp', { HOST: NOWHERE, PORT: port })).toContain('[HOST, PORT]')
  })

  it.each(['disable', 'prefer', 'require', 'verify-full', ''])('takes the SSLMODE %j', async (mode) => {
    expect(await refusal('postgres', { ...database, SSLMODE: mode })).toContain(tried(5432))
  })

  it.each(['on', 'off', 'true', 'false', '1', '0', ''])('takes the RESULT_METADATA %j', async (value) => {
    expect(await refusal('mysql', { ...database, RESULT_METADATA: value })).toContain(tried(3306))
  })
})

describe('the address in a connection string of MongoDB', () => {
  it.each([
    [`mongodb://u:sesame@${NOWHERE}/db`, tried(27017)],
    [`mongodb://u:sesame@${NOWHERE}:7,other:8/db?x=1`, tried(7)],
    [`mongodb://${NOWHERE}:7`, tried(7)],
    [`mongodb://u:ses@me@${NOWHERE}:7/db`, tried(7)],
    ['mongodb://u:sesame@[::1]:1/db', tried(1, '::1')],
    [`mongodb://u:ses/ame@${NOWHERE}:7/db`, 'failed parsing mongodb connection string'],
    [`mongodb://u:ses?ame@${NOWHERE}:7/db`, 'failed parsing mongodb connection string'],
    [`http://u:sesame@${NOWHERE}:7/db`, 'failed parsing mongodb connection string'],
    [`mongodb://u:sesame@${NOWHERE}:port/db`, 'failed parsing mongodb connection string'],
  ])('%s is the first host, and a text about it has nothing of the password', async (uri, expected) => {
    const text = await refusal('mongodb', { CONNECTION_STRING: uri })
    expect(text).toContain(expected)
    expect(text).not.toMatch(/ses|ame|me@/)
  })
})
