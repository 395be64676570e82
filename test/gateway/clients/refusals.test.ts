import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CODE_TRAILER } from '../../../src/wire/gateway-codes.ts'
import { RunningGateway, otherToken } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { waitFor } from '../../support/wait.ts'

const connections = `
  - { name: no-exec, agent: local, command: [bash], access: { exec: false, connect: true } }
  - { name: runbooks-only, agent: local, command: [bash], access: { exec: false } }
  - { name: no-connect, agent: local, command: [bash], access: { connect: false } }
  - { name: admins-only, agent: local, command: [bash], access: { groups: [admin] } }
  - { name: tunnel, agent: local, command: [bash], type: application, subtype: tcp }
  - { name: shell, agent: local, command: [bash], type: application, subtype: ssh }`

let gateway: RunningGateway
const start = async () => {
  gateway = await RunningGateway.start({}, { connections, limits: '{ agent-wait: 300ms }' })
}
const end = () => gateway[Symbol.asyncDispose]()

const asked = { 'connection-name': 'bash', verb: 'exec' }
const client = (metadata: Record<string, string>) => new ScriptedClient(gateway.gateway.grpc, metadata)

/** How the stream of a client ends, with the gateway's own code, that opens its session at once, as command lines do. */
async function refusal(metadata: Record<string, string>): Promise<unknown[]> {
  await using refused = client({ ...asked, ...metadata })
  refused.open('true')
  const { code, details, metadata: trailers } = await refused.over()
  return [code, trailers.get(CODE_TRAILER)[0], details]
}

/** As many clients of one user as are read at a time, on one connection, and how to make more of them. */
function eightAtOnce(): {
  readonly first: ScriptedClient
  readonly slow: ScriptedClient[]
  readonly beside: () => ScriptedClient
} {
  const metadata = { ...asked, 'connection-name': 'no-exec' }
  const first = client(metadata)
  const beside = () => new ScriptedClient(gateway.gateway.grpc, metadata, first)
  return { first, slow: [first, ...Array.from({ length: 7 }, beside)], beside }
}

describe('a client is refused', () => {
  beforeAll(start)
  afterAll(end)

  it.each([
    ['without a token', { authorization: '' }, 16, 'unauthenticated', 'invalid authentication'],
    [
      'with an unknown token',
      { authorization: 'Bearer nobody-has-this-one' },
      16,
      'unauthenticated',
      'invalid authentication',
    ],
    ['without a connection', { 'connection-name': '' }, 5, 'connection-not-found', 'connection not found'],
    [
      'for an unknown connection',
      { 'connection-name': 'nope' },
      5,
      'connection-not-found',
      'connection not found',
    ],
    [
      'for a connection that is not for its groups',
      { 'connection-name': 'admins-only', authorization: `Bearer ${otherToken}` },
      5,
      'connection-not-found',
      'connection not found',
    ],
    [
      'with a verb that needs a gateway of hoop',
      { verb: 'plain-exec' },
      3,
      'not-served',
      'serves the verbs exec and connect',
    ],
    ['without a verb', { verb: '' }, 3, 'not-served', 'serves the verbs exec and connect'],
    [
      'for exec on tcp',
      { 'connection-name': 'tunnel' },
      3,
      'not-served',
      'the connection tunnel is of type tcp and cannot run scripts; use connect, which opens a local port',
    ],
    [
      'for exec on ssh',
      { 'connection-name': 'shell' },
      3,
      'not-served',
      'no native connections of type ssh; set the type of connection shell to command-line to run its command with exec and connect',
    ],
    [
      'for exec that is off',
      { 'connection-name': 'no-exec' },
      9,
      'not-permitted',
      'exec is disabled for this connection',
    ],
    [
      'for connect that is off',
      { 'connection-name': 'no-connect', verb: 'connect' },
      9,
      'not-permitted',
      'connect is disabled for this connection',
    ],
    [
      'for connect where scripts are off and nothing is said of terminals',
      { 'connection-name': 'runbooks-only', verb: 'connect' },
      9,
      'not-permitted',
      'connect is disabled for this connection',
    ],
    [
      'with a correlation-id that is too long',
      { 'correlation-id': 'x'.repeat(256) },
      3,
      'invalid-request',
      'must not exceed 255',
    ],
    ['after the wait for an agent that is offline', {}, 9, 'agent-offline', 'agent is offline'],
  ])('%s', async (_, metadata, code, ownCode, text) => {
    expect(await refusal(metadata as Record<string, string>)).toEqual([
      code,
      ownCode,
      expect.stringContaining(text),
    ])
  })

  it('not for exec where only connect is off, nor the other way round', async () => {
    const offline = [9, 'agent-offline', 'agent is offline']
    expect(await refusal({ 'connection-name': 'no-connect' })).toEqual(offline)
    expect(await refusal({ 'connection-name': 'no-exec', verb: 'connect' })).toEqual(offline)
  })

  it.each([
    ['arguments', { clientArgs: ['-c', 'id'] }],
    ['variables', { clientEnvVars: new Map([['filesystem:BASH_ENV', 'aWQ=']]) }],
  ])('for a terminal with %s of its own, which are scripts, where scripts are off', async (_, brought) => {
    await using bringer = client({ 'connection-name': 'no-exec', verb: 'connect' })
    bringer.open('', brought)
    expect(await bringer.over()).toMatchObject({
      code: 9,
      details: expect.stringContaining('accepts no arguments or variables') as string,
    })
  })

  it.each([
    ['as long as packets are', 'x'.repeat(10_000_000)],
    ['that is cut in the middle of a character', `${'x'.repeat(299)}${'\u{1f600}'.repeat(9)}`],
  ])('in few words, for a packet of a type %s', async (_, type) => {
    await using talker = client(asked)
    talker.sendPacket({ type, spec: {}, payload: Buffer.alloc(0) })
    const { code, details } = await talker.over()
    expect([code, details.length < 310]).toEqual([3, true])
    expect(gateway.log.every((line) => line.length < 500)).toBe(true)
  })

  it('when it sends something before it opens its session', async () => {
    await using early = client(asked)
    early.send({ kind: 'keepalive' })
    early.send({ kind: 'exec', stdin: Buffer.from('true') })
    expect(await early.over()).toMatchObject({
      code: 3,
      details: 'AgentExecWriteStdin was received before AgentSessionOpen',
    })
  })
})

describe('a gateway of its own', () => {
  beforeEach(start)
  afterEach(end)

  it('a client waits for an agent that is offline, and gets one that comes in time', async () => {
    await using patient = client(asked)
    patient.open('true')
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('ClientSessionOpenOK', {
      'gateway.session_id': sid,
      'gateway.connection_type': 'command-line',
    })
    expect(await patient.sid()).toBe(sid)
  })

  it('500 streams are served at once, 250 of one user, until one of them ends', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const other = { authorization: `Bearer ${otherToken}` }
    /** Whoever is let in is told at once that exec is off. */
    const ask = (user = {}) => refusal({ ...user, 'connection-name': 'no-exec' })
    const clients: ScriptedClient[] = []
    const come = (user = {}) => {
      const one = client({ ...asked, ...user })
      one.open('true')
      clients.push(one)
    }
    const sessions = () => agent.received.filter(({ type }) => type === 'AgentSessionOpen').length
    try {
      for (let i = 0; i < 250; i += 1) come()
      await waitFor(() => sessions() === 250)
      expect(await ask()).toEqual([8, 'too-many-clients', expect.stringContaining('at most 250 per user')])
      expect((await ask(other))[0]).toBe(9)
      for (let i = 0; i < 250; i += 1) come(other)
      await waitFor(() => sessions() === 500)
      expect(await ask(other)).toEqual([
        8,
        'too-many-clients',
        expect.stringContaining('at most 500 at once'),
      ])
      await Promise.all(clients.slice(0, 10).map((one) => one.leave()))
      await waitFor(async () => (await ask())[0] === 9)
    } finally {
      await Promise.all(clients.map((one) => one.leave()))
    }
  })

  it('what a user sends to open his sessions is read eight at a time, and holds up nobody else', async () => {
    const { first, slow, beside } = eightAtOnce()
    const late = beside()
    try {
      for (const one of slow) one.send({ kind: 'keepalive' })
      late.open('true')
      const other = { authorization: `Bearer ${otherToken}`, 'connection-name': 'no-exec' }
      for (let i = 0; i < 10; i += 1) expect((await refusal(other))[0]).toBe(9)
      expect(late.status).toBeUndefined()
      first.open('true')
      expect((await first.over()).code).toBe(9)
      expect((await late.over()).code).toBe(9)
    } finally {
      await Promise.all([...slow, late].map((one) => one.leave()))
    }
  })

  it('what one user sends for his sessions has 128 MiB at most, and others have their own', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const script = 'x'.repeat(16 * 1024 * 1024 - 1000)
    const sessions = () => agent.received.filter(({ type }) => type === 'AgentSessionOpen').length
    const clients = Array.from({ length: 8 }, () => client(asked))
    try {
      for (const one of clients) one.open(script)
      await waitFor(() => sessions() === 8)
      const text = expect.stringContaining('running sessions have more than 128 MiB together') as string
      await using ninth = client(asked)
      ninth.open(script)
      expect(await ninth.over()).toMatchObject({ code: 8, details: text })
      const rest = await gateway.request('POST', '/api/sessions', {
        connection: 'bash',
        script: script.slice(1),
      })
      expect([rest.status, rest.body]).toEqual([429, { message: text, code: 'too-much-at-once' }])
      const labelled = await gateway.request('POST', '/api/sessions', {
        connection: 'bash',
        labels: { script },
      })
      expect(labelled.status).toBe(429)
      await using other = client({ ...asked, authorization: `Bearer ${otherToken}` })
      other.open(script)
      await waitFor(() => sessions() === 9)
      await clients[0]?.leave()
      await using next = client(asked)
      await waitFor(() => gateway.log.some((line) => line.includes('session ended')))
      next.open(script)
      await waitFor(() => sessions() === 10)
    } finally {
      await Promise.all(clients.map((one) => one.leave()))
    }
  })

  it('a client that leaves while it waits for its turn is not counted any more', async () => {
    const { first, slow, beside } = eightAtOnce()
    const waiting = Array.from({ length: 242 }, beside)
    const extra: ScriptedClient[] = []
    try {
      for (const one of [...slow, ...waiting]) one.send({ kind: 'keepalive' })
      const full = beside()
      extra.push(full)
      expect((await full.over()).code).toBe(8)
      for (const one of waiting) one.cancel()
      const next = beside()
      extra.push(next)
      next.open('true')
      first.open('true')
      expect((await next.over()).code).toBe(9)
    } finally {
      await Promise.all([...slow, ...waiting, ...extra].map((one) => one.leave()))
    }
  })
})
