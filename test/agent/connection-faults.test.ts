import { status } from '@grpc/grpc-js'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { AgentState } from '../../src/agent/state.ts'
import type { Timing } from '../../src/agent/connection/timing.ts'
import { own } from '../support/owned.ts'
import { FaultProxy } from '../support/network/fault-proxy.ts'
import { Gate } from '../support/gate.ts'
import { openSpec } from '../support/scripted/open.ts'
import { isAlive } from '../support/machine/processes.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent, type AgentOptions } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { found, waitFor } from '../support/wait.ts'
import { Workplace } from '../support/sites/workplace.ts'

/** So long that it does not happen within a test. */
const NEVER_MS = 1_000_000
const withoutHealthChecks: Timing = { ...quickTiming, healthEveryMs: NEVER_MS, healthDeadlineMs: NEVER_MS }

interface Line {
  readonly gateway: ScriptedGateway
  readonly proxy: FaultProxy
  readonly running: RunningAgent
}

/** An agent that serves a gateway over a network that can fail. */
async function line(timing: Timing = quickTiming, options: AgentOptions = {}): Promise<Line> {
  const gateway = own(await ScriptedGateway.start())
  const proxy = own(await FaultProxy.start(gateway.port))
  const key = `grpc://testagent:xagt-0123456789@127.0.0.1:${proxy.port}?mode=standard`
  const running = own(await RunningAgent.start(key, { ...options, life: { ...options.life, timing } }))
  await running.serving()
  return { gateway, proxy, running }
}

async function entered(name: AgentState['name'], { agent }: RunningAgent): Promise<void> {
  await waitFor(() => agent.state.name === name)
}

/** Why the agent has lost its stream, or never had one; it may be back already. */
async function lossOf({ log }: RunningAgent): Promise<unknown> {
  const line = await found(() => log.find((text) => text.startsWith('agent waiting ')))
  const { reason } = JSON.parse(line.slice('agent waiting '.length)) as { readonly reason?: unknown }
  return reason
}

function begin(gateway: ScriptedGateway, sid: string, script: string): void {
  gateway.send('AgentSessionOpen', openSpec(sid, {}))
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
}

/** A script that runs until its gate is opened. */
async function waiting(gateway: ScriptedGateway, sid = 's1'): Promise<{ gate: Gate; pid: number }> {
  const gate = own(new Gate(own(new Workplace())))
  begin(gateway, sid, `${gate.script} echo done`)
  const [{ pid }] = await gate.reached()
  return { gate, pid }
}

describe('a gateway that falls silent', () => {
  it('is left after two health checks without an answer, and found again when the network is', async () => {
    // On a busy machine the first packet may take longer than the quick 0.4 s.
    const { proxy, running } = await line({ ...quickTiming, dialMs: 3000 })
    await found(() => running.agent.health)
    proxy.blackHole()
    expect(await lossOf(running)).toBe('the gateway did not answer two health checks in a row')
    proxy.heal()
    await running.serving()
    expect(running.agent.state.reconnects).toBe(1)
  })

  it('is not left while it answers health checks, nor for a single one that it leaves', async () => {
    const { gateway, running } = await line()
    await waitFor(() => gateway.healthChecks >= 2)
    gateway.isSilent = 'once'
    await waitFor(() => gateway.isSilent === false)
    const after = gateway.healthChecks
    await waitFor(() => gateway.healthChecks > after + 3)
    expect([running.agent.state.name, running.agent.state.reconnects]).toEqual(['serving', 0])
    // To cancel one whose answer is on its way corrupts the heap of the process.
    expect(gateway.cancelledHealthChecks).toBe(0)
  })

  it('is left with its stream, though the stream itself still works, when it answers no health check', async () => {
    const { gateway, running } = await line()
    gateway.isSilent = true
    expect(await lossOf(running)).toContain('health checks')
  })

  it('that does not know of health checks is not left', async () => {
    const { gateway, running } = await line()
    gateway.onHealthCheck = (done) => done({ code: status.UNIMPLEMENTED, details: 'unknown method' })
    const before = gateway.healthChecks
    await waitFor(() => gateway.healthChecks > before + 3)
    expect(running.agent.state.name).toBe('serving')
  })

  it('with its half of the connection gone is left as well', async () => {
    const { proxy, running } = await line()
    proxy.blackHole()
    proxy.endTargets()
    await lossOf(running)
    proxy.heal()
    await running.serving()
  })
})

describe('health', () => {
  it('is the last answer: when it came, and how long it took', async () => {
    const { running } = await line()
    const first = await found(() => running.agent.health)
    await waitFor(() => running.agent.health !== first)
    const { at, roundTripMs } = await found(() => running.agent.health)
    expect(at.monotonicMs).toBeGreaterThan(first.at.monotonicMs)
    expect(roundTripMs).toBeGreaterThan(0)
    expect(Math.abs(at.wall.getTime() - Date.now())).toBeLessThan(60_000)
  })

  it('outlives the stream that it came over', async () => {
    const { proxy, running } = await line({ ...quickTiming, healthEveryMs: NEVER_MS })
    const before = await found(() => running.agent.health)
    await proxy.refuse()
    proxy.reset()
    await lossOf(running)
    expect(running.agent.health).toEqual(before)
  })
})

describe('a connection that breaks', () => {
  it('by a reset is noticed by itself', async () => {
    const { proxy, running } = await line(withoutHealthChecks)
    proxy.reset()
    await waitFor(() => running.agent.state.reconnects === 1)
  })

  it('at a packet that cannot be read is left with the reason, and the agent connects again', async () => {
    const { gateway, running } = await line(withoutHealthChecks)
    gateway.send('AgentSessionOpen', Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`${n}`, ''])))
    expect(await lossOf(running)).toContain('packet: more than 1000 entries')
    await waitFor(() => running.agent.state.reconnects === 1)
    await running.serving()
  })

  it('in the middle of a packet to the agent opens no session', async () => {
    const { gateway, proxy, running } = await line(withoutHealthChecks)
    proxy.cutAfter('to-client', 100)
    begin(gateway, 's1', 'echo never')
    await waitFor(() => running.agent.state.reconnects === 1)
    begin(gateway, 's2', 'echo ever')
    await gateway.closeOf('s2')
    expect(gateway.of('s1')).toEqual([])
  })

  it('in the middle of a packet to the gateway ends the command whose output it was', async () => {
    const { gateway, proxy, running } = await line(withoutHealthChecks)
    proxy.cutAfter('to-target', 1_000_000)
    begin(gateway, 's1', 'yes')
    await waitFor(() => running.agent.state.reconnects === 1)
    await waitFor(() => running.services.slots.taken === 0)
    expect(running.entries).toContainEqual(
      expect.objectContaining({ event: 'ended', sid: 's1', reason: 'gateway-lost', closeSent: false }),
    )
  })

  it('twenty times, with the gateway gone for a while and commands running, leaves nothing behind', async () => {
    const { lost } = quickTiming.backoff
    const eager = { ...quickTiming.backoff, lost: { ...lost, longestMs: 100 } }
    const { gateway, proxy, running } = await line({ ...quickTiming, backoff: eager }, { killGraceMs: 100 })
    for (let round = 1; round <= 20; round++) {
      begin(gateway, `s${round}`, 'exec sleep 1000')
      await waitFor(() => running.services.slots.taken === 1)
      await proxy.refuse()
      proxy.reset()
      await waitFor(() => running.agent.state.name !== 'serving')
      await proxy.open()
      await waitFor(() => running.agent.state.name === 'serving' && running.agent.state.reconnects === round)
      await waitFor(() => running.services.slots.taken === 0)
    }
    await waitFor(() => proxy.connections === 1)
    expect(running.secretFiles()).toEqual([])
  })
})

describe('a gateway that is slow', () => {
  it('and whose answers are late is not left while anything comes from it', async () => {
    const { gateway, running } = await line()
    gateway.isSilent = true
    const before = gateway.healthChecks
    let sent = 0
    const signsOfLife = setInterval(() => {
      gateway.send('GatewayFeatureFlagUpdate', { 'feature-flags': '{}' })
      sent += 1
    }, quickTiming.healthDeadlineMs / 10)
    // More than four health checks take.
    await waitFor(() => sent >= 80)
    clearInterval(signsOfLife)
    expect([running.agent.state.name, running.agent.state.reconnects]).toEqual(['serving', 0])
    // Questions that are open already are not put again: a gateway that answers late is not to be buried in them.
    expect(gateway.healthChecks - before).toBeLessThanOrEqual(2)
    await lossOf(running)
  })

  it('over a line of 2 MB/s gets all of an output', async () => {
    const { gateway, proxy, running } = await line(quickTiming, { outputCapBytes: 0 })
    proxy.bytesPerSecond = 2_000_000
    const bytes = 3_000_000
    begin(gateway, 's1', `head -c ${bytes} /dev/zero`)
    const close = await gateway.closeOf('s1')
    const output = gateway.of('s1').filter((packet) => packet !== close)
    const sent = output.reduce((sum, { payload }) => sum + payload.length, 0)
    expect([sent, running.agent.state.reconnects]).toEqual([bytes, 0])
  })

  it('and says nothing after the connection is made is left after the dial deadline, with its socket', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(
      0,
      '127.0.0.1',
    )
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    let ended = 0
    silent.on('connection', (socket) => socket.once('close', () => (ended += 1)))
    for (const [scheme, stage] of [
      ['grpc', 'connected'],
      ['grpcs', 'in the TLS handshake'],
    ]) {
      const key = `${scheme ?? ''}://testagent:xagt-0123456789@127.0.0.1:${port}`
      await using running = await RunningAgent.start(key, { life: { timing: quickTiming } })
      expect(await lossOf(running)).toBe(`no answer within 0.4 s (${stage ?? ''})`)
      const before = ended
      await waitFor(() => ended > before)
    }
    silent.close()
  })

  it('does not keep an agent that is told to stop', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(
      0,
      '127.0.0.1',
    )
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const patient = { ...quickTiming, dialMs: NEVER_MS, closeMs: NEVER_MS }
    for (const scheme of ['grpc', 'grpcs']) {
      const key = `${scheme}://testagent:xagt-0123456789@127.0.0.1:${port}`
      const connected = once(silent, 'connection')
      await using running = await RunningAgent.start(key, { life: { timing: patient } })
      await connected
      running.agent.drain()
      await entered('stopped', running)
    }
    silent.close()
  })
})

describe('a gateway that retires (GOAWAY)', () => {
  it('keeps its stream until the command has ended and its close is out; then the agent looks for another', async () => {
    const { gateway, running } = await line()
    const { gate } = await waiting(gateway)
    gateway.retire()
    gate.open()
    const close = await gateway.closeOf('s1')
    expect(String(close.spec['client.exit_code'])).toBe('0')
    expect(running.agent.state).toMatchObject({ name: 'serving', reconnects: 0 })
    gateway.stream?.end()
    await lossOf(running)
  })
})

describe('the wall clock', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([1, -1])('may jump by %i h while the agent serves and while it waits', async (hours) => {
    const { gateway, proxy, running } = await line()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 })
    const before = gateway.healthChecks
    await waitFor(() => gateway.healthChecks > before + 3)
    expect([running.agent.state.name, running.agent.state.reconnects]).toEqual(['serving', 0])
    await proxy.refuse()
    proxy.reset()
    await lossOf(running)
    vi.setSystemTime(Date.now() - 2 * hours * 3_600_000)
    await proxy.open()
    await running.serving()
  })
})

describe('running commands, when the stream is lost', () => {
  it('are ended, unless told otherwise', async () => {
    const { gateway, proxy, running } = await line()
    const { pid } = await waiting(gateway)
    proxy.reset()
    const ended = await found(() => running.entries.find(({ event }) => event === 'ended'))
    expect([isAlive(pid), ended]).toEqual([false, expect.objectContaining({ reason: 'gateway-lost' })])
  })

  it('go on with on-disconnect: finish, and how they ended stands in the journal', async () => {
    const { gateway, proxy, running } = await line(quickTiming, { life: { onDisconnect: 'finish' } })
    const { gate } = await waiting(gateway)
    gateway.send('AgentSessionOpen', openSpec('idle', {}))
    await waitFor(() => gateway.of('idle').length > 0)
    proxy.reset()
    await waitFor(() => running.agent.state.reconnects === 1)
    expect(running.services.slots.taken).toBe(1)
    gate.open()
    const ended = await found(() =>
      running.entries.find((entry) => entry.event === 'ended' && entry.sid === 's1'),
    )
    expect(ended).toMatchObject({
      outcome: 'exited',
      exitCode: 0,
      bytesRead: 5,
      bytesSent: 0,
      closeSent: false,
    })
    // A session that never got its script has nothing to finish.
    expect(running.entries).toContainEqual(
      expect.objectContaining({
        event: 'ended',
        sid: 'idle',
        outcome: 'not-started',
        reason: 'gateway-lost',
      }),
    )
  })

  it('and go on are waited for by a drain, and ended by a stop', async () => {
    const { gateway, proxy, running } = await line(quickTiming, { life: { onDisconnect: 'finish' } })
    const { pid } = await waiting(gateway)
    await proxy.refuse()
    proxy.reset()
    await lossOf(running)
    running.agent.drain()
    expect([running.agent.state.name, isAlive(pid)]).toEqual(['draining', true])
    running.agent.stop()
    await entered('stopped', running)
    expect(running.entries).toContainEqual(
      expect.objectContaining({ event: 'ended', reason: 'agent-stopping' }),
    )
  })
})
