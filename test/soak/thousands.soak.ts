import { readdirSync } from 'node:fs'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Packet } from '../../src/wire/packet.ts'
import { engine } from '../support/sites/execute.ts'
import { base64, openSpec } from '../support/scripted/open.ts'
import { RunningAgent } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { waitFor } from '../support/wait.ts'

let gateway: ScriptedGateway
let running: RunningAgent
let answers: Answers

// Else what escapes would go to process 1. Nothing else in this process has children.
beforeAll(() => engine.guard())

beforeEach(async () => {
  gateway = await ScriptedGateway.start()
  answers = new Answers()
  gateway.onPacket = (packet) => answers.receive(packet)
  running = await RunningAgent.start(gateway.key(), { slots: 200 })
  await running.serving()
})
afterEach(async () => {
  await running[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const HEAP_BYTES = 5 * 1024 * 1024

/** What executions could leave behind in this process. */
function held(): { readonly descriptors: number; readonly timers: number; readonly heap: number } {
  for (let i = 0; i < 5; i++) globalThis.gc?.()
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  return { descriptors: readdirSync('/proc/self/fd').length, timers, heap: process.memoryUsage().heapUsed }
}

/** Looked up by session: searching all packets for each of thousands would take longer than what is tested. */
class Answers {
  readonly #of = new Map<string, { readonly packets: Packet[]; readonly closed: () => void }>()

  receive(packet: Packet): void {
    const answer = this.#of.get(String(packet.spec['gateway.session_id']))
    answer?.packets.push(packet)
    if (packet.type === 'ClientSessionClose') answer?.closed()
  }

  async of(sid: string): Promise<Packet[]> {
    const packets: Packet[] = []
    await new Promise<void>((closed) => this.#of.set(sid, { packets, closed }))
    this.#of.delete(sid)
    return packets
  }
}

/** Runs one with a secret file, output on both streams, now and then a process that escapes, and checks its answer. */
async function one(number: number): Promise<void> {
  const sid = `s${number}`
  const code = number % 100
  const escape = number % 50 === 0 ? 'setsid sleep 1000 > /dev/null 2>&1 &' : ''
  const script = `${escape} cat "$SECRET"; echo ${number} >&2; exit ${code}`
  const answer = answers.of(sid)
  gateway.send(
    'AgentSessionOpen',
    openSpec(sid, { envVars: new Map([['filesystem:SECRET', base64('abc')]]) }),
  )
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  const packets = await answer
  gateway.send('AgentSessionClose', { 'gateway.session_id': sid })
  expect(String(packets.at(-1)?.spec['client.exit_code'])).toBe(String(code))
  const output = packets.map(({ type, payload }) => `${type} ${String(payload)}`)
  expect(output).toContain('ClientWriteStdout abc')
  expect(output).toContain(`ClientWriteStderr ${number}\n`)
}

/** Their packets are not part of what the agent holds. */
async function some(from: number, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => one(from + i)))
  gateway.received.length = 0
  running.log.length = 0
  running.entries.length = 0
}

async function settled(): Promise<ReturnType<typeof held>> {
  await waitFor(() => running.services.slots.taken === 0 && running.secretFiles().length === 0)
  return held()
}

describe('everything is back where it was', () => {
  it('after 10,000 executions in a row', async () => {
    for (let number = 0; number < 500; number++) await some(number, 1)
    const before = await settled()
    for (let number = 500; number < 10_500; number++) await some(number, 1)
    const after = await settled()
    console.log('10,000 in a row', { before, after })
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors)
    expect(after.timers).toBeLessThanOrEqual(before.timers)
    expect(after.heap - before.heap).toBeLessThan(HEAP_BYTES)
  })

  it('after 200 at once, twenty times', async () => {
    await some(0, 200)
    const before = await settled()
    for (let round = 1; round <= 20; round++) await some(round * 200, 200)
    const after = await settled()
    console.log('200 at once', { before, after })
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors)
    expect(after.timers).toBeLessThanOrEqual(before.timers)
    expect(after.heap - before.heap).toBeLessThan(HEAP_BYTES)
  })
})
