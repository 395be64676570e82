import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { Slots } from '../../../src/agent/running/services.ts'
import { MAX_HELD, MAX_SYSTEM_REQUESTS, REPLY_AFTER_MS } from '../../../src/agent/system/command.ts'
import { SystemRequests } from '../../../src/agent/system/system-requests.ts'
import type { SessionId } from '../../../src/wire/messages/message.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import { missingPostgres, postgresDatabase } from '../../support/machine/databases.ts'
import { Gate } from '../../support/gate.ts'
import { Logbook } from '../../support/logbook.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { isAlive } from '../../support/machine/processes.ts'
import { quickTiming } from '../../support/sites/quick-timing.ts'
import { agentForEachTest, gateway, restart, running } from '../../support/sites/each-agent.ts'
import { missingProgram, without } from '../../support/machine/servers.ts'
import { found, waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const noPostgres = await missingPostgres()
const noPsql = missingProgram('psql')

const HOOK = 'SysRunbookHookRequestType'
const BARE = 'SysBareExecRequest'

agentForEachTest()

function send(type: string, id: string, payload: unknown): void {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  gateway.send(type, { 'gateway.session_id': id }, text)
}

function replyTo(id: string): Promise<Packet> {
  return found(() => gateway.of(id).find(({ type }) => type.startsWith('Sys')))
}

interface HookReply {
  readonly id: string
  readonly exit_code: number
  readonly output: string
  readonly execution_time_sec: number
}

interface BareReply {
  readonly sid: string
  readonly status: string
  readonly output: string
}

async function hook(script: string, rest: object = {}, id = 'h1'): Promise<HookReply> {
  send(HOOK, id, { id, sid: 's1', command: ['bash'], input_file: script, ...rest })
  const { type, payload } = await replyTo(id)
  expect(type).toBe('SysRunbookHookResponseType')
  return JSON.parse(String(payload)) as HookReply
}

async function bareExec(request: object, id = 'b1'): Promise<BareReply> {
  send(BARE, id, { sid: id, agent_id: 'a', template_data: null, command: ['bash'], env_vars: {}, ...request })
  const { type, payload } = await replyTo(id)
  expect(type).toBe('SysBareExecResponse')
  return JSON.parse(String(payload)) as BareReply
}

/** The journal's entries of a request, once the last of them is there. */
async function entriesOf(id: string) {
  await waitFor(() => running.entries.some((entry) => entry.event === 'ended' && entry.sid === id))
  return running.entries.filter((entry) => 'sid' in entry && entry.sid === id)
}

describe('a hook', () => {
  it('runs its script and is answered with code, output and time', async () => {
    expect(await hook('echo out; exit 3')).toEqual({
      id: 'h1',
      exit_code: 3,
      output: 'out\n',
      execution_time_sec: 0,
    })
    expect(gateway.of('h1')).toHaveLength(1)
  })

  it('has both outputs in one, and succeeds with 0', async () => {
    const { exit_code, output } = await hook('echo err >&2; sleep 0.01; echo out')
    expect([exit_code, output.split('\n').sort()]).toEqual([0, ['', 'err', 'out']])
  })

  it('runs in python3, as hoop has it, and reads its request from the environment, byte for byte', async () => {
    const event_session_close = { exit_code: 3, output: 'é"\\' }
    const script =
      'import os, json, hashlib\n' +
      'raw = os.environb[b"HOOP_RUNBOOK_HOOK_PAYLOAD"]\n' +
      'event = json.loads(raw)["event_session_close"]\n' +
      'print(event["exit_code"], event["output"], hashlib.sha256(raw).hexdigest())'
    const request = { id: 'h1', sid: 's1', command: ['python3'], input_file: script, event_session_close }
    // Spaces that a parser would not keep.
    const payload = JSON.stringify(request, null, 3)
    send(HOOK, 'h1', payload)
    const { output } = JSON.parse(String((await replyTo('h1')).payload)) as HookReply
    expect(output).toBe(`3 é"\\ ${createHash('sha256').update(payload).digest('hex')}\n`)
  })

  it('gets that variable, what every command gets, and the marks of its processes', async () => {
    const { output } = await hook('env | cut -d= -f1 | sort')
    const shells = new Set(['PWD', 'SHLVL', '_', 'OLDPWD'])
    expect(output.split('\n').filter((name) => name !== '' && !shells.has(name))).toEqual([
      'HOME',
      'HOOP_RUNBOOK_HOOK_PAYLOAD',
      'HOOP_SESSION_ID',
      'PATH',
      'RUNBOOK_AGENT_INSTANCE',
    ])
  })

  it.each([
    ['4096 bytes', 4096, 'x'.repeat(4096)],
    ['one byte more', 4097, `${'x'.repeat(4096)} [truncated 1 byte(s)]`],
    ['3 MB', 3_000_000, `${'x'.repeat(4096)} [truncated 2995904 byte(s)]`],
  ])('is cut at 4096 bytes of output: %s', async (_, bytes, output) => {
    expect(await hook(`head -c ${bytes} /dev/zero | tr '\\0' x`)).toMatchObject({ exit_code: 0, output })
  })

  it('that dies of a signal says so, with a code above 0', async () => {
    expect(await hook('echo a; kill -9 $$')).toMatchObject({
      exit_code: 137,
      output: 'a\nkilled by signal 9 (SIGKILL)',
    })
  })

  it.each([
    [
      'no such program',
      { command: ['no-such-program'] },
      'exec: "no-such-program": executable file not found',
    ],
    ['no command', { command: [] }, 'connection must be at least one argument'],
    ['an argument that has no variable', { command: ['bash', '$NOPE'] }, 'for commands [$NOPE]'],
    ['a payload that no environment can hold', { more: 'x'.repeat(200_000) }, 'too long for this system'],
  ])('that cannot be started is -2 with the reason: %s', async (_, request, reason) => {
    const { exit_code, output } = await hook('', request)
    expect(exit_code).toBe(-2)
    expect(output).toContain('failed executing runbook hook, reason=')
    expect(output).toContain(reason)
  })

  it('that is malformed is -2 with the place', async () => {
    expect(await hook('', { command: 'python3' })).toEqual({
      id: 'h1',
      exit_code: -2,
      output: 'unable to decode payload: command: expected a list of texts',
      execution_time_sec: 0,
    })
  })

  it("shows no secret of its session's connection in its output, which goes to the gateway's log", async () => {
    const event_session_open = {
      connection_name: 'pg',
      connection_envs: {
        'envvar:PGPASSWORD': base64('hunter2-hunter2'),
        'envvar:HOST': base64('db.example.test'),
        'envvar:ODD': 'not base64',
        nonsense: 'x',
      },
    }
    const { output } = await hook('echo hunter2-hunter2 db.example.test', { event_session_open })
    expect(output).toBe('[REDACTED] db.example.test\n')
  })
})

describe('a bare exec', () => {
  it('runs the rendered script with its variables', async () => {
    const script = 'echo {{ range .names }}<{{ . }}>{{ end }} {{ .n }} $GREETING; exit {{ .code }}'
    const template_data = { names: ['a', 'b'], n: 1.5, code: 0 }
    expect(await bareExec({ script, template_data, env_vars: { GREETING: 'hello' } })).toEqual({
      sid: 'b1',
      status: 'failed',
      output: expect.stringContaining('syntax error') as string,
    })
    const quoted = script.replace(
      '{{ range .names }}<{{ . }}>{{ end }}',
      '{{ range .names }}[{{ . }}]{{ end }}',
    )
    expect(await bareExec({ script: quoted, template_data, env_vars: { GREETING: 'hello' } }, 'b2')).toEqual({
      sid: 'b2',
      status: 'success',
      output: '[a][b] 1.5 hello\n',
    })
  })

  it('fails with any code but 0, and its output is not cut at 4096 bytes', async () => {
    const { status, output } = await bareExec({ script: "head -c 900000 /dev/zero | tr '\\0' x; exit 9" })
    expect([status, output.length]).toEqual(['failed', 900_000])
  })

  it('keeps beginning and end of an output that could end the stream', async () => {
    const script = 'echo first; head -c 9000000 /dev/zero; echo last'
    const { status, output } = await bareExec({ script })
    expect(status).toBe('success')
    expect(output).toMatch(/^first\n\0[^]*\[\.\.\. \d+ bytes of output left out \.\.\.\][^]*\0last\n$/)
    expect((await replyTo('b1')).payload.length).toBeLessThan(7 * 1024 * 1024)
    expect((await hook('echo still here')).output).toBe('still here\n')
  })

  it('has its arguments expanded from its variables, never the program', async () => {
    const command = ['printf', '%s|%s', '--port=$PORT', '${HOST}']
    expect((await bareExec({ command, env_vars: { HOST: 'h', PORT: '1' } })).output).toBe('--port=1|h')
    const program = await bareExec({ command: ['$PROGRAM'], env_vars: { PROGRAM: 'bash' } }, 'b2')
    expect(program.output).toContain('unable to decode payload: exec: "$PROGRAM": executable file not found')
  })

  it('gets its variables, what every command gets, and the marks of its processes, which it cannot replace', async () => {
    const env_vars = { A: 'x', PATH: '/nowhere', HOOP_SESSION_ID: 'mine', RUNBOOK_AGENT_INSTANCE: 'mine' }
    const { output } = await bareExec({ script: 'env | grep -v "^\\(PWD\\|SHLVL\\|_\\)=" | sort', env_vars })
    expect(
      output
        .trimEnd()
        .split('\n')
        .map((line) => line.split('=')[0]),
    ).toEqual(['A', 'HOME', 'HOOP_SESSION_ID', 'PATH', 'RUNBOOK_AGENT_INSTANCE'])
    expect(output).toContain('HOOP_SESSION_ID=b1\n')
    expect(output).not.toMatch(/nowhere|=mine/)
  })

  it.each([
    ['an argument without a value', { command: ['psql', '-h', '$HOST'] }, 'for commands [$HOST]'],
    ['a template that is none', { script: '{{ .a' }, 'template: script:1: unclosed action'],
    ['a function of runbooks', { script: '{{ .a | squote }}' }, 'function "squote" not defined'],
    ['a template that fails', { script: '{{ index .a 1 }}' }, 'error calling index'],
    ['a value that is no text', { env_vars: { PORT: 1 } }, 'env_vars["PORT"]: expected a string'],
    ['data that is no object', { template_data: [1] }, 'template_data: expected an object'],
    ['a name that no variable can have', { env_vars: { 'A=B': 'x' } }, 'environment variable name'],
    ['a value with a NUL', { env_vars: { A: 'x\0y' } }, 'NUL'],
    ['no command', { command: null }, 'connection must be at least one argument'],
    [
      'too many variables',
      { env_vars: Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`A${i}`, ''])) },
      'too many environment variables: 10001',
    ],
  ])('that cannot run fails with the one text that hoop has: %s', async (_, request, reason) => {
    const { status, output } = await bareExec(request)
    expect(status).toBe('failed')
    expect(output).toMatch(/^unable to decode payload: /)
    expect(output).toContain(reason)
  })

  it('that is no JSON is answered', async () => {
    send(BARE, 'b1', '{"script": hunter2')
    const { output } = JSON.parse(String((await replyTo('b1')).payload)) as BareReply
    expect(output).toBe('unable to decode payload: payload: not valid JSON')
  })

  it('with a script of 5 MB on standard input arrives whole', async () => {
    // Not through the template engine's limit: the text of a template has at most 1,000,000 bytes.
    const data = 'x'.repeat(5_000_000)
    const request = { command: ['wc', '-c'], script: '{{ .data }}', template_data: { data } }
    expect((await bareExec(request)).output.trim()).toBe('5000000')
    const { status, output } = await bareExec({ command: ['wc', '-c'], script: data }, 'b2')
    expect([status, output]).toEqual([
      'failed',
      'unable to decode payload: the template has 5000000 bytes, maximum is 1000000',
    ])
  })

  it('shows none of its secrets', async () => {
    const request = {
      script: 'echo $PGPASSWORD $HOST',
      env_vars: { PGPASSWORD: 'hunter2-hunter2', HOST: 'h' },
    }
    expect((await bareExec(request)).output).toBe('[REDACTED] h\n')
  })

  const psql = ['psql', '-v', 'ON_ERROR_STOP=1', '-A', '-t', '-h', '$HOST', '-U', '$USER', '--port=$PORT']
  const command = [...psql, '-d', '$DB']
  it.skipIf(noPostgres !== undefined)(
    `runs psql: the health check of a gateway${without(noPostgres)}`,
    async () => {
      await using database = await postgresDatabase()
      const { host: HOST, port: PORT, name, password: PGPASSWORD } = database
      const env_vars = { HOST, PORT, USER: name, DB: name, PGPASSWORD }
      expect(await bareExec({ command, script: 'select 40 + 2;', env_vars })).toEqual({
        sid: 'b1',
        status: 'success',
        output: '42\n',
      })
    },
  )

  it.skipIf(noPsql !== undefined)(
    `runs psql, which fails where nobody listens${without(noPsql)}`,
    async () => {
      const env_vars = { HOST: '127.0.0.1', PORT: '1', USER: 'a', DB: 'a', PGPASSWORD: 'not-looked-at' }
      const { status, output } = await bareExec({ command, script: 'select 1;', env_vars })
      expect(status).toBe('failed')
      expect(output).toContain('Connection refused')
    },
  )
})

describe('what only an agent with database drivers does', () => {
  it('is refused in its own way: provisioning', async () => {
    send('SysProvisionDBRolesRequest', 'p1', { sid: 'p1', master_password: 'hunter2-hunter2' })
    const { type, payload } = await replyTo('p1')
    expect([type, JSON.parse(String(payload))]).toEqual([
      'SysProvisionDBRolesResponse',
      { sid: 'p1', status: 'failed', message: expect.stringContaining('does not provision') as string },
    ])
  })

  it.each(['SysPgManagerPlanRequest', 'SysPgManagerApplyRequest'])(
    'is refused in its own way: %s',
    async (request) => {
      send(request, 'p1', 'sid: p1\nmaster_pwd: hunter2-hunter2\n')
      const { type, payload } = await replyTo('p1')
      expect([type, parse(String(payload))]).toEqual([
        'SysPgManagerPlanResponse',
        {
          sid: 'p1',
          state_migration: [],
          status: 'failed',
          message: expect.stringContaining('does not manage') as string,
        },
      ])
    },
  )
})

describe('the answer', () => {
  it('never comes sooner than the gateway can wait for it', async () => {
    const from = performance.now()
    const arrivals: number[] = []
    gateway.onPacket = ({ type }) => {
      if (type.startsWith('Sys')) arrivals.push(performance.now() - from)
    }
    send(BARE, 'b1', 'x')
    send(HOOK, 'h1', 'x')
    send('SysProvisionDBRolesRequest', 'p1', 'x')
    await waitFor(() => arrivals.length === 3)
    // Node's timers may fire a millisecond early.
    expect(arrivals.filter((ms) => ms < REPLY_AFTER_MS - 1)).toEqual([])
  })

  it('is one, for a request that comes twice while it runs', async () => {
    using place = new Workplace()
    using gate = new Gate(place)
    send(HOOK, 'h1', { command: ['bash'], input_file: gate.script })
    await gate.reached()
    send(HOOK, 'h1', { command: ['bash'], input_file: 'echo twice' })
    await waitFor(() => running.log.some((line) => line.startsWith('a system request was ignored')))
    gate.open()
    await entriesOf('h1')
    await replyTo('h1')
    expect(gateway.of('h1').map(({ payload }) => String(payload))).toEqual([
      expect.stringContaining('"output":""'),
    ])
  })
})

it('a client that forges one into its session gets nothing run: not while it is open, nor when it has ended', async () => {
  using place = new Workplace()
  const forged = { command: ['touch', place.at('forged')], script: '' }
  const ignored = () => running.log.filter((line) => line.startsWith('a system request came with a session'))
  gateway.send('AgentSessionOpen', openSpec('s1', {}))
  await found(() => gateway.of('s1').find(({ type }) => type === 'ClientSessionOpenOK'))
  send(BARE, 's1', forged)
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'true')
  await found(() => gateway.of('s1').find(({ type }) => type === 'ClientSessionClose'))
  send(HOOK, 's1', forged)
  await waitFor(() => ignored().length === 2)
  await hook('true')
  expect(existsSync(place.at('forged'))).toBe(false)
})

describe('the journal, the log and the counters', () => {
  it('say what ran, for which session, and how it ended', async () => {
    const event_session_open = { connection_name: 'pg', connection_type: 'custom', user_email: 'a@b.test' }
    await hook('exit 3', { event_session_open })
    expect(await entriesOf('h1')).toEqual([
      {
        ...{ event: 'opened', sid: 'h1', request: 'hook', session: 's1', connection: 'pg', type: 'custom' },
        ...{ origin: 'gateway', verb: 'hook', userId: '', userEmail: 'a@b.test' },
      },
      expect.objectContaining({
        event: 'started',
        request: 'hook',
        program: 'bash',
        argumentCount: 0,
        inputBytes: 6,
      }),
      expect.objectContaining({
        ...{ event: 'ended', request: 'hook', outcome: 'exited', exitCode: 3, closeSent: true },
      }),
    ])
  })

  it.each([
    [HOOK, 'x', 'hook', -2],
    [BARE, { command: [] }, 'bare-exec', 254],
    ['SysProvisionDBRolesRequest', {}, 'provision', 254],
    ['SysPgManagerApplyRequest', '', 'pgmanager', 254],
  ])('say what was refused: %s', async (type, payload, request, exitCode) => {
    send(type, 'r1', payload)
    const [opened, ended, ...more] = await entriesOf('r1')
    expect([opened, ended, more]).toEqual([
      expect.objectContaining({ event: 'opened', request }),
      expect.objectContaining({ event: 'ended', request, outcome: 'refused', exitCode, closeSent: true }),
      [],
    ])
  })

  it('hold no script, argument, output or value', async () => {
    const secret = 'hunter2-hunter2'
    await hook(`echo ${secret}; no-such-${secret}`, { command: ['bash', '-s', secret] })
    await hook('', { command: ['bash', `$${secret}`] }, 'h2')
    const env_vars = { PGPASSWORD: secret, PLAIN: secret }
    await bareExec({ script: `echo ${secret} {{ .x }}`, template_data: { x: secret }, env_vars })
    await bareExec({ script: `{{ ${secret} }}`, env_vars }, 'b2')
    await bareExec({ env_vars: [secret] }, 'b3')
    await entriesOf('b3')
    const written = [...running.log, ...running.entries.map((entry) => JSON.stringify(entry))]
    expect(written.some((line) => line.includes('b2'))).toBe(true)
    expect(written.filter((line) => line.includes('hunter2'))).toEqual([])
  })
})

describe('a system request', () => {
  it('takes no place from sessions, and has a bound of its own', async () => {
    await restart({ slots: 1 })
    using place = new Workplace()
    using gate = new Gate(place)
    const ids = Array.from({ length: MAX_SYSTEM_REQUESTS }, (_, i) => `h${i}`)
    for (const id of ids) send(HOOK, id, { command: ['sh'], input_file: gate.script })
    await gate.reached(MAX_SYSTEM_REQUESTS)
    expect((await hook('', {}, 'over')).output).toBe(
      'failed executing runbook hook, reason=this agent already runs 100 of at most 100 system requests: try again later',
    )
    gateway.send('AgentSessionOpen', openSpec('s1', {}))
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo ran')
    expect(String((await gateway.closeOf('s1')).spec['client.exit_code'])).toBe('0')
    gate.open(MAX_SYSTEM_REQUESTS)
    for (const id of ids) await replyTo(id)
  }, 60_000)

  it('that takes too long is ended, with all that it started', async () => {
    await restart({ maxDurationMs: 300 })
    const reply = await hook('sleep 1000 & echo $!; exec sleep 1000')
    expect(reply).toMatchObject({ exit_code: 124 })
    expect(reply.output).toMatch(/^\d+\nended by the agent: the time limit/)
    expect(isAlive(parseInt(reply.output))).toBe(false)
    expect((await entriesOf('h1')).at(-1)).toMatchObject({ reason: 'timeout' })
  })

  it('leaves nothing in the background, even where sessions may', async () => {
    await restart({ background: 'leave' })
    const { output } = await bareExec({ script: 'sleep 1000 >/dev/null 2>&1 & echo $!' })
    expect(isAlive(parseInt(output))).toBe(false)
    expect((await entriesOf('b1')).at(-1)).toMatchObject({ processesEnded: 1 })
  })

  it('that ignores SIGTERM does not keep an agent that stops', async () => {
    await restart({ killGraceMs: 100 })
    using place = new Workplace()
    using gate = new Gate(place)
    send(HOOK, 'h1', { command: ['bash'], input_file: `trap '' TERM; ${gate.script} sleep 1000` })
    const [{ pid }] = await gate.reached()
    running.agent.drain()
    running.agent.stop()
    expect(JSON.parse(String((await replyTo('h1')).payload))).toMatchObject({
      exit_code: 137,
      output: 'ended by the agent: the agent is stopping',
    })
    await waitFor(() => running.agent.state.name === 'stopped')
    expect(isAlive(pid)).toBe(false)
  })

  it('may finish when the agent drains, and hooks of sessions that finish still run; nothing else begins', async () => {
    using place = new Workplace()
    using gate = new Gate(place)
    send(BARE, 'b1', { command: ['bash'], script: `${gate.script} echo done` })
    await gate.reached()
    running.agent.drain()
    expect((await hook('echo close')).output).toBe('close\n')
    expect((await bareExec({ script: 'echo no' }, 'b2')).output).toBe(
      'unable to decode payload: this agent is stopping',
    )
    expect(running.agent.state.name).toBe('draining')
    gate.open()
    expect(JSON.parse(String((await replyTo('b1')).payload))).toMatchObject({ output: 'done\n' })
    await waitFor(() => running.agent.state.name === 'stopped')
  })

  it.each(['terminate', 'finish'] as const)(
    'ends with its stream, since nobody hears its answer (on-disconnect: %s)',
    async (onDisconnect) => {
      await restart({ life: { timing: quickTiming, onDisconnect } })
      using place = new Workplace()
      using gate = new Gate(place)
      send(HOOK, 'h1', { command: ['bash'], input_file: `${gate.script} sleep 1000` })
      const [{ pid }] = await gate.reached()
      gateway.stream?.end()
      expect((await entriesOf('h1')).at(-1)).toMatchObject({ reason: 'gateway-lost', closeSent: false })
      expect(isAlive(pid)).toBe(false)
      await running.serving()
      expect((await hook('echo back', {}, 'h2')).output).toBe('back\n')
    },
  )
})

describe('requests without end', () => {
  it('are held up to a bound, and left without an answer beyond it', async () => {
    const log = new Logbook()
    const services = { ...running.services, log, embedded: false }
    let answered = 0
    let release = (): void => undefined
    const taken = new Promise<void>((resolve) => (release = resolve))
    const requests = new SystemRequests({ services, slots: new Slots(1) }, async () => {
      answered += 1
      await taken
    })
    for (let i = 0; i < MAX_HELD + 3; i++) requests.receive(`p${i}` as SessionId, { kind: 'provision' })
    expect([requests.size, log.at('warn').length]).toEqual([MAX_HELD, 3])
    release()
    await requests.over()
    expect([requests.size, answered]).toEqual([0, MAX_HELD])
  })
})
