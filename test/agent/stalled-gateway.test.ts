import { expect, it } from 'vitest'
import type { Timing } from '../../src/agent/connection/timing.ts'
import { isAlive } from '../support/machine/processes.ts'
import { Gate } from '../support/gate.ts'
import { own } from '../support/owned.ts'
import { FaultProxy } from '../support/network/fault-proxy.ts'
import { WindowProxy } from '../support/network/window-proxy.ts'
import { openSpec } from '../support/scripted/open.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent } from '../support/sites/running-agent.ts'
import { Workplace } from '../support/sites/workplace.ts'
import { found, waitFor } from '../support/wait.ts'

// hoop's gateway takes nothing of a whole agent while one of its clients does not read.

// On a busy machine the first packet may take longer than the quick 0.4 s.
const timing: Timing = { ...quickTiming, dialMs: 10_000 }
const CHUNK_BYTES = 64 * 1024
/** What is on the way to gRPC, what may pass it, and one chunk beyond each. */
const QUEUE_BYTES = (128 + 64 + 2 * 64) * 1024
const KEY_PATH = 'testagent:xagt-0123456789@127.0.0.1'

async function agentAt(port: number): Promise<RunningAgent> {
  const key = `grpc://${KEY_PATH}:${port}?mode=standard`
  const running = own(
    await RunningAgent.start(key, { outputCapBytes: 0, killGraceMs: 100, life: { timing } }),
  )
  await running.serving()
  return running
}

function begin(gateway: ScriptedGateway, sid: string, script: string): void {
  gateway.send('AgentSessionOpen', openSpec(sid, {}))
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
}

async function stalled({ agent }: RunningAgent): Promise<void> {
  await found(() => agent.stall)
}

/** The gateway has answered so many more health checks: each is two stalls apart. */
async function checked(gateway: ScriptedGateway, times: number): Promise<void> {
  const before = gateway.healthChecks
  await waitFor(() => gateway.healthChecks >= before + times)
}

function outputBytes(gateway: ScriptedGateway, sid: string): number {
  return gateway
    .of(sid)
    .filter(({ type }) => type === 'ClientWriteStdout')
    .reduce((sum, { payload }) => sum + payload.length, 0)
}

it('a gateway that takes nothing for many stalls and is there is not left, and gets every byte', async () => {
  const gateway = own(await ScriptedGateway.start())
  const running = await agentAt(gateway.port)
  const gate = own(new Gate(own(new Workplace())))
  begin(gateway, 'other', `${gate.script} echo done`)
  const [{ pid }] = await gate.reached()
  gateway.stopReading()
  begin(gateway, 'bulk', 'head -c 20000000 /dev/zero')
  await stalled(running)
  await checked(gateway, 8)
  expect([running.agent.state.name, running.agent.state.reconnects, isAlive(pid)]).toEqual([
    'serving',
    0,
    true,
  ])
  // After this a busy machine may make the gateway stall again.
  expect(running.log.filter((line) => line.startsWith('the gateway reads no output'))).toHaveLength(1)
  gateway.readAgain()
  gate.open()
  const closes = await Promise.all([gateway.closeOf('bulk'), gateway.closeOf('other')])
  expect(closes.map(({ spec }) => String(spec['client.exit_code']))).toEqual(['0', '0'])
  expect([outputBytes(gateway, 'bulk'), gateway.written('other')]).toEqual([20_000_000, 'done\n'])
  await waitFor(() => running.log.some((line) => line.startsWith('the gateway reads output again')))
  await waitFor(() => running.agent.stall === undefined)
})

it('what waits for it meanwhile is bounded: one piece of output for each session, and no keepalives', async () => {
  const gateway = own(await ScriptedGateway.start())
  const running = await agentAt(gateway.port)
  gateway.stopReading()
  const sessions = Array.from({ length: 12 }, (_, n) => `s${n}`)
  for (const sid of sessions) begin(gateway, sid, 'yes')
  await waitFor(() => running.services.slots.taken === sessions.length)
  await stalled(running)
  await checked(gateway, 2)
  const first = await found(() => running.agent.stall)
  // Keepalives are due five times as often as health checks are.
  await checked(gateway, 4)
  const later = await found(() => running.agent.stall)
  expect(later.bytes).toBe(first.bytes)
  expect(later.bytes).toBeLessThan(QUEUE_BYTES + sessions.length * (CHUNK_BYTES + 1024))
})

it('the number of refusals that wait for it is bounded', async () => {
  const gateway = own(await ScriptedGateway.start())
  const running = await agentAt(gateway.port)
  gateway.stopReading()
  begin(gateway, 'bulk', 'yes')
  await stalled(running)
  for (let n = 0; n < 1500; n++) gateway.send('AgentSessionOpen', { 'gateway.session_id': `bad-${n}` })
  await waitFor(() => running.log.filter((line) => line.startsWith('cannot send a refusal')).length > 100)
  expect(running.agent.stall?.bytes).toBeLessThan(QUEUE_BYTES + 1500 * 1024)
})

it('the number of answers to its own requests that wait for it is bounded, and the journal names what was not sent', async () => {
  const gateway = own(await ScriptedGateway.start())
  const running = await agentAt(gateway.port)
  gateway.stopReading()
  begin(gateway, 'bulk', 'yes')
  await stalled(running)
  const ids = Array.from({ length: 30 }, (_, n) => `b${n}`)
  const megabyte = ['head', '-c', '1048576', '/dev/zero']
  for (const sid of ids) {
    const request = { sid, agent_id: 'a', template_data: null, command: megabyte, input: '', env_vars: {} }
    gateway.send('SysBareExecRequest', { 'gateway.session_id': sid }, JSON.stringify(request))
  }
  const unsent = () => running.entries.filter((entry) => entry.event === 'ended' && !entry.closeSent)
  await waitFor(() => unsent().length === 14)
  gateway.readAgain()
  await waitFor(() => ids.filter((sid) => gateway.of(sid).length === 1).length === 16)
  expect(unsent()).toHaveLength(14)
})

it('a session that the gateway closes meanwhile gives back what it holds', async () => {
  const gateway = own(await ScriptedGateway.start())
  const running = await agentAt(gateway.port)
  gateway.stopReading()
  for (const sid of ['reader', 'killed']) begin(gateway, sid, 'yes')
  await waitFor(() => running.services.slots.taken === 2)
  await stalled(running)
  gateway.send('AgentSessionClose', { 'gateway.session_id': 'killed' })
  await waitFor(() => running.services.slots.taken === 1)
  expect(running.agent.stall).toBeDefined()
})

it('a way that is dead is left all the same, and the commands end', async () => {
  const gateway = own(await ScriptedGateway.start())
  const proxy = own(await FaultProxy.start(gateway.port))
  const running = await agentAt(proxy.port)
  gateway.stopReading()
  begin(gateway, 'bulk', 'yes')
  await stalled(running)
  await checked(gateway, 2)
  proxy.blackHole()
  await waitFor(() => running.agent.state.name !== 'serving')
  expect(running.log.join('\n')).toContain('the gateway did not answer two health checks in a row')
  await waitFor(() => running.services.slots.taken === 0)
})

it('a gateway is not left when the stalled stream holds up the health checks themselves', async () => {
  const gateway = own(await ScriptedGateway.start())
  const proxy = own(await WindowProxy.start(gateway.port))
  const running = await agentAt(proxy.port)
  begin(gateway, 'bulk', 'head -c 3000000 /dev/zero')
  await stalled(running)
  const before = gateway.healthChecks
  for (let signs = 0, last = running.agent.health; signs < 4; signs += 1) {
    await waitFor(() => running.agent.health !== last)
    last = running.agent.health
  }
  // One may have left before the window was full.
  expect(gateway.healthChecks - before).toBeLessThanOrEqual(1)
  expect([running.agent.state.name, running.agent.state.reconnects]).toEqual(['serving', 0])
  proxy.release()
  await gateway.closeOf('bulk')
  expect(outputBytes(gateway, 'bulk')).toBe(3_000_000)
})

it('a stop ends, though the gateway never takes the ends of its sessions', async () => {
  const gateway = own(await ScriptedGateway.start())
  const running = await agentAt(gateway.port)
  gateway.stopReading()
  begin(gateway, 'bulk', 'yes')
  await stalled(running)
  running.agent.drain()
  running.agent.stop()
  await waitFor(() => running.agent.state.name === 'stopped')
  expect(running.entries).toContainEqual(
    expect.objectContaining({ event: 'ended', sid: 'bulk', closeSent: false }),
  )
})
