import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openSpec } from '../support/scripted/open.ts'
import { memoryOf } from '../support/machine/processes.ts'
import { Program } from '../support/sites/program.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { found, waitFor } from '../support/wait.ts'
import { Workplace } from '../support/sites/workplace.ts'

const TOTAL = 100_000_000
const PER_SECOND = 1_000_000
const GROWTH_MB = 10

it('100 MB into a gateway that reads 1 MB/s arrive whole, and the agent grows by no more than 10 MB', async () => {
  using place = new Workplace()
  await using gateway = await ScriptedGateway.start()
  place.write('key', gateway.key())
  await using agent = new Program(place, ['start', '--key-file', 'key'])
  await agent.says('stderr', /agent serving/)
  // Warm: the first large output brings the allocator to its working size.
  await run(gateway, 'warm', 5_000_000)
  const idle = memoryOf(agent.pid)
  let peak = idle
  let arrived = 0
  const stream = await found(() => gateway.stream)
  gateway.onPacket = (packet) => {
    // The agent ships its log as well.
    if (packet.type !== 'ClientWriteStdout') return
    arrived += packet.payload.length
    // Not kept: the test's own memory is not what is watched, but 100 MB of it would be in the way.
    gateway.received.pop()
    stream.pause()
    setTimeout(() => stream.resume(), (packet.payload.length / PER_SECOND) * 1000)
  }
  open(gateway, 'slow', TOTAL)
  while (arrived < TOTAL) {
    peak = Math.max(peak, memoryOf(agent.pid))
    await delay(250)
  }
  gateway.onPacket = () => undefined
  const close = await gateway.closeOf('slow')
  console.log('100 MB at 1 MB/s', { idle, peak })
  expect([String(close.spec['client.exit_code']), arrived]).toEqual(['0', TOTAL])
  expect(peak - idle).toBeLessThanOrEqual(GROWTH_MB)
})

function open(gateway: ScriptedGateway, sid: string, bytes: number): void {
  const cmdList = ['head', '-c', String(bytes), '/dev/zero']
  gateway.send('AgentSessionOpen', openSpec(sid, { cmdList, clientOrigin: 'client' }))
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid })
}

async function run(gateway: ScriptedGateway, sid: string, bytes: number): Promise<void> {
  open(gateway, sid, bytes)
  await gateway.closeOf(sid)
  gateway.received.length = 0
  await waitFor(() => gateway.received.length === 0)
}
