import { describe, expect, it } from 'vitest'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

const NAME = 'ann@example.test'
const USER = `/api/users/${NAME}`

type Request = (method: string, url: string, body?: object) => Promise<unknown>

const ENDS: [how: string, says: string, end: (request: Request) => Promise<unknown>][] = [
  ['was deactivated', 'was deactivated', (request) => request('PUT', USER, { status: 'inactive' })],
  ['was deleted', 'was deleted', (request) => request('DELETE', USER)],
  [
    'was replaced by another user of the name',
    'is the name of another user now',
    async (request) => {
      await request('DELETE', USER)
      await request('POST', '/api/users', { email: NAME, take_over: true })
    },
  ],
]

describe.each(ENDS)('a session that waits while its user %s', (_, says, end) => {
  it('ends when its agent connects, and nothing has run', async () => {
    await using gateway = await RunningGateway.start({}, { limits: '{ wait: 100ms, agent-wait: 1h }' })
    await gateway.request('POST', '/api/users', { email: NAME, groups: ['admin'] })
    const { body } = await gateway.request('POST', '/api/tokens', { name: 'own', user: NAME })
    const own = { authorization: `Bearer ${String(body['token'])}` }
    const asked = { connection: 'bash', script: 'echo ran' }
    const waiting = await gateway.request('POST', '/api/sessions', asked, own)
    const ofAdmin = await gateway.script('echo ran')
    expect([waiting.status, ofAdmin.status]).toEqual([202, 202])

    await end((...request) => gateway.request(...request))
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const url = `/api/sessions/${String(waiting.body['session_id'])}?expand=event_stream&event_stream=utf8`
    const session = async () => (await gateway.request('GET', url)).body
    await waitFor(async () => (await session())['status'] === 'done')
    expect(await session()).toMatchObject({ exit_code: 254, state: { name: 'refused' } })
    expect(String((await session())['event_stream'])).toContain(`nothing has run: ${NAME} ${says}`)
    const { sid } = await agent.packet('AgentSessionOpen')
    expect(sid).toBe(ofAdmin.body['session_id'])
    expect(agent.received.filter(({ type }) => type === 'AgentSessionOpen')).toHaveLength(1)
  })
})
