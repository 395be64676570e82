import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Packet } from '../../src/wire/packet.ts'
import { base64, openSpec } from '../support/scripted/open.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { isAlive } from '../support/machine/processes.ts'
import { agentForEachTest, gateway, restart, running } from '../support/sites/each-agent.ts'
import { VaultServer } from '../support/secrets/vault-server.ts'
import { waitFor } from '../support/wait.ts'

agentForEachTest()

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
      'RUNBOOK_AGENT_INSTANCE',
    ])
  })

  it('gives filesystem: secrets as the path of a 0600 file in a 0700 folder, gone before the close is sent', async () => {
    const script = 'stat -c %a "$CFG" "$(dirname "$CFG")"; cat "$CFG"; echo; echo "$CFG"'
    const envVars = new Map([['filesystem:CFG', base64('the secret')]])
    await exec('s1', script, { envVars, clientOrigin: 'client' })
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
    const strict = { dlpProvider: 'gcp', dlpMode: 'strict', dlpInfoTypes: ['EMAIL_ADDRESS'] }
    const masked = await exec('s1', 'echo ran', strict)
    expect(code(masked)).toBe('254')
    expect(String(masked.payload)).toContain('must be masked')
    expect(types(gateway.of('s1'))).toEqual(['ClientSessionClose'])
  })

  it('refuses native connections and scripts without a session, with 254', async () => {
    gateway.send('AgentPGConnectionWrite', { 'gateway.session_id': 's1', 'client.connection_id': '1' }, 'x')
    gateway.send('AgentMongoDBConnectionWrite', { 'gateway.session_id': 's3' }, 'x')
    expect(code(await gateway.closeOf('s3'))).toBe('254')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's2' }, 'x')
    expect(code(await gateway.closeOf('s1'))).toBe('254')
    expect(String((await gateway.closeOf('s2')).payload)).toBe('internal error, connection params not found')
  })

  it.each(['mssql', 'mongodb', 'httpproxy', 'kubernetes', 'database'])(
    'says before a command line opens a port for %s that nobody serves it, and what works instead',
    async (connectionType) => {
      const connect = { connectionType, connectionName: 'pg', clientVerb: 'connect', clientOrigin: 'client' }
      gateway.send('AgentSessionOpen', openSpec('s1', connect))
      const refused = await gateway.closeOf('s1')
      expect([code(refused), String(refused.payload)]).toEqual([
        '254',
        `this agent serves no native connections (${connectionType}): hoop exec pg runs scripts on it, runbook-agent connect pg opens a terminal. For a local port it needs hoop's own agent`,
      ])
      gateway.send('AgentSessionOpen', openSpec('s2', { ...connect, cmdList: [] }))
      expect(String((await gateway.closeOf('s2')).payload)).toContain(
        'pg has no command for scripts or a terminal',
      )
      expect(gateway.received.filter(({ type }) => type === 'ClientSessionOpenOK')).toEqual([])
    },
  )

  it.each(['ssh'])('sends nobody to exec for %s, which hoop refuses there', async (connectionType) => {
    const connect = { connectionType, connectionName: 'box', clientVerb: 'connect', clientOrigin: 'client' }
    gateway.send('AgentSessionOpen', openSpec('s1', connect))
    const refused = String((await gateway.closeOf('s1')).payload)
    expect(refused).toContain('runbook-agent connect box opens a terminal')
    expect(refused).not.toContain('hoop exec')
    gateway.send(`Agent${connectionType.toUpperCase()}ConnectionWrite`, { 'gateway.session_id': 's2' }, 'x')
    expect(String((await gateway.closeOf('s2')).payload)).not.toContain('exec')
  })

  it('opens a terminal on any type for a client that wants one', async () => {
    const connect = { connectionType: 'database', clientVerb: 'connect', clientOrigin: 'client' }
    const spec = { ...openSpec('s1', connect), 'client.wants_terminal': '1' }
    gateway.send('AgentSessionOpen', spec)
    await waitFor(() => gateway.of('s1').some(({ type }) => type === 'ClientSessionOpenOK'))
    gateway.send('AgentTerminalWriteStdin', { 'gateway.session_id': 's1' }, '\n')
    gateway.send('AgentTerminalWriteStdin', { 'gateway.session_id': 's1' }, 'exit 6\n')
    expect(code(await gateway.closeOf('s1'))).toBe('6')
  })

  it('closes an open session that turns out to be for a native connection, and leaves a running one alone', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => gateway.of('s1').length > 0)
    const ids = { 'gateway.session_id': 's1', 'client.connection_id': '1' }
    gateway.send('AgentPGConnectionWrite', ids, 'x')
    expect(String((await gateway.closeOf('s1')).payload)).toContain(
      'the protocol of a native client (postgres',
    )
    gateway.send('AgentSessionOpen', openSpec('s2', {}))
    await waitFor(() => gateway.of('s2').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's2' }, 'echo ready; sleep 0.2; exit 5')
    await waitFor(() => text('s2', 'ClientWriteStdout') !== '')
    gateway.send('AgentPGConnectionWrite', { ...ids, 'gateway.session_id': 's2' }, 'x')
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
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo ran; sleep 1000')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo again')
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => text('s1', 'ClientWriteStdout') !== '')
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
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
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'sleep 1000')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's2' }, 'echo ran')
    const refused = await gateway.closeOf('s2')
    expect([code(refused), String(refused.payload)]).toEqual([
      '254',
      'this agent already runs 1 of at most 1 executions (limits.sessions): try again later',
    ])
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
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

  it('takes sessions for a while when the agent drains, then refuses them, and tells the running ones when it stops', async () => {
    await restart({ life: { timing: quickTiming } })
    gateway.send('AgentSessionOpen', openSpec('idle', {}))
    await waitFor(() => gateway.of('idle').length > 0)
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo ready; sleep 1000')
    await waitFor(() => text('s1', 'ClientWriteStdout') !== '')
    running.agent.drain()
    expect(code(await exec('late', 'exit 5', {}))).toBe('5')
    // It never gets its script, and is ended when nothing new is taken any more.
    await gateway.closeOf('idle')
    gateway.send('AgentSessionOpen', openSpec('s2', {}))
    expect(String((await gateway.closeOf('s2')).payload)).toContain('accepts no new sessions')
    expect(running.entries.filter((entry) => 'sid' in entry && entry.sid === 's2')).toMatchObject([
      { event: 'opened', connection: 'test' },
      { event: 'ended', outcome: 'refused', exitCode: 254, closeSent: true },
    ])
    running.agent.stop()
    const close = await gateway.closeOf('s1')
    expect([code(close), String(close.payload)]).toEqual(['143', 'ended by the agent: the agent is stopping'])
  })

  it('ends a session that waits for a secret, when the agent drains and takes nothing new any more', async () => {
    await using vault = await VaultServer.start()
    vault.answer = () => undefined
    const agentEnvironment = { VAULT_ADDR: vault.address, VAULT_TOKEN: 'x', VAULT_HTTP_REQ_TIMEOUT: '10m' }
    await restart({ agentEnvironment, life: { timing: quickTiming } })
    gateway.send(
      'AgentSessionOpen',
      openSpec('s1', { envVars: new Map([['envvar:A', base64('_vaultkv1:kv/x:k')]]) }),
    )
    await waitFor(() => vault.requests.length > 0)
    running.agent.drain()
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
    await waitFor(() => gateway.stream !== lost && running.agent.state.name === 'serving')
    await waitFor(() => running.services.slots.taken === 0)
    expect(() => readFileSync(`/proc/${text('s1', 'ClientWriteStdout').trim()}/stat`)).toThrow('ENOENT')
    expect(code(await exec('s2', '', {}))).toBe('0')
  })

  it('ends the command when its output passes the cap, if that is the rule, and still delivers head and tail', async () => {
    await restart({ outputCapBytes: 1000, onCap: 'kill' })
    const close = await exec('s1', 'echo HEAD; yes', {})
    expect([code(close), String(close.payload)]).toEqual([
      '143',
      'ended by the agent: the output limit (output.cap) was reached',
    ])
    expect(text('s1', 'ClientWriteStdout').startsWith('HEAD\n')).toBe(true)
    expect(Number(String(close.spec['client.truncated_bytes']))).toBeGreaterThan(0)
  })

  it('leaves what a finished command left behind alone, if that is the rule, but not what it ended itself', async () => {
    await restart({ background: 'leave', maxDurationMs: 300 })
    const background = 'sleep 1000 > /dev/null 2>&1 & echo $!;'
    await exec('s1', `${background} exit 0`, {})
    const left = Number(text('s1', 'ClientWriteStdout'))
    expect(isAlive(left)).toBe(true)
    process.kill(left)
    await exec('s2', `${background} sleep 1000`, {})
    expect(isAlive(Number(text('s2', 'ClientWriteStdout')))).toBe(false)
  })

  it('takes a script of 16 MiB', async () => {
    const script = `cat | wc -c; exit\n${'#'.repeat(16 * 1024 * 1024 - 20)}`
    expect(code(await exec('s1', script, {}))).toBe('0')
    expect(Number(text('s1', 'ClientWriteStdout'))).toBeGreaterThan(16_000_000)
  })

  it('takes 10,000 variables and refuses one more', async () => {
    const variables = (count: number) =>
      new Map(Array.from({ length: count }, (_, i) => [`envvar:V${i}`, base64(String(i))]))
    expect(code(await exec('s1', 'echo $V9999', { envVars: variables(10_000) }))).toBe('0')
    expect(text('s1', 'ClientWriteStdout')).toBe('9999\n')
    const refused = await exec('s2', '', { envVars: variables(10_001) })
    expect(code(refused)).toBe('254')
  })

  it('ends each of 1,000 executions once, whichever is faster, the close of the gateway or the exit', async () => {
    await restart({ slots: 1000 })
    const race = async (sid: string, i: number) => {
      gateway.send('AgentSessionOpen', openSpec(sid, { cmdList: ['true'] }))
      gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid })
      // From before the start to after the exit.
      for (let turns = 0; turns < i % 200; turns++) await new Promise(setImmediate)
      gateway.send('AgentSessionClose', { 'gateway.session_id': sid })
      if (i % 3 === 0) gateway.send('AgentSessionClose', { 'gateway.session_id': sid })
    }
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 50 }, (_, i) => race(`r${round}-${i}`, round * 50 + i)))
    const ends = () => running.entries.filter(({ event }) => event === 'ended')
    await waitFor(() => ends().length === 1000, 100_000)
    expect(running.services.slots.taken).toBe(0)
    const closes = gateway.received.filter(({ type }) => type === 'ClientSessionClose')
    const sids = closes.map(({ spec }) => String(spec['gateway.session_id']))
    expect(new Set(sids).size).toBe(sids.length)
    expect(code(await exec('after', 'exit 9', {}))).toBe('9')
  }, 120_000)

  it('sends one close, whatever the client was still typing when the program ended', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', { clientVerb: 'connect', clientOrigin: 'client' }))
    gateway.send('AgentTerminalWriteStdin', { 'gateway.session_id': 's1' }, '\n')
    gateway.send('AgentTerminalWriteStdin', { 'gateway.session_id': 's1' }, 'exit 5\n')
    await gateway.closeOf('s1')
    for (let i = 0; i < 5; i++)
      gateway.send('AgentTerminalWriteStdin', { 'gateway.session_id': 's1' }, 'ls\n')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo late')
    await exec('s2', '', {})
    expect(types(gateway.of('s1')).filter((type) => type === 'ClientSessionClose')).toHaveLength(1)
  })

  it('is no failure by a time limit that comes when the command has ended and only its leftovers are ended', async () => {
    await restart({ maxDurationMs: 400, killGraceMs: 1000 })
    const stubborn = `sh -c "trap '' TERM; while :; do sleep 0.05; done" > /dev/null 2>&1 &`
    const close = await exec('s1', `${stubborn} exit 0`, {})
    expect([code(close), String(close.payload)]).toEqual(['0', ''])
  })

  it('is a success when its secret files cannot be removed, which the log says', async () => {
    const rejected = new Error('cannot remove')
    const { folder } = running.services
    const create = folder.createSession.bind(folder)
    // The only thing here that is not real: a mount in its place would need the right to mount.
    using spy = vi.spyOn(folder, 'createSession').mockImplementation(async (sid) => {
      const files = await create(sid)
      const dispose = files[Symbol.asyncDispose].bind(files)
      files[Symbol.asyncDispose] = async () => {
        await dispose()
        throw rejected
      }
      return files
    })
    const close = await exec('s1', 'true', { envVars: new Map([['filesystem:CFG', base64('x')]]) })
    expect(spy).toHaveBeenCalledOnce()
    expect(code(close)).toBe('0')
    const line = running.log.find((text) => text.includes('cannot remove the secret files of a session'))
    expect(line).toContain('"connection":"test"')
  })
})

describe('redaction', () => {
  let folder: string
  beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'redaction-'))))
  afterEach(() => rm(folder, { recursive: true }))

  const secrets = new Map([
    ['envvar:DB_PASSWORD', base64('hunter2-hunter2')],
    ['envvar:DB_HOST', base64('db.example.test')],
    ['envvar:DATABASE_URL', base64('postgres://app:swordfish-1@db/app')],
    ['filesystem:CERTIFICATE', base64('first line of a file\nshort\nlast line of a file\n')],
  ])

  it('replaces the secrets of the connection in captured output, in both streams and across writes', async () => {
    const script = [
      'echo "$DB_PASSWORD on $DB_HOST"; echo "e:$DB_PASSWORD" >&2',
      'printf %s hunter2; sleep 0.02; printf "%s\\n" -hunter2',
      'echo swordfish-1; cat "$CERTIFICATE"; printf %s "$DB_PASSWORD" | base64',
    ]
    const close = await exec('s1', script.join('\n'), { envVars: secrets })
    expect(code(close)).toBe('0')
    expect(text('s1', 'ClientWriteStdout').split('\n')).toEqual([
      '[REDACTED] on db.example.test',
      // A busy machine makes the pause so long that the seven characters before it are shown.
      expect.stringMatching(/^(hunter2)?\[REDACTED\]$/),
      '[REDACTED]',
      '[REDACTED]',
      '[REDACTED]',
      '',
    ])
    expect(text('s1', 'ClientWriteStderr')).toBe('e:[REDACTED]\n')
    const [ended] = running.entries.filter((entry) => entry.event === 'ended')
    expect(ended?.bytesRedacted).toBeGreaterThan(60)
  })

  it('leaves the values alone that callers bring, unless their names say otherwise', async () => {
    const mine = { 'envvar:NAME': base64('reader-of-this'), 'envvar:MY_TOKEN': base64('token-of-mine') }
    await exec('s1', 'echo "$NAME $MY_TOKEN"', {}, mine)
    expect(text('s1', 'ClientWriteStdout')).toBe('reader-of-this [REDACTED]\n')
  })

  it('holds the beginning of a secret back for a moment only', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', { envVars: secrets }))
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'printf hunter2; sleep 1000')
    await waitFor(() => text('s1', 'ClientWriteStdout') === 'hunter2')
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
  })

  /** On stderr stand fewer than 8 characters: that they are shown says that the time for which those wait is over. */
  const wait = 'read -r _ <&3; printf hunter2 >&2; read -r _ <&3'

  it.each([
    [
      'a program that waits in the middle of it',
      `printf hunter2-h; ${wait}; printf unter2`,
      { before: 0, output: '[REDACTED]' },
    ],
    [
      'a pipe that is written in blocks of 4096 bytes',
      `{ printf "%4077s\\n%9s%s\\n" "" "" "$DB_PASSWORD"; ${wait}; } | sed s/x/y/`,
      { before: 4087, output: `${' '.repeat(4077)}\n${' '.repeat(9)}[REDACTED]\n` },
    ],
  ])('shows nothing of a secret however late its rest comes: %s', async (_, command, { before, output }) => {
    const fifo = path.join(folder, 'fifo')
    const close = exec('s1', `mkfifo '${fifo}'; exec 3<>'${fifo}'; ${command}`, { envVars: secrets })
    await waitFor(() => existsSync(fifo) && text('s1', 'ClientWriteStdout').length === before)
    await writeFile(fifo, '\n')
    await waitFor(() => text('s1', 'ClientWriteStderr') === 'hunter2')
    expect(text('s1', 'ClientWriteStdout')).toHaveLength(before)
    await writeFile(fifo, '\n')
    expect(code(await close)).toBe('0')
    expect(text('s1', 'ClientWriteStdout')).toBe(output)
  })

  it.each([
    ['wrapped at 76 columns', 'base64'],
    ['wrapped at 64 columns with CRLF', 'base64 -w 64 | sed "s/$/\\r/"'],
    ['wrapped at 20 columns', 'base64 -w 20'],
  ])('replaces a secret inside of base64, wherever it is broken: %s', async (_, encode) => {
    for (const before of [40, 41, 42, 50]) {
      const sid = `s${before}`
      await exec(sid, `printf '%${before}s%s%40s' '' "$DB_PASSWORD" '' | ${encode}`, { envVars: secrets })
      const shown = Buffer.from(text(sid, 'ClientWriteStdout').replaceAll(/\s/g, ''))
      for (const shift of ['', ' ', '  ']) {
        const form = Buffer.from(`${shift}hunter2-hunter2`).toString('base64').slice(shift.length, -3)
        for (let at = 0; at + 8 <= form.length; at++)
          expect(shown.includes(form.slice(at, at + 8))).toBe(false)
      }
    }
  })

  it('replaces the beginning of a secret that a command was ended in, and what the cap would have cut', async () => {
    await exec('s1', 'printf %s hunter2-hunt; kill -9 $$', { envVars: secrets })
    expect(text('s1', 'ClientWriteStdout')).toBe('[REDACTED]')
    await restart({ outputCapBytes: 10 })
    await exec('s2', 'printf "12345 %s" "$DB_PASSWORD"', { envVars: secrets })
    expect(text('s2', 'ClientWriteStdout')).not.toContain('h')
  })

  it('tells on the close how many bytes it has replaced, and nothing where there are none', async () => {
    const close = await exec('s1', 'echo "$DB_PASSWORD"; echo "$DB_PASSWORD" >&2', { envVars: secrets })
    expect([String(close.spec['client.redacted_bytes']), String(close.payload)]).toEqual(['30', ''])
    const plain = await exec('s2', 'echo nothing', { envVars: secrets })
    expect(plain.spec['client.redacted_bytes']).toBeUndefined()
  })

  it('does not touch what is streamed to a person or a pipe, nor anything when it is off', async () => {
    await exec('s1', 'echo "$DB_PASSWORD"', { envVars: secrets, clientOrigin: 'client' })
    await restart({ redact: 'off' })
    await exec('s2', 'echo "$DB_PASSWORD"', { envVars: secrets })
    expect([text('s1', 'ClientWriteStdout'), text('s2', 'ClientWriteStdout')]).toEqual([
      'hunter2-hunter2\n',
      'hunter2-hunter2\n',
    ])
  })
})

describe('the books', () => {
  it('have an entry for each change, with what went where', async () => {
    await exec('s1', 'echo 12345; exit 3', { clientArgs: ['-s', '--', 'secret-argument'] })
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
    await waitFor(() => running.entries.some(({ event }) => event === 'confirmed'))
    expect(running.entries).toMatchObject([
      { event: 'opened', sid: 's1', connection: 'test', userEmail: 'u1@example.test', verb: 'exec' },
      { event: 'started', sid: 's1', program: 'bash', argumentCount: 5, terminal: false },
      {
        event: 'ended',
        sid: 's1',
        outcome: 'exited',
        exitCode: 3,
        bytesRead: 6,
        bytesSent: 6,
        closeSent: true,
      },
      { event: 'confirmed', sid: 's1' },
    ])
    expect(JSON.stringify(running.entries)).not.toContain('secret-argument')
  })

  it('tell how an execution ended whose gateway went away, and that nobody there may know', async () => {
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo ready; sleep 1000')
    await waitFor(() => text('s1', 'ClientWriteStdout') !== '')
    gateway.stream?.emit('error', Object.assign(new Error('gone'), { code: 14, details: 'gone' }))
    await waitFor(() => running.entries.some(({ event }) => event === 'ended'))
    expect(running.entries.find(({ event }) => event === 'ended')).toMatchObject({
      ...{ outcome: 'signaled', signal: 'SIGTERM', reason: 'gateway-lost', exitCode: 143 },
      ...{ bytesRead: 6, closeSent: false },
    })
    await waitFor(() => running.entries.some(({ event }) => event === 'unconfirmed'))
  })
})

describe('references of a connection', () => {
  const agentEnvironment = {
    REGION: 'from-the-agent',
    SECRETS: '{"db":"value-from-json"}',
    HOOP_KEY: 'grpc://x:the-key-of-the-agent@h:1',
  }
  const script = 'echo "$REGION $PASSWORD"'

  it("are filled in from the agent's environment, for the connection only", async () => {
    await restart({ agentEnvironment, redact: 'off' })
    const envVars = new Map([
      ['envvar:REGION', base64('system.agent.envs')],
      ['envvar:PASSWORD', base64('_envjson:SECRETS:db')],
    ])
    await exec('s1', script, { envVars })
    expect(text('s1', 'ClientWriteStdout')).toBe('from-the-agent value-from-json\n')
    const client = Object.fromEntries(envVars)
    await exec('s2', script, {}, { ...client, 'envvar:HOOP_KEY': base64('system.agent.envs') })
    expect(text('s2', 'ClientWriteStdout')).toBe('system.agent.envs _envjson:SECRETS:db\n')
  })

  it("never reach the agent's own credentials", async () => {
    await restart({ agentEnvironment })
    const refused = await exec('s1', 'env', {
      envVars: new Map([['envvar:HOOP_KEY', base64('system.agent.envs')]]),
    })
    expect(code(refused)).toBe('254')
    expect(String(refused.payload)).not.toContain('the-key-of-the-agent')
  })

  it('with mode=embedded bring the whole environment of the agent, without what is its own, and redacted', async () => {
    const embedded = gateway.key().replace('mode=standard', 'mode=embedded')
    gateway.onPreConnect = () => ({ status: 'CONNECT' })
    const own = {
      NOTIFY_SOCKET: '/run/notify',
      HOOP_SESSION_ID: 'forged',
      DB_PASSWORD: 'a-password-of-the-app',
    }
    await restart({ agentEnvironment: { ...agentEnvironment, ...own } }, embedded)
    await exec('s1', 'echo "$REGION $DB_PASSWORD $HOOP_SESSION_ID ${HOOP_KEY-no} ${NOTIFY_SOCKET-no}"', {
      envVars: new Map([['envvar:REGION', base64('of-the-connection')]]),
    })
    expect(text('s1', 'ClientWriteStdout')).toBe('from-the-agent [REDACTED] s1 no no\n')
  })
})
