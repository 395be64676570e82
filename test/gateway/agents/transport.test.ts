import { once } from 'node:events'
import http2 from 'node:http2'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SessionId } from '../../../src/wire/messages/message.ts'
import { NO_PAYLOAD, sessionSpec } from '../../../src/wire/packet.ts'
import { joined } from '../../support/scripted/joined.ts'
import { agentKey, RunningGateway } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import { waitFor } from '../../support/wait.ts'

let gateway: RunningGateway
beforeEach(async () => {
  gateway = await RunningGateway.start({}, { limits: '{ agent-wait: 300ms }' })
})
afterEach(() => gateway[Symbol.asyncDispose]())

const agentUrlOf = () => gateway.agentUrl
const grpcRequest = (method: string) => ({
  ':method': 'POST',
  ':path': `/protobuf.Transport/${method}`,
  'content-type': 'application/grpc',
  te: 'trailers',
})
const session = (sid: string) => ({ 'gateway.session_id': sid })

describe('the embedded gateway towards an agent', () => {
  it('accepts a known key with ConnectOK and the feature flags, in this order', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    expect(agent.received.map(({ type }) => type)).toEqual([
      'AgentGatewayConnectOK',
      'GatewayFeatureFlagUpdate',
    ])
    expect(String(agent.received[1]?.spec['feature-flags'])).toBe('{}')
  })

  it.each([
    ['no origin', { authorization: 'Bearer x' }, 3, 'missing client origin'],
    ['an unknown origin', { origin: 'x' }, 16, 'invalid authentication'],
    ['no key', { origin: 'agent' }, 16, 'invalid authentication'],
    [
      'an unknown secret',
      { origin: 'agent', authorization: 'Bearer grpc://local:wrong@h:1' },
      16,
      'invalid authentication',
    ],
    [
      'the secret of another name',
      { origin: 'agent', authorization: `Bearer grpc://other:${agentKey}@h:1` },
      16,
      'invalid authentication, mismatch dsn attributes',
    ],
  ])('refuses %s', async (_, metadata, code, text) => {
    await using agent = new ScriptedAgent(gateway.gateway.grpc, metadata)
    await waitFor(() => agent.error !== undefined)
    expect([agent.error?.code, agent.error?.details]).toEqual([code, expect.stringContaining(text)])
  })

  it('a wrong key is told in the log: from where, and which agent the caller claims to be', async () => {
    const claimed = `local\u0007${'x'.repeat(200)}`
    const url = `grpc://${encodeURIComponent(claimed)}:not-the-key-0123456789@127.0.0.1`
    const metadata = { origin: 'agent', authorization: `Bearer ${url}` }
    await using agent = new ScriptedAgent(gateway.gateway.grpc, metadata)
    await waitFor(() => agent.error !== undefined)
    const told = gateway.log.filter((line) => line.startsWith('agent refused: unknown key'))
    const shown = { from: '127.0.0.1', claimed: `local?${'x'.repeat(94)}` }
    expect(told).toContain(`agent refused: unknown key ${JSON.stringify(shown)}`)
    expect(told.join()).not.toContain('not-the-key')
  })

  it('a session without its agent is told in the log: connection, user, and the code of the end', async () => {
    await gateway.script('x')
    expect(gateway.log.find((line) => line.startsWith('session ended'))).toMatch(
      /"connection":"bash","user":"admin","exitCode":-?\d+,"code":"agent-/,
    )
  })

  it('refuses a second stream with the same key, until the first one has ended', async () => {
    {
      await using first = await ScriptedAgent.connected(gateway.agentUrl)
      await using second = new ScriptedAgent(gateway.gateway.grpc, {
        origin: 'agent',
        authorization: `Bearer ${gateway.agentUrl}`,
      })
      await waitFor(() => second.error !== undefined)
      expect([second.error?.code, second.error?.details, first.ended]).toEqual([
        9,
        'agent already connected',
        false,
      ])
    }
    const { agents } = gateway.gateway
    const now = () => agents.waitFor('local', 0, new AbortController().signal)
    await waitFor(async () => (await now()) === undefined)
    await using third = await ScriptedAgent.connected(gateway.agentUrl)
    expect(third.error).toBeUndefined()
  })

  it('sends the script once, however often the agent says it is open', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const answer = gateway.script('the script')
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('ClientSessionOpenOK', session(sid))
    agent.send('ClientSessionOpenOK', session(sid))
    const { packet } = await agent.packet('AgentExecWriteStdin')
    agent.send('ClientSessionClose', { ...session(sid), 'client.exit_code': '0' })
    expect((await answer).body).toMatchObject({ exit_code: 0, output_status: 'success' })
    await agent.packet('AgentSessionClose')
    expect(String(packet.payload)).toBe('the script')
    expect(agent.received.filter(({ type }) => type === 'AgentExecWriteStdin').length).toBe(1)
  })

  it('reads joined packets in their order, and ends the stream at malformed ones', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const answer = gateway.script('x')
    const { sid } = await agent.packet('AgentSessionOpen')
    const own = sessionSpec(sid as SessionId)
    const end = { ...own, 'client.exit_code': Buffer.from('0') }
    agent.send(
      'RunbookJoinedPackets',
      {},
      joined([
        { type: 'ClientSessionOpenOK', spec: own, payload: NO_PAYLOAD },
        { type: 'ClientWriteStdout', spec: own, payload: Buffer.from('one ') },
        { type: 'ClientWriteStdout', spec: own, payload: Buffer.from('two') },
        { type: 'ClientSessionClose', spec: end, payload: NO_PAYLOAD },
      ]),
    )
    expect((await answer).body).toMatchObject({ output: 'one two', exit_code: 0 })
    agent.send('RunbookJoinedPackets', {}, Buffer.of(0, 0, 0, 9, 1))
    await waitFor(() => agent.error !== undefined)
    expect(agent.error).toMatchObject({ code: 3, details: 'RunbookJoinedPackets: malformed' })
  })

  it('ends only the stream of an agent whose packet cannot be read', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    agent.send('ClientWriteStdout', Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`${n}`, ''])))
    await waitFor(() => agent.error !== undefined)
    expect(agent.error).toMatchObject({ code: 13, details: 'Error deserializing request' })
    await waitFor(() => gateway.log.some((line) => line.startsWith('agent disconnected')))
    await using again = await ScriptedAgent.connected(gateway.agentUrl)
    expect(again.error).toBeUndefined()
  })

  it('drops packets of unknown sessions, unknown types, and what comes after the close', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const answer = gateway.script('x')
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('ClientWriteStdout', session('unknown'), 'no')
    agent.send('Whatever', session(sid), 'no')
    agent.send('ClientWriteStdout', session(sid), 'yes')
    agent.send(
      'ClientSessionClose',
      { ...session(sid), 'client.exit_code': '5', 'client.truncated_bytes': '10' },
      ' and why',
    )
    agent.send('ClientWriteStdout', session(sid), 'late')
    agent.send('ClientSessionClose', { ...session(sid), 'client.exit_code': '6' })
    expect((await answer).body).toMatchObject({
      output: 'yes and why',
      exit_code: 5,
      output_status: 'failed',
      truncated: true,
    })
  })

  it.each([
    ['no code', {}, -2],
    ['a code that is no number', { 'client.exit_code': 'x' }, -2],
    ['a negative code', { 'client.exit_code': '-1' }, -1],
  ])('calls a close with %s a failure', async (_, spec, code) => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const answer = gateway.script('x')
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('ClientSessionClose', { ...session(sid), ...(spec as Record<string, string>) })
    expect((await answer).body).toMatchObject({ exit_code: code, output_status: 'failed' })
  })

  it('answers a running session at once when its agent half-closes or is gone', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const answer = gateway.script('x')
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('ClientSessionOpenOK', session(sid))
    await agent.packet('AgentExecWriteStdin')
    agent.halfClose()
    expect((await answer).body).toMatchObject({
      exit_code: -2,
      output_status: 'failed',
      output: 'rpc error: code = Unknown desc = EOF',
      code: 'agent-lost',
    })
    expect((await gateway.request('GET', '/api/agents/local')).body).toMatchObject({
      ...{ state: 'lost', sessions: 0, session_limit: null },
      last_words: 'the agent ended its stream without an announcement',
    })
  })

  it('says that an agent drains, with the sessions that it still has', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const answer = gateway.script('x')
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('AgentDraining', {})
    const look = async () => (await gateway.request('GET', '/api/agents/local')).body
    await waitFor(async () => (await look())['state'] === 'draining')
    expect(await look()).toMatchObject({ status: 'DISCONNECTED', sessions: 1 })
    agent.send('ClientSessionClose', { ...session(sid), 'client.exit_code': '0' })
    await answer
  })

  it('waits for an agent that is offline, takes one that comes in time, and says so when none does', async () => {
    const offline = await gateway.script('x')
    expect(offline.body).toMatchObject({
      exit_code: -2,
      output_status: 'failed',
      output: 'rpc error: code = FailedPrecondition desc = agent is offline',
      code: 'agent-offline',
    })
    const answer = gateway.script('x')
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const { sid } = await agent.packet('AgentSessionOpen')
    agent.send('ClientSessionClose', { ...session(sid), 'client.exit_code': '0' })
    expect((await answer).body).toMatchObject({ exit_code: 0 })
  })

  it('ends running sessions when it stops: the agent is told, the caller answered, the end recorded', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const answer = gateway.script('x')
    const { sid } = await agent.packet('AgentSessionOpen')
    await gateway.gateway.endSessions()
    expect((await answer).body).toMatchObject({
      exit_code: -2,
      output: 'rpc error: code = Unknown desc = gateway shutdown',
      code: 'gateway-stopped',
    })
    expect((await agent.packet('AgentSessionClose')).sid).toBe(sid)
  })
})

describe('the embedded gateway towards anybody', () => {
  // With the 64 KiB of HTTP/2, 20 MB from an agent 40 ms away took 23 s; with 1 MiB they take 2.
  it.each([
    ['who is an agent', agentUrlOf, 1024 * 1024],
    ['who is nobody', () => 'grpc://local:wrong@h:1', 65_535],
  ])('takes so much at once from somebody %s', async (_, key, bytes) => {
    const line = http2.connect(gateway.gateway.grpc.replace('grpc:', 'http:'))
    try {
      const headers = { origin: 'agent', authorization: `Bearer ${key()}` }
      const call = line.request({ ...grpcRequest('Connect'), ...headers })
      await once(call, 'response')
      await new Promise<void>((resolve, reject) => line.ping((error) => (error ? reject(error) : resolve())))
      expect(line.remoteSettings.initialWindowSize).toBe(bytes)
      expect(line.state.remoteWindowSize).toBe(bytes)
    } finally {
      line.destroy()
    }
  })

  it.each([
    ['HealthCheck', '0', 7],
    ['PreConnect', '12', 0],
  ])(
    'answers %s before anything of the request has come: nobody makes it collect one',
    async (method, status, bytes) => {
      const line = http2.connect(gateway.gateway.grpc.replace('grpc:', 'http:'))
      try {
        const call = line.request(grpcRequest(method))
        const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) => {
          call.once('trailers', resolve)
          call.once('response', (headers) => 'grpc-status' in headers && resolve(headers))
        })
        // 16 MiB are announced, and a little of it comes.
        call.write(Buffer.from([0, 1, 0, 0, 0, 1, 2, 3]))
        const answer = text(call)
        expect((await trailers)['grpc-status']).toBe(status)
        expect((await answer).length > 0).toBe(bytes > 0)
      } finally {
        line.destroy()
      }
    },
  )
})
