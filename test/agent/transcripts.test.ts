import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogTail } from '../../src/agent/logs.ts'
import type { Packet } from '../../src/wire/packet.ts'
import { decodeParams, encodeParams } from '../../src/wire/params.ts'
import { missingPostgres, postgresDatabase, type PostgresDatabase } from '../support/machine/databases.ts'
import { base64 } from '../support/scripted/open.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { without } from '../support/machine/servers.ts'
import { transcript, type Entry } from '../support/scripted/transcript.ts'
import { found, waitFor } from '../support/wait.ts'

// The recorded conversations of hoop's gateway, replayed: its packets go to our agent byte for byte (but for the name of
// a database, which must be the test's own), ours are
// compared in kind and order, codes and texts. Where ours differ on purpose the difference stands here, in
// `deviates`, and with its reason in docs/protocol.md.

const noPostgres = await missingPostgres()

let gateway: ScriptedGateway
let running: RunningAgent
beforeEach(async () => {
  gateway = await ScriptedGateway.start()
  // hoop's agent shows the values of secrets.
  running = await RunningAgent.start(gateway.key(), { redact: 'off' })
  await running.serving()
})
afterEach(async () => {
  await running[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

interface Told {
  readonly kinds: readonly string[]
  readonly stdout: string
  readonly stderr: string
  readonly code: string
  readonly text: string
}

/** What an agent said in a session: the kinds in order (repeated output packets once), its output, its close. */
function told(packets: readonly Packet[]): Told {
  const output = (type: string) =>
    packets
      .filter((packet) => packet.type === type)
      .map(({ payload }) => String(payload))
      .join('')
  const close = packets.find(({ type }) => type === 'ClientSessionClose')
  return {
    kinds: packets.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]),
    stdout: output('ClientWriteStdout'),
    stderr: output('ClientWriteStderr'),
    code: String(close?.spec['client.exit_code']),
    text: String(close?.payload),
  }
}

/** Sends the gateway's packets in order, each after what the agent had said before it. */
async function replay(
  name: string,
  entries: readonly Entry[] = transcript(name),
): Promise<{ recorded: Told; ours: Told }> {
  const sid = String(entries[0]?.packet.spec['gateway.session_id'])
  const isTerminal = entries.some(({ packet }) => packet.type === 'AgentTerminalWriteStdin')
  for (const [i, { from, packet }] of entries.entries()) {
    if (from === 'agent') continue
    const before = entries.slice(0, i).filter((entry) => entry.from === 'agent')
    await waitFor(
      () =>
        caughtUp(
          gateway.of(sid),
          before.map(({ packet }) => packet),
          isTerminal,
        ),
      10_000,
    )
    gateway.stream?.write(packet)
  }
  await gateway.closeOf(sid)
  return {
    recorded: told(entries.filter(({ from }) => from === 'agent').map(({ packet }) => packet)),
    ours: told(gateway.of(sid)),
  }
}

/** The recorded connection is one to hoop's own database, `hoopdb`, as whoever runs hoop here has it. */
function onDatabase(
  { name, password, host, port }: PostgresDatabase,
  entries: readonly Entry[],
): readonly Entry[] {
  const place = Object.entries({ HOST: host, PORT: port, USER: name, PASS: password, DB: name })
  const variables = place.map(([name, value]) => [`envvar:${name}`, base64(value)] as const)
  return entries.map(({ from, packet }) => {
    const bytes = packet.spec['agent.connection_params']
    if (bytes === undefined) return { from, packet }
    const params = decodeParams(bytes)
    const envVars = new Map([...params.envVars, ...variables])
    const changed = { ...packet.spec, 'agent.connection_params': encodeParams({ ...params, envVars }) }
    return { from, packet: { ...packet, spec: changed } }
  })
}

/**
 * Output comes in other portions than recorded: a close for a close, else some output for output, an OK for an OK; on a
 * terminal everything that was shown before the next keys, since the echo of keys depends on what runs when they come.
 */
function caughtUp(ours: readonly Packet[], recorded: readonly Packet[], isTerminal: boolean): boolean {
  const closed = (packets: readonly Packet[]) => packets.some(({ type }) => type === 'ClientSessionClose')
  if (closed(recorded)) return closed(ours)
  if (isTerminal && shown(told(ours)) !== shown(told(recorded))) return false
  return ours.length >= Math.min(recorded.length, 2)
}

/** Without the prompt that the line editor draws again when the size changes: not every version does. */
function shown({ stdout }: Told): string {
  return stdout.replaceAll('\r\x1b[K\r$ ', '')
}

const ordinaryExit = { text: '' } // no `failed executing command, reason=exit status n` behind the output

describe('a recorded conversation, replayed', () => {
  it.each([
    ['runbook-exec-v2-ok', {}],
    ['cli-exec-stdin-env-args-exit-7', ordinaryExit],
    ['session-exec-stderr-exit-3', ordinaryExit],
    ['session-exec-signal-death-minus-1', { code: '137', text: 'killed by signal 9 (SIGKILL)' }],
    [
      'session-exec-killed-by-user',
      { code: '143', text: 'ended by the agent: the gateway closed the session' },
    ],
    ['open-failure-postgres-unreachable', {}],
    ['open-failure-two-closes', {}],
  ])('%s', async (name, deviates) => {
    const { recorded, ours } = await replay(name)
    const { kinds, ...told } = ours
    expect(told).toEqual({
      stdout: recorded.stdout,
      stderr: recorded.stderr,
      code: recorded.code,
      text: recorded.text,
      ...deviates,
    })
    // stdout and stderr are two pipes: their order is by chance, also in hoop (protocol.md 5.7).
    expect([...kinds].sort()).toEqual([...recorded.kinds].sort())
    expect([kinds[0], kinds.at(-1)]).toEqual([recorded.kinds[0], recorded.kinds.at(-1)])
  })

  it('big-output-first-packets: 3 MB, kept whole as packets of at most 64 KiB', async () => {
    const { ours } = await replay('big-output-first-packets')
    expect(ours).toMatchObject({
      kinds: ['ClientSessionOpenOK', 'ClientWriteStdout', 'ClientSessionClose'],
      code: '0',
      text: '',
    })
    expect(ours.stdout).toBe('x'.repeat(3_000_000))
    expect(Math.max(...gateway.received.map(({ payload }) => payload.length))).toBeLessThanOrEqual(64 * 1024)
  })

  it('exec-refused-by-agent: the recorded agent could not execute; ours answers the same OK and runs it', async () => {
    const { ours } = await replay('exec-refused-by-agent')
    expect(ours.kinds[0]).toBe('ClientSessionOpenOK')
    expect(
      String(gateway.received.find(({ type }) => type === 'ClientSessionOpenOK')?.spec['client.command']),
    ).toBe('bash --norc --noprofile a $FOO')
    expect([ours.code, ours.stderr]).toEqual(['127', 'bash: a bar: No such file or directory\n'])
  })

  it('cli-connect-resize-exit-3: a terminal, every byte that it shows, its sizes, and the code of the shell', async () => {
    const { recorded, ours } = await replay('cli-connect-resize-exit-3')
    expect([ours.kinds, ours.code, ours.text]).toEqual([recorded.kinds, '3', ''])
    expect(shown(ours)).toBe(shown(recorded))
    expect(ours.stderr).toBe('')
  })

  it.skipIf(noPostgres !== undefined)(
    `postgres-exec-error, on a database of its own${without(noPostgres)}`,
    async () => {
      await using database = await postgresDatabase()
      const name = 'postgres-exec-error'
      const { recorded, ours } = await replay(name, onDatabase(database, transcript(name)))
      expect([ours.stdout, ours.stderr, ours.code]).toEqual([recorded.stdout, recorded.stderr, recorded.code])
    },
  )
})

describe('the recorded handshake', () => {
  it('connect-handshake-and-log-shipping: after the keepalive what the log says since, in entries of the same form', async () => {
    await running[Symbol.asyncDispose]()
    gateway.onStream = (stream) => {
      for (const { from, packet } of transcript('connect-handshake-and-log-shipping'))
        if (from === 'gateway') stream.write(packet)
    }
    const before = gateway.received.length
    running = await RunningAgent.start(gateway.key(), { life: { timing: quickTiming, logs: new LogTail() } })
    await running.serving()
    const ours = () => gateway.received.slice(before)
    const shipped = await found(() => ours().find(({ type }) => type === 'ClientAgentLogs'))
    const recorded = transcript('connect-handshake-and-log-shipping').filter(({ from }) => from === 'agent')
    expect(ours()[0]?.type).toBe(recorded[0]?.packet.type)
    expect(shipped.spec).toEqual(recorded[1]?.packet.spec)
    const [theirs] = JSON.parse(String(recorded[1]?.packet.payload)) as object[]
    const entries = JSON.parse(String(shipped.payload)) as Record<string, unknown>[]
    // `logger` is a place in hoop's source.
    expect(Object.keys(theirs ?? {})).toEqual(['timestamp', 'level', 'message', 'logger'])
    expect(entries).toEqual([
      {
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/) as string,
        level: 'info',
        message: 'agent serving',
        fields: { gateway: `127.0.0.1:${gateway.port}`, state: 'serving' },
      },
    ])
  })

  it('begins with a keepalive, and introduces itself as recorded', async () => {
    const [metadata] = gateway.metadata
    await found(() => gateway.received[0])
    expect(gateway.received[0]?.type).toBe('GatewayKeepAlive')
    expect(metadata).toMatchObject({ origin: 'agent', authorization: `Bearer ${gateway.key()}`, version: '' })
    const recorded = [
      'compiler',
      'go-version',
      'hostname',
      'kernel-version',
      'machine-id',
      'platform',
      'user-agent',
    ]
    expect(recorded.filter((key) => metadata?.[key] === undefined)).toEqual([])
    expect(metadata?.['platform']).toMatch(/^linux\/(amd64|arm64)$/)
  })

  it.each([
    ['wrong-key-refused', 16, 'invalid authentication', 'refused', 'the gateway refuses this key'],
    [
      'second-agent-same-key-refused',
      9,
      'agent already connected',
      'conflict',
      'another agent uses this key',
    ],
  ])('%s: says why in words, waits and tries again', async (_, code, details, state, words) => {
    await running[Symbol.asyncDispose]()
    let streams = 0
    gateway.onStream = (stream) => {
      streams += 1
      if (streams > 1) gateway.accept(stream)
      else stream.emit('error', Object.assign(new Error(details), { code, details }))
    }
    running = await RunningAgent.start(gateway.key(), { life: { timing: quickTiming } })
    await running.serving()
    expect(running.log.find((line) => line.startsWith(`agent ${state}`))).toContain(words)
    expect(streams).toBe(2)
  })
})
