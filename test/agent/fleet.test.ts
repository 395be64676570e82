import { afterEach, expect, it } from 'vitest'
import { TIMING } from '../../src/agent/connection/timing.ts'
import { FaultProxy } from '../support/network/fault-proxy.ts'
import { descriptorsOf } from '../support/machine/processes.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { waitFor } from '../support/wait.ts'

const owned: AsyncDisposable[] = []
afterEach(async () => {
  await Promise.all(owned.splice(0).map((resource) => resource[Symbol.asyncDispose]()))
})

function own<T extends AsyncDisposable>(resource: T): T {
  owned.push(resource)
  return resource
}

it('twenty agents that lost their gateway together do not come back together', async () => {
  const longestMs = 2000
  const lost = { shortestMs: 0, firstMs: longestMs, longestMs }
  // With the real times for everything else: a busy machine is not to be taken for a dead gateway.
  const timing = { ...TIMING, backoff: { ...TIMING.backoff, lost } }
  const gateway = own(await ScriptedGateway.start())
  const proxy = own(await FaultProxy.start(gateway.port))
  const key = (i: number) => `grpc://agent${i}:xagt-0123456789@127.0.0.1:${proxy.port}?mode=standard`
  const fleet = await Promise.all(
    Array.from({ length: 20 }, (_, i) => RunningAgent.start(key(i), { life: { timing } })),
  )
  fleet.forEach(own)
  await waitFor(() => fleet.every(({ agent }) => agent.state.name === 'serving'))
  proxy.reset()
  await waitFor(() => fleet.every(({ agent }) => agent.state.reconnects === 1))
  const at = fleet.map(({ agent }) => agent.state.since.monotonicMs)
  const spanMs = Math.max(...at) - Math.min(...at)
  // Twenty at random within 2 s lie within half a second of each other about once in 10^10 times.
  expect(spanMs).toBeGreaterThan(longestMs / 4)
  const tenths = new Set(at.map((ms) => Math.floor((ms - Math.min(...at)) / (longestMs / 10))))
  expect(tenths.size).toBeGreaterThanOrEqual(5)
})

it('200 reconnects take no descriptor and no timer more', async () => {
  const none = { shortestMs: 0, firstMs: 0, longestMs: 0 }
  const timing = { ...quickTiming, backoff: { ...quickTiming.backoff, lost: none } }
  const gateway = own(await ScriptedGateway.start())
  const running = own(await RunningAgent.start(gateway.key(), { life: { timing } }))
  await running.serving()
  const reconnected = async (count: number) => {
    const { reconnects } = running.agent.state
    for (let i = 1; i <= count; i++) {
      gateway.stream?.end()
      await waitFor(() => running.agent.state.reconnects === reconnects + i)
    }
  }
  await reconnected(5)
  const before = await held()
  await reconnected(200)
  await waitFor(async () => {
    const now = await held()
    return now.descriptors <= before.descriptors && now.timers <= before.timers
  })
})

it('a hundred agents stop while a health check is open, one after the other', async () => {
  // The session was once ended in the midst of being read: nghttp2 went on with a stream that it had freed, and the
  // heap of the process was corrupt. Then this test ends with its whole process.
  const gateway = own(await ScriptedGateway.start())
  gateway.isSilent = true
  for (let round = 1; round <= 100; round++) {
    const before = gateway.healthChecks
    await using running = await RunningAgent.start(gateway.key())
    await running.serving()
    await waitFor(() => gateway.healthChecks > before)
  }
})

/** When what was just ended has had its turn. */
async function held(): Promise<{ readonly descriptors: number; readonly timers: number }> {
  await new Promise((resolve) => setImmediate(resolve))
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  return { descriptors: descriptorsOf(process.pid), timers }
}
