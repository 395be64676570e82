import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogTail, shipLogs } from '../../src/agent/logs.ts'
import type { LogLine } from '../../src/basics/logger.ts'
import { Secret } from '../../src/basics/secret.ts'
import { ConnectError } from '../../src/dial/connect-error.ts'
import { encodeAgentMessage } from '../../src/wire/messages/from-agent.ts'
import type { Packet } from '../../src/wire/packet.ts'
import { openSpec } from '../support/scripted/open.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { logged } from '../support/sites/logged.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent } from '../support/sites/running-agent.ts'
import { found, waitFor } from '../support/wait.ts'

const line = (message: string, fields: Record<string, unknown> = {}): LogLine => ({
  time: new Date('2026-01-01T00:00:00Z'),
  level: 'info',
  message,
  fields,
})

function kept(lines: readonly LogLine[], tail = new LogTail()): readonly LogLine[] {
  for (const one of lines) tail.add(logged(one))
  return tail.take()
}

describe('what waits for the gateway', () => {
  it('is given out once, oldest first', () => {
    const tail = new LogTail()
    tail.add(logged(line('a', { n: 1 })))
    tail.add(logged(line('b')))
    expect(tail.take()).toEqual([line('a', { n: 1 }), line('b')])
    expect(tail.take()).toEqual([])
  })

  it('is the newest 500 lines', () => {
    const lines = kept(Array.from({ length: 1200 }, (_, i) => line(`line ${i}`)))
    expect([lines.length, lines[0]?.message, lines.at(-1)?.message]).toEqual([500, 'line 700', 'line 1199'])
  })

  it.each([
    ['texts that are long', { text: 'x'.repeat(100_000) }],
    [
      'many fields',
      Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, 'é'.repeat(20)])),
    ],
    ['characters that JSON writes with six', { text: '\u0001'.repeat(1300) }],
    ['a deep list', { deep: Array.from({ length: 100 }, () => ['x'.repeat(500)]) }],
  ])('makes a packet far below 1 MiB, even with %s in each', (_, fields) => {
    const lines = kept(Array.from({ length: 600 }, (_, i) => line(`${i} ${'m'.repeat(50_000)}`, fields)))
    expect(lines.at(-1)?.message).toMatch(/^599 m{1900,} \[\.\.\.\]$/)
    const { payload } = encodeAgentMessage({ kind: 'logs', lines })
    expect(payload.length).toBeLessThan(600 * 1024)
    expect(payload.length).toBeGreaterThan(lines.length * 100)
  })

  it('says how much was left out of fields that are too large', () => {
    const [one] = kept([line('m', { list: Array.from({ length: 10 }, () => 'x'.repeat(1500)) })])
    expect(one).toEqual(line('m', { leftOut: expect.stringMatching(/^fields of 15\d\d\d bytes$/) as string }))
  })

  it('keeps the stack of a bug', () => {
    const { stack = '' } = new Error('boom')
    expect(kept([line('m', { stack })])).toEqual([line('m', { stack })])
  })
})

describe("a line with the agent's credential in it", () => {
  const key = 'grpcs://prod:xagt-zKQQA9PAjCVJ4O8VlE2QZScNEbfmFisg@gw.example.test:8443?mode=standard'
  const secret = 'xagt-zKQQA9PAjCVJ4O8VlE2QZScNEbfmFisg'
  const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzcGlmZmU6Ly9leGFtcGxlIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ'
  const old = `https://gw.example.test:8443/${'0123456789abcdef'.repeat(4)}`

  function tail(): LogTail {
    const tail = new LogTail()
    for (const token of [key, jwt, old]) tail.hide(new Secret(token))
    return tail
  }

  it.each([
    ['the whole key', line(`Bearer ${key}`)],
    ['its secret', line('m', { deep: [{ reason: `password "${secret}" refused` }] })],
    ['as the name of a field', line('m', { [secret]: 1 })],
    ['in base64', line(Buffer.from(`x${secret}`).toString('base64'))],
    ['encoded for a URL', line(encodeURIComponent(key))],
    ['behind much else', line(`${'x'.repeat(1990)}${secret}`)],
    ['a JWT', line('m', { error: jwt })],
    ['a key of the old form', line(`no such agent: ${'0123456789abcdef'.repeat(4)}`)],
  ])('is replaced whole: %s', (_, one) => {
    expect(kept([one], tail())).toEqual([line('left out: this line holds a credential of the agent')])
  })

  it('is known by it after a renewal, too, and others are left alone', () => {
    const renewed = tail()
    renewed.hide(new Secret('another-token-0123456789'))
    const lines = [
      line(secret),
      line('another-token-0123456789'),
      line('xagt is a prefix', { gateway: 'gw.example.test:8443' }),
    ]
    expect(kept(lines, renewed).map(({ message }) => message.slice(0, 8))).toEqual([
      'left out',
      'left out',
      'xagt is ',
    ])
  })
})

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

describe('log shipping', () => {
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
    await waitFor(() => messages().filter((message) => message === 'agent serving').length === 2)
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
})
