import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CODE_TRAILER } from '../../../src/wire/gateway-codes.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { recorded } from '../../support/sites/client-site.ts'
import type { RunningAgent } from '../../support/sites/running-agent.ts'
import { waitFor } from '../../support/wait.ts'
import { ReviewSite } from '../reviews/site.ts'

// Every way in which a session of native clients is ended by others, or never begins, with a server that is real.

let site: ReviewSite
let server: Server
/** The agent's connections to the server that are open. */
const sockets = new Set<Socket>()

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => socket.write(bytes))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const env = `{ HOST: 127.0.0.1, PORT: "${(server.address() as AddressInfo).port}" }`
  const tcp = (name: string, more: string) =>
    `\n  - { name: ${name}, agent: local, type: application, subtype: tcp, command: [cat], env: ${env}${more} }`
  site = await ReviewSite.start({
    connections: [
      tcp('echo', ''),
      tcp('shut', ', access: { connect: false }'),
      ...['asks', 'brief'].map((name) => tcp(name, ', review: { groups: [dba] }')),
    ].join(''),
  })
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await new Promise((resolve) => server.close(resolve))
})

const clientOf = (connection: string, token = site.tokenOf('ann')) =>
  new ScriptedClient(site.gateway.gateway.grpc, {
    ...{ 'connection-name': connection, verb: 'connect', authorization: `Bearer ${token}` },
  })

/** Opens a connection of the session to the server, with an answer from there. */
async function talks(client: ScriptedClient): Promise<string> {
  const sid = await client.sid()
  const message = { kind: 'connection-data', connectionId: '1', protocol: 'tcp' } as const
  client.send({ ...message, data: Buffer.alloc(0), isDial: true })
  client.send({ ...message, data: Buffer.from('hello') })
  await client.packet('ClientTCPConnectionWrite')
  expect(sockets.size).toBe(1)
  return sid
}

async function talking(token?: string): Promise<{ readonly client: ScriptedClient; readonly sid: string }> {
  const client = clientOf('echo', token)
  client.open()
  return { client, sid: await talks(client) }
}

/** What the client is told, and what is recorded, once the server is rid of the agent's connection. */
async function over(client: ScriptedClient, sid: string) {
  const { details, metadata } = await client.over()
  await waitFor(() => sockets.size === 0)
  const { exit_code: exitCode, state } = await recorded(site.gateway, sid)
  await client[Symbol.asyncDispose]()
  return { told: details, code: metadata.get(CODE_TRAILER)[0], exitCode, state: state.text }
}

/** Asks for access to a connection with reviews. */
async function asking(connection: string, accessDuration?: string) {
  const client = clientOf(connection)
  const more = accessDuration === undefined ? {} : { accessDuration }
  client.open('', more)
  const { spec } = await client.packet('ClientSessionOpenWaitingApproval')
  const sid = String(spec['gateway.session_id'])
  const approved = async () => {
    await site.say('bea', sid, 'APPROVED')
    await client.packet('ClientSessionOpenApproveOK')
    client.open('', more)
    return await talks(client)
  }
  return { client, sid, approved }
}

describe('a session of native clients', () => {
  it('is killed', async () => {
    const { client, sid } = await talking()
    await site.as('ann', 'POST', `/api/sessions/${sid}/kill`)
    expect(await over(client, sid)).toEqual({
      ...{ told: 'session killed by the user: ann', code: 'session-killed' },
      ...{ exitCode: 254, state: 'stopped by ann' },
    })
  })

  it.each([
    ['its token is revoked', (id: string) => site.as('admin', 'DELETE', `/api/tokens/${id}`), 'token-ended'],
    [
      'its user is deactivated',
      () => site.as('admin', 'PUT', '/api/users/ivy@example.test', { status: 'inactive' }),
      'token-ended',
    ],
  ])('ends when %s', async (_, end, code) => {
    await site.as('admin', 'POST', '/api/users', { email: 'ivy@example.test', groups: ['dev'] })
    const { body } = await site.as('admin', 'POST', '/api/tokens', { name: 'x', user: 'ivy@example.test' })
    const { client, sid } = await talking(String(body['token']))
    await end(String(body['id']))
    expect(await over(client, sid)).toMatchObject({ code, exitCode: 254, state: 'closed' })
    const late = clientOf('echo', String(body['token']))
    late.open()
    expect((await late.over()).details).toContain('invalid authentication')
    await late[Symbol.asyncDispose]()
  })

  it('never begins where the connection has no terminals, or the user may not see it', async () => {
    for (const [connection, details] of [
      ['shut', 'connect is disabled for this connection'],
      ['nowhere', 'connection not found'],
    ] as const) {
      await using client = clientOf(connection)
      client.open()
      expect((await client.over()).details).toContain(details)
    }
  })

  it('waits for an approval, opens with it, and ends when that is revoked', async () => {
    const { client, sid, approved } = await asking('asks')
    expect(sockets.size).toBe(0)
    expect(await approved()).toBe(sid)
    const again = clientOf('asks')
    again.open()
    await again.sid()
    await site.say('bea', sid, 'REVOKED')
    expect(await over(client, sid)).toMatchObject({ exitCode: 254, state: 'approval revoked by bea' })
    expect((await again.over()).details).toContain('Access to connection has been denied')
    await again[Symbol.asyncDispose]()
  })

  it('does not open when it is rejected', async () => {
    const { client, sid } = await asking('asks')
    await site.say('bea', sid, 'REJECTED')
    expect(await client.ended()).toMatchObject({
      code: 254,
      message: expect.stringContaining('denied') as string,
    })
    expect((await recorded(site.gateway, sid)).state.text).toBe('rejected by bea')
    await client[Symbol.asyncDispose]()
  })

  it('ends in the middle when the approved time is over', async () => {
    const { client, sid, approved } = await asking('brief', '2s')
    await approved()
    expect(await over(client, sid)).toEqual({
      ...{ told: 'session ended, reached connection duration', code: 'access-ended' },
      ...{ exitCode: 254, state: 'time limit reached' },
    })
  })

  it('is not asked for longer than there is access, and no window of hours is for it', async () => {
    await using client = clientOf('asks')
    client.open('', { accessDuration: '49h' })
    expect((await client.over()).code).toBe(3)
    const { client: waits, sid } = await asking('asks')
    const window = { type: 'time_range', configuration: { start_time: '10:00', end_time: '11:00' } }
    expect((await site.say('bea', sid, 'APPROVED', { time_window: window })).status).toBe(400)
    await waits[Symbol.asyncDispose]()
  })
})

describe.each([
  {
    options: { maxDurationMs: 500 },
    title: 'the time limit of the agent',
    end: () => undefined,
    message: 'ended by the agent: the time limit (execution.max-duration) was reached',
    expected: { exitCode: 124, state: 'time limit reached' },
  },
  {
    options: {},
    title: 'an agent that stops',
    end: (agent: RunningAgent) => {
      agent.agent.drain()
      agent.agent.stop()
    },
    message: 'ended by the agent: the agent is stopping',
    expected: { exitCode: 143, state: 'agent was stopped' },
  },
])('an end with $title', ({ options, end, message, expected }) => {
  let agent: RunningAgent
  beforeAll(async () => {
    agent = await site.replaceAgent(options)
  })

  it('is told by client, record and journal', async () => {
    const { client, sid } = await talking()
    end(agent)
    expect((await client.ended()).message).toContain(message)
    expect(await over(client, sid)).toMatchObject(expected)
    const ended = agent.entries.find((entry) => entry.event === 'ended')
    expect(ended).toMatchObject({ outcome: 'exited', exitCode: expected.exitCode })
  })
})

describe('a gateway that is told to stop', () => {
  beforeAll(() => site.replaceAgent({}))

  it('lets a session of native clients go on meanwhile, begins no other, and ends it at last', async () => {
    const { client, sid } = await talking()
    const { gateway } = site.gateway
    const late = new AbortController()
    const drained = gateway.drain(late.signal)
    const before = client.received.length
    client.send({ kind: 'connection-data', connectionId: '1', protocol: 'tcp', data: Buffer.from('more') })
    await waitFor(() => client.received.slice(before).some(({ type }) => type === 'ClientTCPConnectionWrite'))
    await using other = clientOf('echo')
    other.open()
    expect((await other.over()).metadata.get(CODE_TRAILER)).toEqual(['gateway-draining'])
    late.abort()
    await drained
    await gateway.endSessions()
    expect(await over(client, sid)).toMatchObject({ told: 'gateway shutdown', state: 'gateway was stopped' })
  })
})
