import { describe, expect, it } from 'vitest'
import type { ClientCall } from '../../../src/gateway/agents/client-call.ts'
import { Unread } from '../../../src/gateway/clients/client.ts'
import { ClientSite, clientOf, recorded, textOf } from '../../support/sites/client-site.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../support/scripted/scripted-agent.ts'
import type { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { waitFor } from '../../support/wait.ts'

const MiB = 1024 * 1024

/** Counts output instead of keeping it. */
function counted(client: ScriptedClient): { bytes: number } {
  const count = { bytes: 0 }
  client.onPacket = ({ type, payload }) => {
    if (type === 'ClientWriteStdout') count.bytes += payload.length
    return type !== 'ClientWriteStdout'
  }
  return count
}

async function running(client: ScriptedClient, script: string): Promise<void> {
  client.open(script)
  await client.packet('ClientSessionOpenOK')
  client.send({ kind: 'exec', stdin: Buffer.from(script) })
}

describe('a client that does not read', () => {
  it('holds up neither the other sessions of its agent nor the agent, and gets everything when it reads on', async () => {
    await using site = await ClientSite.start()
    await using slow = site.client('exec')
    const count = counted(slow)
    await running(slow, 'head -c 50000000 /dev/zero; exit 3')
    slow.pause()
    const before = site.agent.agent.state
    for (let i = 0; i < 3; i++) {
      await using quick = site.client('exec')
      expect((await quick.exec('head -c 5000000 /dev/zero | tr "\\0" x')).stdout.length).toBe(5_000_000)
    }
    expect([slow.status, site.agent.agent.state]).toEqual([undefined, before])
    slow.resume()
    expect((await slow.ended()).code).toBe(3)
    expect(count.bytes).toBe(50_000_000)
  })

  it('gets the whole output also when its command has ended long before', async () => {
    await using site = await ClientSite.start()
    await using slow = site.client('exec')
    const count = counted(slow)
    await running(slow, 'head -c 9000000 /dev/zero')
    slow.pause()
    await using quick = site.client('exec')
    await quick.exec('true')
    slow.resume()
    expect([(await slow.ended()).code, count.bytes]).toEqual([0, 9_000_000])
  })

  it('is killed like any other, and is told once it reads on', async () => {
    await using site = await ClientSite.start()
    await using slow = site.client('exec')
    counted(slow)
    await running(slow, 'head -c 50000000 /dev/zero')
    slow.pause()
    const sid = await slow.sid()
    expect(await site.kill(sid)).toBe(204)
    expect((await site.recorded(sid)).exit_code).toBe(254)
    await waitFor(() =>
      site.agent.log.some((line) => line.startsWith('session closed') && line.includes(sid)),
    )
    slow.resume()
    expect(await slow.over()).toMatchObject({ code: 2, details: 'session killed by the user: admin' })
  })

  it('ends with its output paused: the command is ended, not forgotten', async () => {
    await using site = await ClientSite.start()
    const slow = site.client('exec')
    counted(slow)
    await running(slow, 'yes')
    slow.pause()
    const sid = await slow.sid()
    await using quick = site.client('exec')
    await quick.exec('true')
    await slow.leave()
    expect((await site.recorded(sid)).exit_code).toBe(143)
  })

  it('loses its session where the agent does not pause, and no other session does', async () => {
    await using gateway = await RunningGateway.start()
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    await using slow = clientOf(gateway, 'exec')
    counted(slow)
    slow.open('x')
    const { sid } = await agent.packet('AgentSessionOpen')
    const ours = { 'gateway.session_id': sid }
    agent.send('ClientSessionOpenOK', ours)
    await slow.packet('ClientSessionOpenOK')
    slow.pause()
    const answer = gateway.script('the other')
    await waitFor(() => agent.received.filter(({ type }) => type === 'AgentSessionOpen').length === 2)
    const other = { 'gateway.session_id': String(agent.received.at(-1)?.spec['gateway.session_id']) }
    for (let sent = 0; sent < 32 * MiB; sent += 64 * 1024)
      agent.send('ClientWriteStdout', ours, Buffer.alloc(64 * 1024))
    const record = await recorded(gateway, sid)
    const reason = 'the client does not read: 16 MiB of output are unread, and the agent does not pause'
    expect([record.exit_code, textOf(record, 'e')]).toEqual([
      254,
      `rpc error: code = ResourceExhausted desc = ${reason}`,
    ])
    expect((await agent.packet('AgentSessionPause')).sid).toBe(sid)
    expect((await agent.packet('AgentSessionClose')).sid).toBe(sid)
    slow.resume()
    expect(await slow.over()).toMatchObject({ code: 8, details: reason })
    agent.send('ClientSessionClose', { ...other, 'client.exit_code': '0' })
    expect((await answer).body['exit_code']).toBe(0)
  })
})

it('a client that does not read loses its session beyond 256 MiB of unread output in total, and one that reads keeps its own', () => {
  const call = (unread: number) => ({ unsentBytes: unread }) as ClientCall
  const [reading, ...others] = [call(MiB), ...Array.from({ length: 85 }, () => call(3 * MiB))]
  const calls = new Map<ClientCall, unknown>([reading, ...others].map((one) => [one, undefined]))
  const unread = new Unread(calls)
  expect(others.map((one) => unread.fault(one))).toEqual(others.map(() => undefined))
  calls.set(call(1), undefined)
  expect(unread.fault(reading)).toBeUndefined()
  expect(new Set(others.map((one) => unread.fault(one)))).toEqual(
    new Set(['clients do not read: 256 MiB of output are unread in total']),
  )
})

it('a client is asked to wait while its agent takes nothing, and nothing is lost', async () => {
  await using gateway = await RunningGateway.start()
  await using agent = await ScriptedAgent.connected(gateway.agentUrl)
  await using client = clientOf(gateway, 'connect')
  client.open()
  const { sid } = await agent.packet('AgentSessionOpen')
  agent.send('ClientSessionOpenOK', { 'gateway.session_id': sid })
  await client.packet('ClientSessionOpenOK')
  agent.pause()
  const packets = 100
  let taken = 0
  for (let i = 0; i < packets; i++) {
    const payload = Buffer.alloc(MiB, i)
    client.sendPacket({ type: 'AgentTerminalWriteStdin', spec: {}, payload }, () => (taken += 1))
  }
  // The gateway itself goes on.
  await waitFor(() => taken > 5)
  expect((await gateway.request('GET', '/api/healthz')).status).toBe(200)
  expect(taken).toBeLessThan(40)
  agent.resume()
  const keys = () => agent.received.filter(({ type }) => type === 'AgentTerminalWriteStdin')
  await waitFor(() => keys().length === packets)
  expect(keys().map(({ payload }) => payload[0])).toEqual(Array.from({ length: packets }, (_, i) => i))
})

it('a client that sends much before its agent has come is not read ahead of', async () => {
  await using gateway = await RunningGateway.start({}, { limits: '{ agent-wait: 30s }' })
  await using eager = clientOf(gateway, 'connect')
  let taken = 0
  eager.open()
  for (let i = 0; i < 16; i++)
    eager.sendPacket(
      { type: 'AgentTerminalWriteStdin', spec: {}, payload: Buffer.alloc(4 * MiB) },
      () => (taken += 1),
    )
  for (let i = 0; i < 300; i++) await gateway.request('GET', '/api/healthz')
  expect(taken).toBeLessThan(3)
})
