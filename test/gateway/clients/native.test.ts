import { createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import type { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { ClientSite } from '../../support/sites/client-site.ts'

/** A client that has opened a session of PostgreSQL. */
async function opened(serve: (client: ScriptedClient) => Promise<void>): Promise<void> {
  await using server = createServer((socket) => socket.on('error', () => undefined).resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const env = `{ HOST: 127.0.0.1, PORT: "${port}", USER: u, PASS: p }`
  const pg = `\n  - { name: pg, agent: local, type: database, subtype: postgres, command: [psql], env: ${env} }`
  await using site = await ClientSite.start({}, pg)
  await using client = site.client('connect', { 'connection-name': 'pg' })
  client.open()
  expect(String((await client.packet('ClientSessionOpenOK')).spec['gateway.connection_type'])).toBe(
    'postgres',
  )
  await serve(client)
}

it('a session of native clients ends before one of them could do something that is not recorded', async () => {
  await opened(async (client) => {
    const data = Buffer.from([0])
    for (let id = 1; id <= 1001; id += 1)
      client.send({ kind: 'connection-data', connectionId: String(id), protocol: 'postgres', data })
    expect((await client.over()).details).toContain('1000 native clients')
  })
})

it('and at the first packet of another protocol, which the agent drops: the record must read no more than the agent', async () => {
  await opened(async (client) => {
    const data = Buffer.from([0])
    client.send({ kind: 'connection-data', connectionId: '1', protocol: 'postgres', data })
    client.send({ kind: 'connection-data', connectionId: '1', protocol: 'mysql', data })
    expect((await client.over()).details).toContain('packets of mysql')
  })
})
