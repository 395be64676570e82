import { afterAll, beforeAll, expect, it } from 'vitest'
import { RunningGateway, agentKey, otherToken } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import { waitFor } from '../../support/wait.ts'

// What people are told of a wrong agent key. The caller only claims a name.

let gateway: RunningGateway
beforeAll(async () => (gateway = await RunningGateway.start()))
afterAll(() => gateway[Symbol.asyncDispose]())

async function refused(name: string, key: string): Promise<void> {
  const authorization = `Bearer grpc://${encodeURIComponent(name)}:${key}@127.0.0.1`
  await using agent = new ScriptedAgent(gateway.gateway.grpc, { origin: 'agent', authorization })
  await waitFor(() => agent.error !== undefined)
}

async function shown(headers = {}): Promise<Record<string, unknown>> {
  return (await gateway.request('GET', '/api/agents/local', undefined, headers)).body
}

it('a wrong key is in the audit log with the claimed name, short and on one line, and can be searched', async () => {
  await refused(`lo\u0007cal${'x'.repeat(200)}`, 'not-the-key-0123456789')
  await refused('local', 'not-the-key-0123456789')
  const { body } = await gateway.request('GET', '/api/audit/logs?text=lo?cal')
  expect(body['data']).toMatchObject([
    {
      ...{ action: 'sign-in', outcome: false, actor: '', client_ip: '127.0.0.1' },
      claimed_agent: `lo?cal${'x'.repeat(94)}`,
    },
  ])
  const all = await gateway.request('GET', '/api/audit/logs')
  const entries = all.body['data'] as Record<string, unknown>[]
  expect(entries.filter(({ action }) => action === 'sign-in')).toHaveLength(1)
  expect(entries.find(({ action }) => action === 'start')).not.toHaveProperty('claimed_agent')
  expect(JSON.stringify(entries)).not.toContain('not-the-key')
})

it('a wrong key stands at the agent with its time and address, until the agent connects with its key', async () => {
  const began = Date.now()
  await refused('local', 'not-the-key-0123456789')
  const told = await shown()
  expect(told).toMatchObject({ state: 'never', refused_from: '127.0.0.1' })
  expect(Date.parse(String(told['refused_at']))).toBeGreaterThanOrEqual(began)
  const asOther = { authorization: `Bearer ${otherToken}` }
  expect(await shown(asOther)).toMatchObject({ refused_at: told['refused_at'], refused_from: null })
  await using agent = await ScriptedAgent.connected(gateway.agentUrl)
  expect(await shown()).toMatchObject({ state: 'connected', refused_at: null, refused_from: null })
  expect(agent.error).toBeUndefined()
})

it('a wrong key that is tried again and again is one warning in the log', async () => {
  for (let times = 0; times < 3; times += 1) await refused('persistent', 'not-the-key-0123456789')
  const warnings = gateway.log.filter((line) => line.startsWith('agent refused: unknown key'))
  expect(warnings.filter((line) => line.includes('persistent'))).toHaveLength(1)
})

it('a wrong key is kept for agents of the settings only', async () => {
  await refused('nobody', 'not-the-key-0123456789')
  await refused('somebody', agentKey)
  const { agents } = gateway.gateway
  expect(['nobody', 'somebody', 'local'].map((name) => agents.refusal(name))).toEqual([
    ...[undefined, undefined, undefined],
  ])
})
