import { expect, it } from 'vitest'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

const MOST_LEAVING = 16

it.each([
  ['session-killed', 'failed'],
  ['rejected', 'failed'],
  ['revoked', 'failed'],
  ['gateway-lost', 'failed'],
  ['timeout', 'timed-out'],
])('an agent that says %s says nothing of people or the gateway: %s', async (reason, state) => {
  await using gateway = await RunningGateway.start()
  await using agent = await ScriptedAgent.connected(gateway.agentUrl)
  const asked = gateway.script('true')
  const { sid } = await agent.packet('AgentSessionOpen')
  const session = { 'gateway.session_id': sid }
  agent.send('ClientSessionOpenOK', { ...session, 'gateway.connection_type': 'command-line' })
  await agent.packet('AgentExecWriteStdin')
  agent.send('ClientSessionClose', { ...session, 'client.exit_code': '3', 'client.end_reason': reason })
  await asked
  const { body } = await gateway.request('GET', `/api/sessions/${sid}`)
  expect(body).toMatchObject({ exit_code: 3, state: { name: state, by: null } })
})

it('an agent that says again and again that it leaves, and does not, has so many streams and no more', async () => {
  await using gateway = await RunningGateway.start()
  const streams: ScriptedAgent[] = []
  const connected = async () => {
    const agent = await ScriptedAgent.connected(gateway.agentUrl)
    streams.push(agent)
    return agent
  }
  try {
    for (let count = 0; count < MOST_LEAVING; count += 1) {
      const agent = await connected()
      agent.send('AgentDraining', {})
      await waitFor(async () => {
        const { body } = await gateway.request('GET', '/api/agents')
        return (body as unknown as { status: string }[])[0]?.status !== 'CONNECTED'
      })
    }
    const metadata = { origin: 'agent', authorization: `Bearer ${gateway.agentUrl}` }
    const refused = new ScriptedAgent(gateway.gateway.grpc, metadata)
    streams.push(refused)
    await waitFor(() => refused.ended || refused.received.length > 0)
    expect(refused.received).toEqual([])
    await streams.shift()?.[Symbol.asyncDispose]()
    await waitFor(() => gateway.log.some((line) => line.startsWith('agent disconnected')))
    await connected()
  } finally {
    for (const agent of streams) await agent[Symbol.asyncDispose]()
  }
})
