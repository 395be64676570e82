import { expect, it } from 'vitest'
import { FaultProxy } from '../support/network/fault-proxy.ts'
import { openSpec } from '../support/scripted/open.ts'
import { descriptorsOf } from '../support/machine/processes.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { waitFor } from '../support/wait.ts'

const HEAP_BYTES = 5 * 1024 * 1024
const none = { shortestMs: 0, firstMs: 0, longestMs: 0 }
const timing = { ...quickTiming, backoff: { ...quickTiming.backoff, lost: none } }

function held(): { readonly descriptors: number; readonly timers: number; readonly heap: number } {
  for (let i = 0; i < 5; i++) globalThis.gc?.()
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  return { descriptors: descriptorsOf(process.pid), timers, heap: process.memoryUsage().heapUsed }
}

it('500 reconnects, each with a command that runs, end where they began', async () => {
  await using gateway = await ScriptedGateway.start()
  await using proxy = await FaultProxy.start(gateway.port)
  const key = `grpc://testagent:xagt-0123456789@127.0.0.1:${proxy.port}?mode=standard`
  await using running = await RunningAgent.start(key, { killGraceMs: 100, life: { timing } })
  await running.serving()
  const rounds = async (from: number, to: number) => {
    for (let round = from; round <= to; round++) {
      gateway.send('AgentSessionOpen', openSpec(`s${round}`, {}))
      gateway.send('AgentExecWriteStdin', { 'gateway.session_id': `s${round}` }, 'exec sleep 1000')
      await waitFor(() => running.services.slots.taken === 1)
      proxy.reset()
      await waitFor(() => running.agent.state.reconnects === round && running.services.slots.taken === 0)
      gateway.received.length = gateway.metadata.length = running.log.length = running.entries.length = 0
    }
    await waitFor(() => proxy.connections === 1)
    return held()
  }
  const before = await rounds(1, 100)
  const after = await rounds(101, 600)
  console.log('500 reconnects', { before, after })
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors)
  expect(after.timers).toBeLessThanOrEqual(before.timers)
  expect(after.heap - before.heap).toBeLessThan(HEAP_BYTES)
})
