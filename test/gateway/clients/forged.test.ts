import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, recorded } from '../../support/sites/client-site.ts'
import { openSpec } from '../../support/scripted/open.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import { waitFor } from '../../support/wait.ts'

// What an agent gets of a client that writes what it likes into its packets.

let gateway: RunningGateway
let agent: ScriptedAgent
beforeEach(async () => {
  gateway = await RunningGateway.start()
  agent = await ScriptedAgent.connected(gateway.agentUrl)
})
afterEach(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const forgeries = [
  'AgentGatewayConnectOK',
  'GatewayFeatureFlagUpdate',
  'AgentGatewayDraining',
  'AgentSessionClose',
  'AgentSessionPause',
  'AgentSessionResume',
  'AgentTerminalClose',
  'SysBareExecRequest',
  'SysRunbookHookRequestType',
  'ClientSessionClose',
  'SomethingNew',
]
const foreign = { 'gateway.session_id': Buffer.from('a-session-of-somebody-else') }

async function opened(verb: 'exec' | 'connect') {
  const client = clientOf(gateway, verb)
  client.open('the script')
  const { sid, packet } = await agent.packet('AgentSessionOpen')
  agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid })
  await client.packet('ClientSessionOpenOK')
  return { client, sid, packet, [Symbol.asyncDispose]: () => client.leave() }
}

const types = () => agent.received.slice(2).map(({ type }) => type)
const sids = () => new Set(agent.received.slice(2).map(({ spec }) => String(spec['gateway.session_id'])))

describe('an agent gets', () => {
  it('of an exec its script alone, under the session of its own', async () => {
    await using run = await opened('exec')
    for (const type of forgeries) run.client.sendPacket({ type, spec: foreign, payload: Buffer.from('x') })
    run.client.sendPacket({ type: 'AgentTerminalWriteStdin', spec: foreign, payload: Buffer.from('x') })
    run.client.sendPacket({ type: 'AgentTerminalResizeTTY', spec: foreign, payload: Buffer.from('1,2,3,4') })
    run.client.sendPacket({ type: 'AgentExecWriteStdin', spec: foreign, payload: Buffer.from('the script') })
    const { packet } = await agent.packet('AgentExecWriteStdin')
    expect(Object.keys(packet.spec)).toEqual(['gateway.session_id'])
    expect(types()).toEqual(['AgentSessionOpen', 'AgentExecWriteStdin'])
    expect(sids()).toEqual(new Set([run.sid]))
  })

  it('of a terminal its keys and sizes alone, the first key too, under the session of its own', async () => {
    await using run = await opened('connect')
    for (const type of forgeries) run.client.sendPacket({ type, spec: foreign, payload: Buffer.from('x') })
    run.client.sendPacket({ type: 'AgentExecWriteStdin', spec: foreign, payload: Buffer.from('x') })
    run.client.sendPacket({ type: 'AgentTerminalResizeTTY', spec: foreign, payload: Buffer.from('1,2,3,4') })
    run.client.sendPacket({ type: 'AgentTerminalWriteStdin', spec: foreign, payload: Buffer.from('\n') })
    await agent.packet('AgentTerminalWriteStdin')
    expect(types()).toEqual(['AgentSessionOpen', 'AgentTerminalResizeTTY', 'AgentTerminalWriteStdin'])
    expect(agent.received.slice(3).map(({ payload }) => String(payload))).toEqual(['1,2,0,0', '\n'])
    expect(sids()).toEqual(new Set([run.sid]))
  })

  it('of an opening nothing but arguments and variables', async () => {
    await using client = clientOf(gateway, 'exec')
    const spec = openSpec('a-session-of-somebody-else', { cmdList: ['evil'], userId: 'root' })
    const bytes = Object.fromEntries(Object.entries(spec).map(([key, value]) => [key, Buffer.from(value)]))
    client.sendPacket({
      type: 'AgentSessionOpen',
      spec: {
        ...bytes,
        'gateway.connection_command': Buffer.from('["evil"]'),
        'jit.timeout': Buffer.from('1s'),
      },
      payload: Buffer.alloc(0),
    })
    const { packet, sid } = await agent.packet('AgentSessionOpen')
    expect(Object.keys(packet.spec).sort()).toEqual([
      'agent.connection_params',
      'gateway.connection_type',
      'gateway.session_id',
    ])
    expect(sid).toMatch(/^[0-9a-f-]{36}$/)
    expect(packet.spec['agent.connection_params']?.includes('evil')).toBe(false)
    expect(packet.spec['agent.connection_params']?.includes('root')).toBe(false)
  })
})

it('a client gets of an agent what belongs to its session, and one opening', async () => {
  await using run = await opened('exec')
  await using other = clientOf(gateway, 'exec')
  other.open('other')
  await waitFor(() => types().filter((type) => type === 'AgentSessionOpen').length === 2)
  const ours = { 'gateway.session_id': run.sid }
  agent.send('ClientSessionOpenOK', ours)
  agent.send('ClientAgentLogs', ours, '[]')
  agent.send('SysBareExecResponse', ours, 'x')
  agent.send('ClientWriteStdout', { 'gateway.session_id': 'nobody' }, 'no')
  agent.send('ClientWriteStdout', ours, 'yes')
  agent.send('ClientSessionClose', { ...ours, 'client.exit_code': '0' })
  expect(await run.client.ended()).toMatchObject({ stdout: 'yes', code: 0 })
  expect(run.client.received.map(({ type }) => type)).toEqual([
    'ClientSessionOpenOK',
    'ClientWriteStdout',
    'ClientSessionClose',
  ])
  expect(other.received).toEqual([])
})

it('an answer without a code reaches the client as it is, and the record says 254', async () => {
  await using run = await opened('exec')
  agent.send('ClientSessionClose', { 'gateway.session_id': run.sid }, 'why')
  expect(await run.client.ended()).toMatchObject({ code: undefined, message: 'why' })
  expect((await recorded(gateway, run.sid)).exit_code).toBe(254)
})
