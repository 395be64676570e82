import { expect, it } from 'vitest'
import { ScriptedAgent } from '../../../support/scripted/scripted-agent.ts'
import { RunningGateway, type Answer } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

const MIB = 1024 * 1024
const LIMIT = 5 * MIB
const CHUNK = Buffer.alloc(64 * 1024, 'x').toString()
const connections = `
  - { name: small, agent: local, command: [bash], history: { size: 5MiB } }`

it('running sessions fill four fifths, and the last fifth is kept for new sessions', async () => {
  await using gateway = await RunningGateway.start({}, { connections })
  await using agent = await ScriptedAgent.connected(gateway.agentUrl)
  const running: string[] = []
  agent.onPacket = ({ type, spec }) => {
    const sid = String(spec['gateway.session_id'])
    if (type === 'AgentSessionOpen') agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid })
    if (type === 'AgentExecWriteStdin') running.push(sid)
  }
  const end = (sid: string) =>
    agent.send('ClientSessionClose', { 'gateway.session_id': sid, 'client.exit_code': '0' })

  const first = gateway.script('flood', { connection: 'small' })
  await waitFor(() => running.length === 1)
  const [flood = ''] = running
  for (let sent = 0; sent < 2 * LIMIT; sent += CHUNK.length)
    agent.send('ClientWriteStdout', { 'gateway.session_id': flood }, CHUNK)
  const recorded = async () =>
    Number((await gateway.request('GET', `/api/sessions/${flood}`)).body['event_size'])
  await waitFor(async () => (await recorded()) > (LIMIT * 7) / 10)

  // New ones fit into the last fifth, and into nothing else.
  const script = '#'.repeat(MIB / 8)
  const answers: Answer[] = []
  const begun: Promise<unknown>[] = []
  while (answers.length === 0) {
    const before = running.length
    begun.push(gateway.script(script, { connection: 'small' }).then((answer) => answers.push(answer)))
    await waitFor(() => running.length > before || answers.length > 0)
  }
  expect(answers).toMatchObject([
    { status: 429, body: { message: expect.stringContaining('history.size') as string } },
  ])
  expect(running.length - 1).toBeGreaterThanOrEqual(7)
  expect(running.length - 1).toBeLessThanOrEqual(10)

  const bytes = await recorded()
  expect(bytes).toBeGreaterThan((LIMIT * 7) / 10)
  expect(bytes).toBeLessThanOrEqual((LIMIT * 4) / 5)

  for (const sid of running) end(sid)
  await Promise.all(begun)
  expect((await first).body).toMatchObject({ truncated: true, exit_code: 0 })
})
