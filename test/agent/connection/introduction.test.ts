import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type Timing, TIMING } from '../../../src/agent/connection/timing.ts'
import { FaultProxy } from '../../support/network/fault-proxy.ts'
import { own } from '../../support/owned.ts'
import { openSpec } from '../../support/scripted/open.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { quickTiming } from '../../support/sites/quick-timing.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { waitFor } from '../../support/wait.ts'

// The real times for everything else: a busy machine is not to be taken for a dead gateway.
const timing = { ...TIMING, pollEveryMs: 5 }

async function embedded(
  gateway: ScriptedGateway,
  port = gateway.port,
  times: Timing = timing,
): Promise<RunningAgent> {
  const key = `grpc://testagent:xagt-0123456789@127.0.0.1:${port}?mode=embedded`
  return own(await RunningAgent.start(key, { life: { timing: times } }))
}

it('an embedded agent asks whether somebody waits for it, connects when somebody does, and asks again afterwards', async () => {
  const gateway = own(await ScriptedGateway.start())
  const running = await embedded(gateway)
  await waitFor(() => gateway.preConnects.length >= 3)
  expect(running.agent.state).toMatchObject({ name: 'polling', reason: '' })
  expect([gateway.stream, gateway.preConnects[0]]).toEqual([
    undefined,
    `Bearer grpc://testagent:xagt-0123456789@127.0.0.1:${gateway.port}?mode=embedded`,
  ])
  gateway.onPreConnect = () => ({ status: 'CONNECT' })
  await running.serving()
  gateway.send('AgentSessionOpen', openSpec('s1', {}))
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'exit 3')
  expect(String((await gateway.closeOf('s1')).spec['client.exit_code'])).toBe('3')
  gateway.onPreConnect = () => ({ status: 'BACKOFF' })
  const before = gateway.preConnects.length
  gateway.stream?.end()
  await waitFor(() => gateway.preConnects.length > before + 2)
  expect(running.agent.state.name).toBe('polling')
  // The end of a call is no loss.
  expect(running.log.filter((line) => line.startsWith('agent waiting'))).toEqual([])
})

it('fifty questions go over one connection and take no descriptor more', async () => {
  const gateway = own(await ScriptedGateway.start())
  const proxy = own(await FaultProxy.start(gateway.port))
  await embedded(gateway, proxy.port)
  await waitFor(() => gateway.preConnects.length >= 5)
  const before = readdirSync('/proc/self/fd').length
  await waitFor(() => gateway.preConnects.length >= 55)
  expect([readdirSync('/proc/self/fd').length - before, proxy.accepted, proxy.connections]).toEqual([0, 1, 1])
})

it('an embedded agent says only once for which reason its gateway does not want it', async () => {
  const gateway = own(await ScriptedGateway.start())
  gateway.onPreConnect = () => ({ status: 'BACKOFF', message: 'choose another name' })
  const running = await embedded(gateway)
  await waitFor(() => gateway.preConnects.length >= 10)
  expect(running.agent.state).toMatchObject({ name: 'polling', reason: 'choose another name' })
  expect(running.log.filter((line) => line.startsWith('agent polling'))).toHaveLength(1)
})

it('an answer that is not known is no call', async () => {
  const gateway = own(await ScriptedGateway.start())
  gateway.onPreConnect = () => ({ status: 'PERHAPS' })
  const running = await embedded(gateway)
  await waitFor(() => running.agent.state.name === 'polling')
  expect(running.agent.state).toMatchObject({ reason: 'unknown answer from the gateway: PERHAPS' })
})

it('a gateway that does not answer is left with its connection, and asked again', async () => {
  const gateway = own(await ScriptedGateway.start())
  const proxy = own(await FaultProxy.start(gateway.port))
  const running = await embedded(gateway, proxy.port, { ...quickTiming, pollEveryMs: 5 })
  await waitFor(() => gateway.preConnects.length >= 1)
  proxy.blackHole()
  await waitFor(() => running.log.some((line) => line.includes('no answer within 0.2 s')))
  proxy.heal()
  const before = gateway.preConnects.length
  await waitFor(() => gateway.preConnects.length > before + 2)
  await waitFor(() => proxy.connections === 1)
})

it('an embedded agent that is told to stop while it asks stops at once', async () => {
  const gateway = own(await ScriptedGateway.start())
  const proxy = own(await FaultProxy.start(gateway.port))
  const patient = { ...timing, healthDeadlineMs: 1_000_000, pollEveryMs: 1_000_000 }
  const key = `grpc://testagent:xagt-0123456789@127.0.0.1:${proxy.port}?mode=embedded`
  const running = own(await RunningAgent.start(key, { life: { timing: patient } }))
  await waitFor(() => running.agent.state.name === 'polling')
  // In the wait between two questions, it asks at once when told to; then it waits for an answer.
  proxy.blackHole()
  running.agent.retry()
  await waitFor(() => proxy.accepted === 2)
  running.agent.drain()
  await waitFor(() => running.agent.state.name === 'stopped')
})
