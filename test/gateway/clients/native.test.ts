import { createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { base64 } from '../../support/scripted/open.ts'
import type { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { ClientSite } from '../../support/sites/client-site.ts'

/** A client that has opened a session of PostgreSQL. */
async function opened(
  serve: (client: ScriptedClient, site: ClientSite, sid: string) => Promise<void>,
  secrets: Readonly<Record<string, string>> = { PASS: 'p' },
): Promise<void> {
  await using server = createServer((socket) => socket.on('error', () => undefined).resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const env = `{ HOST: 127.0.0.1, PORT: "${port}", USER: u }, secrets: ${JSON.stringify(secrets)}`
  const pg = `\n  - { name: pg, agent: local, type: database, subtype: postgres, command: [psql], env: ${env} }`
  await using site = await ClientSite.start({}, pg)
  await using client = site.client('connect', { 'connection-name': 'pg' })
  client.open()
  const { spec } = await client.packet('ClientSessionOpenOK')
  expect(String(spec['gateway.connection_type'])).toBe('postgres')
  await serve(client, site, String(spec['gateway.session_id']))
}

it('a session of native clients ends before one of them could do something that is not recorded', async () => {
  await opened(async (client) => {
    const data = Buffer.from([0])
    for (let id = 1; id <= 1001; id += 1)
      client.send({ kind: 'connection-data', connectionId: String(id), protocol: 'postgres', data })
    expect((await client.over()).details).toContain('1000 native clients')
  })
})

it('a session of native clients ends at the first packet of another protocol, which the agent drops: the record must read no more than the agent', async () => {
  await opened(async (client) => {
    const data = Buffer.from([0])
    client.send({ kind: 'connection-data', connectionId: '1', protocol: 'postgres', data })
    client.send({ kind: 'connection-data', connectionId: '1', protocol: 'mysql', data })
    expect((await client.over()).details).toContain('packets of mysql')
  })
})

it('nothing is read for the record behind the end of a connection, as the agent reads nothing there', async () => {
  await opened(async (client, site, sid) => {
    const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])
    const query = (text: string) => Buffer.concat([startup, Buffer.from('Q\0\0\0\x0d'), Buffer.from(text)])
    const send = (connectionId: string, text: string) =>
      client.send({ kind: 'connection-data', connectionId, protocol: 'postgres', data: query(text) })
    send('1', 'select 1\0')
    client.send({ kind: 'connection-close', connectionId: '1' })
    send('1', 'select 2\0')
    send('2', 'select 3\0')
    client.send({ kind: 'connection-data', connectionId: '2', protocol: 'mysql', data: startup })
    await client.over()
    const texts = (await site.recorded(sid)).events.map(({ text }) => text).join('')
    expect(texts.match(/select \d/g)).toEqual(['select 1', 'select 3'])
  })
})

it('the secrets of the connection are replaced in its statements, in texts to prepare too, before they are kept', async () => {
  const secrets = ['hunter2-hunter2', 'swordfish-1', 'a-key-in-a-file']
  const [password, inLink, inFile] = secrets
  const entries = {
    PASS: String(password),
    LINK: `postgres://app:${inLink}@db/app`,
    'filesystem:API_KEY': base64(String(inFile)),
  }
  await opened(async (client, site, sid) => {
    const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])
    const message = (type: string, content: string) => {
      const head = Buffer.from(`${type}....`)
      head.writeUInt32BE(content.length + 4, 1)
      return Buffer.concat([head, Buffer.from(content)])
    }
    const texts = secrets.map((secret, at) => `select ${at}, '${secret}'`)
    const [simple = '', prepared = '', last = ''] = texts
    const talk = [
      startup,
      message('Q', `${simple}\0`),
      message('P', `s\0${prepared}\0\0\0`),
      message('Q', `${last}\0`),
    ]
    const bytes = Buffer.concat(talk)
    // In two packets, in the middle of the first secret.
    const middle = bytes.indexOf('2-hunter')
    for (const data of [bytes.subarray(0, middle), bytes.subarray(middle), startup])
      client.send({
        ...{ kind: 'connection-data', connectionId: '1' },
        ...{ protocol: data === startup ? 'mysql' : 'postgres', data },
      })
    await client.over()
    const recorded = (await site.recorded(sid)).events.map(({ text }) => text).join('')
    expect(recorded.match(/select .*/g)).toEqual(texts.map((_, at) => `select ${at}, '[REDACTED]'`))
  }, entries)
})
