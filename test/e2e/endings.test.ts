import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { answered, closed, driven, ending, rows, type Observed } from '../support/sites/endings.ts'
import { Gate } from '../support/gate.ts'
import { base64, openSpec } from '../support/scripted/open.ts'
import { variables } from '../support/scripted/rest.ts'
import { RemoteConsole } from '../support/scripted/remote-console.ts'
import { Owner, type Wishes } from '../support/sites/owner.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { RunningAgent } from '../support/sites/running-agent.ts'
import { ScriptedRest } from '../support/scripted/scripted-rest.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { Site } from '../support/sites/site.ts'
import { SmallDisk } from '../support/machine/small-disk.ts'
import { waitFor } from '../support/wait.ts'
import { Workplace } from '../support/sites/workplace.ts'

// Every row of docs/endings-and-codes.md, driven. Most through the built program and REST; what the embedded gateway would
// refuse itself, or cannot ask for, through an agent in this process.

it('every row of docs/endings-and-codes.md has a test, and every test a row', () => {
  expect([...driven].sort()).toEqual([...rows.keys()].sort())
})

describe('the command ended, or could not be started:', () => {
  const programs = ['no-such-program', '/no/such/program', '/etc/passwd', './wrong-format']
  const connections = programs.map((program, index) => ({ name: `program-${index}`, command: [program] }))
  let site: Site
  beforeAll(async () => {
    site = await Site.start({ connections })
    writeFileSync(site.place.at('home', 'wrong-format'), 'neither', { mode: 0o755 })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  const script = async (text: string, body: object = {}): Promise<Observed> =>
    answered(await site.rest.script('bash', text, body))
  const command = async (program: string): Promise<Observed> =>
    answered(await site.rest.script(`program-${programs.indexOf(program)}`, ''))

  ending('success', () => script('true'))
  ending('a code of its own', () => script('exit 3'))
  ending('the highest code', () => script('exit 255'))
  ending('success with leftovers', () => script('sleep 1000 & setsid sleep 1000 & exit 0'))
  ending('killed by SIGKILL', () => script('kill -KILL $$'))
  ending('killed by SIGTERM', () => script('kill -TERM $$'))
  ending('crashed', () => script('ulimit -c 0; kill -SEGV $$'))
  ending('killed, with leftovers', () => script('sleep 1000 & sleep 1000 & kill -KILL $$'))
  ending('no such program', () => command('no-such-program'))
  ending('no such path', () => command('/no/such/program'))
  ending('not executable', () => command('/etc/passwd'))
  ending('wrong format', () => command('./wrong-format'))
  ending('a variable too long', () =>
    script('true', { env_vars: variables({ 'envvar:LONG': 'x'.repeat(200_000) }) }),
  )
  ending('arguments too long', () => script('true', { client_args: ['x'.repeat(200_000)] }))
})

describe('the agent ended it:', () => {
  /** A gateway for all tests that end at most their agent; each has an agent of its own. */
  let site: Site
  let gates = 0
  beforeAll(async () => {
    site = await Site.start({ limits: { 'agent-wait': '1s' } })
    await site.agent.stop()
  })
  afterAll(() => site[Symbol.asyncDispose]())
  const withAgent = async (
    settings: Readonly<Record<string, string>>,
    drive: (gate: Gate) => Promise<Observed>,
  ): Promise<Observed> => {
    await site.startAgent(settings)
    await using _agent = site.agent
    using gate = new Gate(site.place, `gate-${(gates += 1)}`)
    return await drive(gate)
  }

  ending('time limit', () =>
    withAgent({ RUNBOOK_AGENT_EXECUTION_MAX_DURATION: '100ms' }, async (gate) =>
      answered(await site.rest.script('bash', gate.script)),
    ),
  )
  ending('output limit', () => {
    const settings = { RUNBOOK_AGENT_OUTPUT_CAP: '1KiB', RUNBOOK_AGENT_OUTPUT_ON_CAP: 'kill' }
    return withAgent(settings, async () => answered(await site.rest.script('bash', 'yes & wait')))
  })

  const stopping = (script: (gate: Gate) => string) => () =>
    withAgent({ RUNBOOK_AGENT_KILL_GRACE: '200ms' }, async (gate) => {
      const reply = site.rest.script('bash', script(gate))
      await gate.reached()
      site.agent.signal('SIGTERM')
      // Two at once would be one.
      await site.agent.says('stderr', /agent draining/)
      site.agent.signal('SIGTERM')
      return answered(await reply)
    })
  ending(
    'agent stopping',
    stopping((gate) => gate.script),
  )
  ending(
    'agent stopping, SIGTERM ignored',
    stopping((gate) => `trap '' TERM; ${gate.script} while :; do sleep 1; done`),
  )
  ending(
    'agent stopping, exit 0',
    stopping((gate) => `trap 'exit 0' TERM; ${gate.script.replace(/read .*/, 'sleep 1000 & wait')}`),
  )

  ending('closed by the gateway', () =>
    withAgent({}, async (gate) => {
      const reply = site.rest.script('bash', gate.script)
      const [{ session }] = await gate.reached()
      await site.rest.kill(session)
      return answered(await reply)
    }),
  )
  ending('agent killed', () =>
    withAgent({}, async (gate) => {
      const reply = site.rest.script('bash', gate.script)
      await gate.reached()
      site.agent.signal('SIGKILL')
      return answered(await reply)
    }),
  )
  ending('gateway lost', async () => {
    await using alone = await Site.start()
    using gate = new Gate(alone.place)
    const reply = alone.rest.script('bash', gate.script).catch(() => undefined)
    await gate.reached()
    alone.gateway.signal('SIGKILL')
    await reply
    const journal = () => readFileSync(alone.place.at('agent-state', 'journal.jsonl'), 'utf8')
    await waitFor(() => journal().includes('"reason":"gateway-lost"'))
    return { code: 'none', status: 'none', text: '' }
  })
  // The embedded gateway asks a draining agent for nothing.
  ending('agent draining', async () => {
    await using gateway = await ScriptedGateway.start()
    await using agent = await RunningAgent.start(gateway.key(), { life: { timing: quickTiming } })
    await agent.serving()
    gateway.send('AgentSessionOpen', openSpec('idle', {}))
    await waitFor(() => gateway.of('idle').length > 0)
    agent.agent.drain()
    gateway.send('AgentSessionOpen', openSpec('running', {}))
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 'running' }, 'exec sleep 1000')
    // It has got no script, and ends when the agent takes nothing new any more.
    await gateway.closeOf('idle')
    gateway.send('AgentSessionOpen', openSpec('late', {}))
    return closed(await gateway.closeOf('late'))
  })
  ending('agent offline', () =>
    withAgent({}, async () => {
      await site.agent.stop()
      return answered(await site.rest.script('bash', 'true'))
    }),
  )
  ending('too many executions', () =>
    withAgent({ RUNBOOK_AGENT_LIMITS_SESSIONS: '1' }, async (gate) => {
      const reply = site.rest.script('bash', gate.script)
      await gate.reached()
      const refused = answered(await site.rest.script('bash', 'true'))
      gate.open()
      await reply
      return refused
    }),
  )
  ending('no descriptors left', () =>
    withAgent({}, async () => {
      // Enough for the agent, not for the pipes of a command.
      const open = String(spawnSync('ls', [`/proc/${site.agent.pid}/fd`]).stdout).split('\n').length
      execFileSync('prlimit', ['--pid', String(site.agent.pid), `--nofile=${open}:`])
      const refused = answered(await site.rest.script('bash', 'true'))
      execFileSync('prlimit', ['--pid', String(site.agent.pid), '--nofile=1024:'])
      expect(answered(await site.rest.script('bash', 'true')).code).toBe('0')
      return refused
    }),
  )
  const secret = { env_vars: variables({ 'filesystem:SECRET': 'x'.repeat(200_000) }) }
  const mounts = SmallDisk.permitted()
  const onSmallDisk = async (drive: (disk: SmallDisk) => Promise<Observed>): Promise<Observed> => {
    using disk = new SmallDisk('64k')
    return await withAgent({ RUNBOOK_AGENT_RUNTIME_DIR: disk.path }, () => drive(disk))
  }
  ending(
    'no room for secret files',
    () => onSmallDisk(async () => answered(await site.rest.script('bash', 'true', secret))),
    !mounts,
  )
  ending(
    'no right to write secret files',
    () =>
      onSmallDisk(async (disk) => {
        disk.makeReadOnly()
        try {
          return answered(await site.rest.script('bash', 'true', secret))
        } finally {
          disk.makeWritable()
        }
      }),
    !mounts,
  )
})

describe('it was refused, or met a bug or the end of memory:', () => {
  const group = memoryGroup()
  let gateway: ScriptedGateway
  let running: RunningAgent
  let place: Workplace
  let owner: Owner

  beforeAll(async () => {
    place = new Workplace()
    owner = new Owner(place)
    gateway = await ScriptedGateway.start()
    if (group.permitted) mkdirSync(group.folder)
    const agentEnvironment = { HOOP_KEY: gateway.key() }
    running = await RunningAgent.start(gateway.key(), {
      killGraceMs: 400,
      agentEnvironment,
      policy: owner,
      oomCounters: [group.counter],
      startedBefore: ['started-before'],
    })
    await running.serving()
  })
  afterAll(async () => {
    await running[Symbol.asyncDispose]()
    await gateway[Symbol.asyncDispose]()
    place[Symbol.dispose]()
    if (group.permitted) rmdirSync(group.folder)
  })

  let sessions = 0
  const open = async (
    params: Parameters<typeof openSpec>[1],
    script = 'true',
    caller: Parameters<typeof openSpec>[2] = {},
  ): Promise<Observed> => {
    const sid = `refused-${sessions++}`
    gateway.send('AgentSessionOpen', openSpec(sid, params, caller))
    await waitFor(() => gateway.of(sid).length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
    return closed(await gateway.closeOf(sid))
  }
  const variable = (name: string, text: string) => open({ envVars: new Map([[`envvar:${name}`, text]]) })

  ending('no command', () => open({ cmdList: [] }))
  ending('an unset variable', () => open({ cmdList: ['echo', '$NOPE'] }))
  ending('an undecodable value', () => variable('BAD', 'abc'))
  ending('a secret that cannot be fetched', () => variable('S', base64('_vaultkv2:id:key')))
  ending("an agent's variable that is missing", () => variable('S', base64('_envjson:NOT_THERE:key')))
  ending('a credential of the agent', () => variable('HOOP_KEY', base64('system.agent.envs')))
  const rules = (direction: 'input' | 'output', ...sets: object[]) =>
    Buffer.from(JSON.stringify({ [`${direction}_rules`]: sets.map((rule) => ({ rules: [rule] })) }))
  const drops = { type: 'deny_words_list', words: ['DROP'], pattern_regex: '', message: 'no drops here' }
  const numbers = { type: 'pattern_match', words: null, pattern_regex: '[0-9]{4}', message: 'no numbers' }
  const unnamed = { ...numbers, message: '' }
  /** What the user reads is on stderr; the close has no text. */
  const blocked = async (params: Parameters<typeof openSpec>[1], script?: string): Promise<Observed> => {
    const observed = await open(params, script)
    expect(observed.text).toBe('')
    return { ...observed, text: gateway.written(`refused-${sessions - 1}`, 'stderr').trim() }
  }
  ending('guardrails, an input rule', () =>
    blocked({ guardRailRules: rules('input', drops) }, 'echo DROP TABLE t'),
  )
  ending('guardrails, an input rule in an argument', () =>
    blocked({ guardRailRules: rules('input', drops), clientArgs: ['-c', 'echo DROP TABLE t'] }),
  )
  ending('guardrails, a rule without a message', () =>
    blocked({ guardRailRules: rules('input', drops, unnamed) }, 'echo 1234'),
  )
  ending('guardrails, an output rule', () =>
    blocked({ guardRailRules: rules('output', numbers) }, 'echo 12; echo 34$((12 * 2)); sleep 1000'),
  )
  ending('guardrails, a pattern that RE2 does not take', () =>
    open({ guardRailRules: rules('input', { ...numbers, pattern_regex: '(?!a)' }) }),
  )
  ending('guardrails, an output pattern like that', () =>
    open({ guardRailRules: rules('output', { ...numbers, pattern_regex: '(?!a)' }) }),
  )
  ending('guardrails, a rule of an unknown type', () =>
    open({ guardRailRules: rules('input', { ...drops, type: 'x' }) }),
  )
  ending('guardrails that cannot be read', () => open({ guardRailRules: Buffer.from('{"input_rules":[') }))
  ending('guardrails with GCP', () =>
    open({ guardRailRules: rules('input', drops), dlpProvider: 'gcp', dlpMode: 'best-effort' }),
  )
  ending('guardrails for input, on a terminal', () =>
    open({ guardRailRules: rules('input', drops), clientVerb: 'connect' }),
  )
  const forbids = async (
    wishes: Wishes,
    caller: Parameters<typeof openSpec>[2] = {},
    params: Parameters<typeof openSpec>[1] = {},
  ): Promise<Observed> => {
    await owner.wants(wishes)
    try {
      return await open(params, 'true', caller)
    } finally {
      owner.current = undefined
    }
  }
  ending("guardrails, a rule of the server's owner", async () => {
    await owner.wants({ input: 'rules: [{type: deny_words_list, words: [DROP], message: no drops here}]' })
    return await blocked({}, 'echo DROP TABLE t').finally(() => (owner.current = undefined))
  })
  ending("guardrails of the server's owner for input, on a terminal", () =>
    forbids({ input: 'rules: [{type: deny_words_list, words: [DROP]}]' }, {}, { clientVerb: 'connect' }),
  )
  ending('a program that the owner does not allow', () => forbids({ programs: ['psql'] }))
  ending("a caller's variable that the owner does not allow", () =>
    forbids({ variables: ['APP_*'] }, { 'envvar:WHO': base64('ada') }),
  )
  ending('a connection that the owner does not allow', () => forbids({ connections: ['prod-*'] }))
  ending('an origin that the owner does not allow', () => forbids({ origins: ['client'] }))
  ending('a session that the agent has started before', async () => {
    gateway.send('AgentSessionOpen', openSpec('started-before', {}))
    return closed(await gateway.closeOf('started-before'))
  })
  ending('strict masking', () =>
    open({ dlpProvider: 'gcp', dlpMode: 'strict', dlpInfoTypes: ['EMAIL_ADDRESS'] }),
  )
  ending('masking that fails', async () => {
    const rules = [{ supported_entity_types: [{ name: 'all', entity_types: ['EMAIL_ADDRESS'] }] }]
    const analyzer = await ScriptedRest.start()
    const { url } = analyzer
    // Nobody listens there any more.
    await analyzer[Symbol.asyncDispose]()
    return await open(
      {
        ...{ dlpProvider: 'mspresidio', dlpMode: 'strict', dlpPresidioAnalyzerUrl: url },
        dataMaskingEntityTypesData: Buffer.from(JSON.stringify(rules)),
      },
      'echo ada@example.test',
    )
  })
  const escapesBlocked = new Map([['envvar:RUNBOOK_AGENT_CLIENT_ESCAPES', base64('block')]])
  /** Opens a session with a client that only says its version. */
  const withClient = async (name: string, version: string): Promise<Observed> => {
    const folder = mkdtempSync(path.join(tmpdir(), 'endings-'))
    const client = path.join(folder, name)
    writeFileSync(client, `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 })
    const refused = await open({ cmdList: [client], envVars: escapesBlocked })
    rmSync(folder, { recursive: true })
    return refused
  }
  ending('client escapes, a client that is too old', () => withClient('psql', 'psql (PostgreSQL) 15.18'))
  ending('client escapes, a client that cannot be closed', () =>
    open({ cmdList: ['sqlite3'], envVars: escapesBlocked }),
  )
  ending('client escapes, another program', () => open({ cmdList: ['bash'], envVars: escapesBlocked }))
  ending('client escapes, an argument that opens one', () =>
    open({ cmdList: ['psql', '-c', 'x'], envVars: escapesBlocked }),
  )
  ending('client escapes, an argument of the caller', () =>
    open({ cmdList: ['psql'], clientArgs: ['-c', '\\! id'], envVars: escapesBlocked }),
  )
  ending('client escapes, on a terminal', () =>
    open({ cmdList: ['psql'], clientVerb: 'connect', envVars: escapesBlocked }),
  )
  ending('database not reachable', async () => {
    const port = await freePort()
    const values = { HOST: '127.0.0.1', PORT: String(port), USER: 'u', PASS: 'p' }
    const envVars = new Map(Object.entries(values).map(([name, text]) => [`envvar:${name}`, base64(text)]))
    return open({ connectionType: 'postgres', envVars })
  })
  ending('a malformed request', async () => {
    gateway.send('AgentSessionOpen', { 'gateway.session_id': 'm', 'agent.connection_params': 'no gob' })
    return closed(await gateway.closeOf('m'))
  })
  ending('native connection', async () => {
    gateway.send('AgentMSSQLConnectionWrite', { 'gateway.session_id': 'n' })
    return closed(await gateway.closeOf('n'))
  })
  const onTerminal = async (script: string, act: (console: RemoteConsole) => void): Promise<Observed> => {
    const envVars = new Map([['envvar:SCRIPT', base64(script)]])
    const params = { cmdList: ['bash', '-c', '$SCRIPT'], envVars }
    const console = await RemoteConsole.open(gateway, `terminal-${sessions++}`, params)
    console.begin()
    await console.says(/ready/)
    act(console)
    return closed(await console.ended())
  }
  ending('terminal closed by the gateway', () =>
    onTerminal('echo ready; exec sleep 1000', (console) => console.close()),
  )
  ending('terminal that ignores the hangup', () =>
    onTerminal(`trap '' HUP; echo ready; exec sleep 1000`, (console) => console.close()),
  )
  ending('guardrails, an output rule on a terminal', async () => {
    const script = base64('echo ready; read line; echo $((1233 + 1)); sleep 1000')
    const console = await RemoteConsole.open(gateway, 'guarded', {
      ...{ cmdList: ['bash', '-c', '$SCRIPT'], envVars: new Map([['envvar:SCRIPT', script]]) },
      guardRailRules: rules('output', numbers),
    })
    console.begin()
    await console.says(/ready/)
    console.type('go\n')
    const end = closed(await console.ended())
    // hoop's `connect` shows what comes as stdout, and nothing else.
    const shown = gateway.written('guarded', 'stdout')
    expect(shown).not.toContain('1234')
    expect(gateway.written('guarded', 'stderr')).toBe('')
    return { ...end, text: /Blocked.*(?=\r\n$)/.exec(shown)?.[0] ?? '' }
  })
  ending('terminal, too much input waits', () =>
    onTerminal('stty raw -echo; echo ready; exec sleep 1000', (console) => {
      for (let i = 0; i < 6; i++) console.type(Buffer.alloc(1_000_000, 'x'))
    }),
  )
  ending(
    'out of memory',
    () => {
      writeFileSync(path.join(group.folder, 'memory.limit_in_bytes'), '30000000')
      const greedy = `exec ${process.execPath} -e "Buffer.alloc(10 ** 9, 1)"`
      return open({}, `echo $$ > ${group.folder}/cgroup.procs; ${greedy}`)
    },
    !group.permitted,
  )
  ending('a bug of the agent', async () => {
    // The only thing here that is not real: no bug is known.
    using broken = vi.spyOn(running.services.slots, 'take').mockImplementation(() => {
      throw new TypeError('a bug')
    })
    const refused = await open({})
    expect(broken).toHaveBeenCalledOnce()
    return refused
  })
})

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A memory cgroup (v1) below our own, to be made; a command that moves itself there meets a real end of memory. */
function memoryGroup(): { readonly folder: string; readonly counter: string; readonly permitted: boolean } {
  const own = /^\d+:memory:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
  const parent = path.join('/sys/fs/cgroup/memory', own ?? 'none')
  const folder = path.join(parent, `endings-${process.pid}`)
  const permitted = own !== undefined && spawnSync('test', ['-w', parent]).status === 0
  return { folder, counter: path.join(folder, 'memory.oom_control'), permitted }
}
