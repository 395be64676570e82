import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Packet } from '../../src/wire/packet.ts'
import { base64, openSpec } from '../support/open.ts'
import { RunningAgent, type AgentOptions } from '../support/running-agent.ts'
import { ScriptedGateway } from '../support/scripted-gateway.ts'
import { waitFor } from '../support/wait.ts'

let gateway: ScriptedGateway
let running: RunningAgent

beforeEach(async () => {
  gateway = await ScriptedGateway.start()
  await agent()
})
afterEach(async () => {
  await running[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

async function agent(options: AgentOptions = {}): Promise<void> {
  running = await RunningAgent.start(gateway.key(), options)
  await running.serving()
}

async function restart(options: AgentOptions): Promise<void> {
  await running[Symbol.asyncDispose]()
  await agent(options)
}

const types = (packets: readonly Packet[]) => packets.map(({ type }) => type)
const text = (sid: string, type: string) =>
  gateway
    .of(sid)
    .filter((packet) => packet.type === type)
    .map(({ payload }) => String(payload))
    .join('')
const code = (packet: Packet) => String(packet.spec['client.exit_code'])

async function exec(
  sid: string,
  script: string,
  ...open: Parameters<typeof openSpec> extends [string, ...infer Rest] ? Rest : never
): Promise<Packet> {
  gateway.send('AgentSessionOpen', openSpec(sid, ...open))
  await waitFor(() => gateway.of(sid).length > 0)
  if (gateway.of(sid)[0]?.type === 'ClientSessionOpenOK')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  return gateway.closeOf(sid)
}

describe('a session', () => {
  it('answers once that it is open, streams both outputs and closes with the code', async () => {
    const close = await exec('s1', 'echo out; echo err >&2; exit 3', {}, {})
    expect(types(gateway.of('s1')).sort()).toEqual([
      'ClientSessionClose',
      'ClientSessionOpenOK',
      'ClientWriteStderr',
      'ClientWriteStdout',
    ])
    expect([
      text('s1', 'ClientWriteStdout'),
      text('s1', 'ClientWriteStderr'),
      code(close),
      String(close.payload),
    ]).toEqual(['out\n', 'err\n', '3', ''])
    const [opened] = gateway.of('s1')
    expect(
      Object.fromEntries(Object.entries(opened?.spec ?? {}).map(([key, value]) => [key, String(value)])),
    ).toEqual({
      'gateway.session_id': 's1',
      'gateway.connection_type': 'command-line',
      'client.request_port': '',
      'client.command': 'bash --norc --noprofile',
    })
  })

  it('has an empty payload and code 0 after a success, for an empty script as well', async () => {
    const close = await exec('s1', '', {})
    expect([code(close), String(close.payload), gateway.of('s1').length]).toEqual(['0', '', 2])
  })

  it('runs with the closed environment: the connection, the client, HOOP_*, PATH and HOME', async () => {
    await exec(
      's1',
      'env | cut -d= -f1 | sort',
      { envVars: new Map([['envvar:FROM_CONNECTION', base64('x')]]) },
      { 'envvar:FROM_CLIENT': base64('y') },
    )
    const shells = new Set(['PWD', 'SHLVL', '_', 'OLDPWD'])
    const names = text('s1', 'ClientWriteStdout')
      .trim()
      .split('\n')
      .filter((name) => !shells.has(name))
    expect(names).toEqual([
      'FROM_CLIENT',
      'FROM_CONNECTION',
      'HOME',
      'HOOP_CLIENT_ORIGIN',
      'HOOP_CLIENT_VERB',
      'HOOP_CONNECTION_NAME',
      'HOOP_CONNECTION_TYPE',
      'HOOP_SESSION_ID',
      'HOOP_USER_EMAIL',
      'HOOP_USER_ID',
      'PATH',
    ])
  })

  it('gives filesystem: secrets as the path of a 0600 file in a 0700 folder, gone before the close is sent', async () => {
    const script = 'stat -c %a "$CFG" "$(dirname "$CFG")"; cat "$CFG"; echo; echo "$CFG"'
    await exec('s1', script, { envVars: new Map([['filesystem:CFG', base64('the secret')]]) })
    const [file, folder, content] = text('s1', 'ClientWriteStdout').split('\n')
    expect([file, folder, content]).toEqual(['600', '700', 'the secret'])
    expect(running.secretFiles()).toEqual([])
  })

  it.each([
    ['a program that does not exist', { cmdList: ['no-such-program'] }, '127', 'executable file not found'],
    ['a program that may not be executed', { cmdList: ['/etc/passwd'] }, '126', 'permission denied'],
    [
      'a program killed by a signal',
      { cmdList: ['python3', '-c', 'import os; os.kill(os.getpid(), 9)'] },
      '137',
      'killed by signal 9 (SIGKILL)',
    ],
    [
      'an argument whose variable is not set',
      { cmdList: ['echo', '$NOPE'] },
      '254',
      'could not find environment variable for commands [$NOPE]',
    ],
    ['no command at all', { cmdList: [] }, '254', 'connection must be at least one argument'],
  ])('closes with code and reason for %s', async (_, params, expected, reason) => {
    const close = await exec('s1', '', params)
    expect(code(close)).toBe(expected)
    expect(String(close.payload)).toContain(reason)
  })

  it('refuses what it cannot protect, with 254, before anything runs', async () => {
    const guardRailRules = Buffer.from(
      '{"input_rules":[{"rules":[{"type":"deny_words_list","words":["DROP"]}]}],"output_rules":[]}',
    )
    const guarded = await exec('s1', 'echo ran', { guardRailRules })
    const strict = { dlpProvider: 'mspresidio', dlpMode: 'strict', dlpInfoTypes: ['EMAIL_ADDRESS'] }
    const masked = await exec('s2', 'echo ran', strict)
    expect([code(guarded), code(masked)]).toEqual(['254', '254'])
    expect(String(guarded.payload)).toContain('guardrail')
    expect(String(masked.payload)).toContain('masking')
    expect(types([...gateway.of('s1'), ...gateway.of('s2')])).toEqual([
      'ClientSessionClose',
      'ClientSessionClose',
    ])
  })

  it('refuses native connections and scripts without a session, with 254', async () => {
    gateway.send('AgentPGConnectionWrite', { 'gateway.session_id': 's1' }, 'x')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's2' }, 'x')
    expect(code(await gateway.closeOf('s1'))).toBe('254')
    expect(String((await gateway.closeOf('s2')).payload)).toBe('internal error, connection params not found')
  })

  it('closes an open session that turns out to be for a native connection, and leaves a running one alone', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentPGConnectionWrite', { 'gateway.session_id': 's1' }, 'x')
    expect(String((await gateway.closeOf('s1')).payload)).toContain('no native connections')
    gateway.send('AgentSessionOpen', openSpec('s2', {}))
    await waitFor(() => gateway.of('s2').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's2' }, 'echo ready; sleep 0.2; exit 5')
    await waitFor(() => text('s2', 'ClientWriteStdout') !== '')
    gateway.send('AgentPGConnectionWrite', { 'gateway.session_id': 's2' }, 'x')
    expect(code(await gateway.closeOf('s2'))).toBe('5')
  })

  it('does not turn a session that was opened to run a script into a terminal, nor the other way round', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', { clientVerb: 'exec' }))
    gateway.send('AgentSessionOpen', openSpec('s2', { clientVerb: 'connect' }))
    await waitFor(() => gateway.of('s1').length > 0 && gateway.of('s2').length > 0)
    gateway.send('AgentTerminalWriteStdin', { 'gateway.session_id': 's1' }, '\n')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's2' }, 'echo ran')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'test -t 1; exit $?')
    expect(code(await gateway.closeOf('s1'))).toBe('1')
    expect(types(gateway.of('s2'))).toEqual(['ClientSessionOpenOK'])
  })

  it('answers malformed parameters with 254 naming the field, and goes on', async () => {
    gateway.send('AgentSessionOpen', { 'gateway.session_id': 's1', 'agent.connection_params': 'garbage' })
    expect(String((await gateway.closeOf('s1')).payload)).toContain('agent.connection_params')
    expect(code(await exec('s2', 'exit 0', {}))).toBe('0')
  })

  it('tolerates packets it does not know', async () => {
    gateway.send('SomethingNew', { 'gateway.session_id': 's0', extra: 'x' }, 'x')
    gateway.send('AnotherOne', {})
    expect(code(await exec('s1', 'exit 0', {}))).toBe('0')
    expect(gateway.of('s0')).toEqual([])
  })

  it('ends the command when the gateway closes the session, and removes its files', async () => {
    gateway.send(
      'AgentSessionOpen',
      openSpec('s1', { envVars: new Map([['filesystem:F', base64('secret')]]) }),
    )
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo $$; sleep 1000')
    await waitFor(() => text('s1', 'ClientWriteStdout') !== '')
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
    const close = await gateway.closeOf('s1')
    expect(code(close)).toBe('143')
    expect(() => readFileSync(`/proc/${text('s1', 'ClientWriteStdout').trim()}/stat`)).toThrow('ENOENT')
    expect(running.secretFiles()).toEqual([])
  })

  it('calls it no success when a command it ended leaves with 0', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send(
      'AgentExecWriteStdin',
      { 'gateway.session_id': 's1' },
      `trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done`,
    )
    await waitFor(() => text('s1', 'ClientWriteStdout') !== '')
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
    expect(code(await gateway.closeOf('s1'))).toBe('143')
  })

  it('does not answer the close of a session whose script never came', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
    await exec('s2', '', {})
    expect(types(gateway.of('s1'))).toEqual(['ClientSessionOpenOK'])
  })

  it('runs a script once, whatever is sent twice', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo ran; sleep 0.2')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo again')
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await gateway.closeOf('s1')
    expect(types(gateway.of('s1'))).toEqual([
      'ClientSessionOpenOK',
      'ClientWriteStdout',
      'ClientSessionClose',
    ])
    expect(text('s1', 'ClientWriteStdout')).toBe('ran\n')
  })

  it('answers a second opening of a session that waits, as an approved review sends it, and uses the newer one', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', { clientArgs: ['-c', 'echo first'] }))
    await waitFor(() => gateway.of('s1').length === 1)
    gateway.send('AgentSessionOpen', openSpec('s1', { clientArgs: ['-c', 'echo second'] }))
    await waitFor(() => gateway.of('s1').length === 2)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, '')
    await gateway.closeOf('s1')
    expect(types(gateway.of('s1'))).toEqual([
      'ClientSessionOpenOK',
      'ClientSessionOpenOK',
      'ClientWriteStdout',
      'ClientSessionClose',
    ])
    expect(text('s1', 'ClientWriteStdout')).toBe('second\n')
  })

  it('refuses more executions than its limit, and takes the next one as soon as one has closed', async () => {
    await restart({ slots: 1 })
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    gateway.send('AgentSessionOpen', openSpec('s2', {}))
    await waitFor(() => gateway.of('s1').length > 0 && gateway.of('s2').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'sleep 0.2')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's2' }, 'echo ran')
    const refused = await gateway.closeOf('s2')
    expect([code(refused), String(refused.payload)]).toEqual([
      '254',
      expect.stringContaining('limits.sessions'),
    ])
    await gateway.closeOf('s1')
    expect(code(await exec('s3', '', {}))).toBe('0')
  })

  it('caps captured output with head, marker and tail, and says how much is missing', async () => {
    await restart({ outputCapBytes: 100_000 })
    const close = await exec('s1', 'echo HEAD; head -c 1000000 /dev/zero | tr "\\0" x; echo TAIL', {})
    const all = gateway
      .of('s1')
      .filter(({ type }) => type.startsWith('ClientWrite'))
      .map(({ payload }) => String(payload))
      .join('')
    expect(all.startsWith('HEAD\n') && all.endsWith('TAIL\n')).toBe(true)
    expect(all).toContain('900010 bytes of output left out')
    expect(String(close.spec['client.truncated_bytes'])).toBe('900010')
  })

  it('does not cap what is streamed to a person or a pipe', async () => {
    await restart({ outputCapBytes: 1000 })
    const close = await exec('s1', 'head -c 300000 /dev/zero', { clientOrigin: 'client' })
    expect(text('s1', 'ClientWriteStdout').length).toBe(300_000)
    expect(close.spec['client.truncated_bytes']).toBeUndefined()
  })

  it('ends an execution that takes too long, with 124 and the reason, whatever the command makes of SIGTERM', async () => {
    await restart({ maxDurationMs: 100 })
    const close = await exec('s1', `trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done`, {})
    expect([code(close), String(close.payload)]).toEqual([
      '124',
      'ended by the agent: the time limit (execution.max-duration) was reached',
    ])
    const quick = await exec('s2', 'exit 7', {})
    expect([code(quick), String(quick.payload)]).toEqual(['7', ''])
  })

  it('puts the reason on a line of its own behind output that does not end one', async () => {
    const close = await exec('s1', 'printf unfinished; kill -9 $$', {})
    expect(String(close.payload)).toBe('\nkilled by signal 9 (SIGKILL)')
  })

  it('tells every running session and the gateway when the agent stops', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo ready; sleep 1000')
    await waitFor(() => text('s1', 'ClientWriteStdout') !== '')
    running.agent.drain()
    gateway.send('AgentSessionOpen', openSpec('s2', {}))
    expect(String((await gateway.closeOf('s2')).payload)).toContain('takes no new session')
    running.agent.stop()
    const close = await gateway.closeOf('s1')
    expect([code(close), String(close.payload)]).toEqual(['143', 'ended by the agent: the agent is stopping'])
  })

  it('ends its commands when the stream is lost, comes back and serves again', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo $$; sleep 1000')
    await waitFor(() => text('s1', 'ClientWriteStdout') !== '')
    const lost = gateway.stream
    lost?.emit('error', Object.assign(new Error('gone'), { code: 14, details: 'gone' }))
    await waitFor(() => gateway.stream !== lost && running.agent.state.name === 'serving', 10_000)
    await waitFor(() => running.services.slots.taken === 0)
    expect(() => readFileSync(`/proc/${text('s1', 'ClientWriteStdout').trim()}/stat`)).toThrow('ENOENT')
    expect(code(await exec('s2', '', {}))).toBe('0')
  })
})
