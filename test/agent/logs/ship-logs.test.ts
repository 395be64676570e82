import { afterEach, beforeEach, expect, it } from 'vitest'
import { LogTail, shipLogs } from '../../../src/agent/logs.ts'
import { ConnectError } from '../../../src/dial/connect-error.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import { logged } from '../../support/sites/logged.ts'
import { openSpec } from '../../support/scripted/open.ts'
import { quickTiming } from '../../support/sites/quick-timing.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { found, waitFor } from '../../support/wait.ts'

let gateway: ScriptedGateway
let running: RunningAgent
let logs: LogTail

beforeEach(async () => {
  gateway = await ScriptedGateway.start()
  logs = new LogTail()
  running = await RunningAgent.start(gateway.key(), { life: { timing: quickTiming, logs } })
  await running.serving()
})
afterEach(async () => {
  await running[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

interface Shipped {
  readonly level: string
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

const packets = () => gateway.received.filter(({ type }) => type === 'ClientAgentLogs')
const linesOf = ({ payload }: Packet) => JSON.parse(String(payload)) as Shipped[]
const shipped = () => packets().flatMap(linesOf)
const messages = () => shipped().map(({ message }) => message)

it('sends each line of the log once, and nothing where nothing was said', async () => {
  gateway.send('AgentSessionOpen', openSpec('s1', {}))
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo hunter2')
  await waitFor(() => messages().includes('session closed'))
  expect(messages()).toEqual(['agent serving', 'session opened', 'execution started', 'session closed'])
  expect(shipped()[1]).toMatchObject({ level: 'info', fields: { sid: 's1', connection: 'test' } })
  // Two more turns.
  const count = packets().length
  const { healthChecks } = gateway
  await waitFor(() => gateway.healthChecks > healthChecks)
  expect(packets()).toHaveLength(count)
})

it('leaves out what was said while there was no gateway', async () => {
  await waitFor(() => messages().includes('agent serving'))
  gateway.stream?.end()
  await waitFor(() => messages().filter((message) => message === 'agent serving').length === 2, 10_000)
  expect(running.log.some((line) => line.startsWith('agent waiting'))).toBe(true)
  expect(messages()).toEqual(['agent serving', 'agent serving'])
})

it('says nothing of its own work, so that no line causes another', async () => {
  await waitFor(() => packets().length === 1)
  const said = running.log.length
  running.services.log.warn({}, 'one')
  await waitFor(() => packets().length === 2)
  expect(running.log).toHaveLength(said + 1)
})

it('waits while the gateway takes nothing, with the newest lines, and goes on when it does', async () => {
  const tail = new LogTail()
  const sent: Packet[] = []
  const stream = {
    hasRoom: false,
    turns: 0,
    send: (packet: Packet) => Promise.resolve(void sent.push(packet)),
  }
  const slow = {
    get hasRoom(): boolean {
      stream.turns += 1
      return stream.hasRoom
    },
    send: stream.send,
  }
  const life = new AbortController()
  const over = shipLogs(tail, slow, 1, life.signal)
  for (let i = 0; i < 2000; i++)
    tail.add(logged({ time: new Date(), level: 'info', message: `line ${i}`, fields: {} }))
  await waitFor(() => stream.turns > 3)
  expect(sent).toEqual([])
  stream.hasRoom = true
  const lines = linesOf(await found(() => sent[0]))
  expect([sent.length, lines.length, lines[0]?.message]).toEqual([1, 500, 'line 1500'])
  life.abort()
  await over
})

it('ends with its stream', async () => {
  const tail = new LogTail()
  const stream = { hasRoom: true, send: () => Promise.reject(new ConnectError('lost', 'gone')) }
  const over = shipLogs(tail, stream, 1, new AbortController().signal)
  tail.add(logged({ time: new Date(), level: 'info', message: 'm', fields: {} }))
  await over
})

it('lets an agent stop at once, and sends nothing behind the end', async () => {
  running.services.log.info({}, 'on its way')
  running.agent.drain()
  await waitFor(() => running.agent.state.name === 'stopped')
  const { length } = gateway.received
  running.services.log.info({}, 'too late')
  expect(gateway.received).toHaveLength(length)
})
