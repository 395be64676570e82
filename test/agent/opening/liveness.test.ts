import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { NameServer } from '../../support/network/name-server.ts'
import { checkServer } from '../../../src/agent/opening/liveness.ts'

const check = (type: string, variables: Record<string, string>) =>
  checkServer(type, (name) => variables[name])
const database = { HOST: '127.0.0.1', USER: 'u', PASS: 'p' }

describe('the server of a database connection', () => {
  it('is tried before the session is accepted', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await check('postgres', { ...database, PORT: String(port) })
    await check('mongodb', { CONNECTION_STRING: `mongodb://u:p@127.0.0.1:${port},other:1/db` })
    await check('tcp', { HOST: '127.0.0.1', PORT: String(port) })
    await new Promise((resolve) => server.close(resolve))
  })

  it.each([
    [
      'postgres',
      { ...database, PORT: '1' },
      'failed connecting to remote host=127.0.0.1, port=1, reason=dial tcp 127.0.0.1:1: connect: connection refused',
    ],
    [
      'mysql',
      { ...database, HOST: 'no-such-host.invalid' },
      'reason=dial tcp: lookup no-such-host.invalid: no such host',
    ],
    ['mssql', { HOST: '127.0.0.1' }, 'missing required secrets for mssql connection [USER, PASS]'],
    ['postgres', { HOST: '127.0.0.1', USER: 'u' }, 'for postgres connection [PASS]; PASS may be empty'],
    ['postgres', { PASS: '' }, 'missing required secrets for postgres connection [HOST, USER]'],
    [
      'postgres',
      { ...database, SSLMODE: 'x' },
      'wrong option ("x") for SSLMODE, accept only: [disable prefer require verify-full]',
    ],
    ['mysql', { ...database, RESULT_METADATA: 'x' }, 'wrong option ("x") for RESULT_METADATA'],
    ['postgres', { ...database, PORT: 'x' }, 'PORT of the postgres connection is not a port number'],
    [
      'mongodb',
      { CONNECTION_STRING: 'mongodb://u:p@ss/word@127.0.0.1:1/db' },
      'failed parsing mongodb connection string',
    ],
    ['mongodb', { CONNECTION_STRING: 'nonsense' }, 'failed parsing mongodb connection string'],
    ['tcp', { HOST: 'h' }, 'missing required environment for connection [HOST, PORT]'],
  ])('%s %o is refused in the words of hoop', async (type, variables, text) => {
    await expect(check(type, variables as Record<string, string>)).rejects.toThrow(text)
  })

  it('of a name in DNS (mongodb+srv) is the first one that DNS has, and none is a refusal', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await using _ = await NameServer.start({
      '_mongodb._tcp.cluster.test': [
        { priority: 2, host: 'localhost', port: 1 },
        { priority: 1, host: 'localhost', port },
      ],
      '_own._tcp.cluster.test': [{ priority: 0, host: 'localhost', port: 1 }],
    })
    const at = (uri: string) => check('mongodb', { CONNECTION_STRING: uri })
    await at('mongodb+srv://u:p@cluster.test/db')
    await expect(at('mongodb+srv://u:p@cluster.test/db?a=b&srvServiceName=own')).rejects.toThrow(
      'failed connecting to remote host=localhost, port=1',
    )
    await expect(at('mongodb+srv://u:s3cret@other.test/db')).rejects.toThrow(
      /^failed parsing mongodb connection string: DNS has no SRV record _mongodb\._tcp\.other\.test \(ENOTFOUND\)$/,
    )
    await expect(at('mongodb+srv://u:p@ss/word@other.test/db')).rejects.toThrow(
      /^failed parsing mongodb connection string$/,
    )
    await new Promise((resolve) => server.close(resolve))
  })

  it('is not tried for other types, names from the object prototype included', async () => {
    await check('command-line', {})
    await check('oracledb', {})
    await check('constructor', {})
  })
})
