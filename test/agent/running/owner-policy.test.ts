import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Counters } from '../../../src/agent/counters.ts'
import type { ConnectionParams } from '../../../src/wire/params.ts'
import { findProgram } from '../../../src/runtime/lookup.ts'
import { Gate } from '../../support/gate.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { RemoteConsole } from '../../support/scripted/remote-console.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { Owner } from '../../support/sites/owner.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { found, waitFor } from '../../support/wait.ts'

// What the owner of a server forbids, whatever a gateway allows: real commands of one agent.

let place: Workplace
let gateway: ScriptedGateway
let owner: Owner
let running: RunningAgent

beforeAll(async () => {
  place = new Workplace()
  gateway = await ScriptedGateway.start()
  owner = new Owner(place)
  running = await RunningAgent.start(gateway.key(), { policy: owner })
  await running.serving()
})
beforeEach(() => owner.wants({}))
afterAll(async () => {
  await running[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const NUMBERS = 'rules:\n  - type: pattern_match\n    pattern_regex: "[0-9]{4}"\n    message: no numbers\n'
const WORDS = '# mine\nrules: [{type: deny_words_list, words: [DROP, ENDE]}]\n'
const BLOCKED = 'Blocked by the following Hoop Guardrails Rules: '

let sessions = 0
async function opened(params: Partial<ConnectionParams> = {}, vars = {}): Promise<string> {
  const sid = `owned-${sessions++}`
  gateway.send('AgentSessionOpen', openSpec(sid, params, vars))
  await waitFor(() => gateway.of(sid).length > 0)
  return sid
}

async function endOf(sid: string) {
  const close = await gateway.closeOf(sid)
  const info = close.spec['client.guardrails_info']
  return {
    sid,
    code: String(close.spec['client.exit_code']),
    text: String(close.payload),
    info: info === undefined ? undefined : (JSON.parse(String(info)) as unknown),
  }
}

async function exec(script: string, params: Partial<ConnectionParams> = {}, vars = {}) {
  const sid = await opened(params, vars)
  if (gateway.of(sid)[0]?.type === 'ClientSessionOpenOK')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  return endOf(sid)
}

async function request(type: string, id: string, fields: object): Promise<unknown> {
  gateway.send(type, { 'gateway.session_id': id }, JSON.stringify({ id, sid: id, ...fields }))
  const reply = await found(() => gateway.of(id).find((packet) => packet.type.startsWith('Sys')))
  return JSON.parse(String(reply.payload))
}
const hook = (script: string, event = {}) =>
  request('SysRunbookHookRequestType', `hook-${sessions++}`, {
    ...{ command: ['bash'], input_file: script },
    event_session_open: event,
  })
const bareExec = (script: string, variables = {}) =>
  request('SysBareExecRequest', `bare-${sessions++}`, {
    ...{ agent_id: 'a', template_data: null, command: ['bash'], env_vars: variables, script },
  })

const gateways = (direction: 'input' | 'output', ...words: string[]): Partial<ConnectionParams> => ({
  guardRailRules: Buffer.from(
    JSON.stringify({ [`${direction}_rules`]: [{ rules: [{ type: 'deny_words_list', words }] }] }),
  ),
})

describe("a rule of the owner's for input", () => {
  it('stops a script before anything runs, and says whose it is: to the user, gateway, journal and log', async () => {
    await owner.wants({ input: WORDS })
    const { sid, code, text, info } = await exec('touch ran; echo DROP')
    expect(gateway.written(sid)).toBe(`${BLOCKED}owner of the server, input.yaml:2\n`)
    // Neither the words that the owner looks for, nor where his file lies.
    expect({ code, text, info }).toEqual({
      ...{ code: '254', text: '' },
      info: [
        {
          rule_name: 'owner of the server, input.yaml:2',
          rule: { type: 'deny_words_list' },
          direction: 'input',
        },
      ],
    })
    expect(existsSync(path.join(running.services.cwd, 'ran'))).toBe(false)
    const guardrail = `owner of the server, ${place.at('input.yaml')}:2 deny_words_list`
    expect(running.entries.at(-1)).toMatchObject({ outcome: 'refused', reason: 'guardrails', guardrail })
    expect(running.log.join('\n')).toContain(guardrail)
    const counters = new Counters()
    for (const entry of running.entries) counters.count(entry)
    expect(counters.sessions.guardrails[guardrail.slice(0, 120)]).toBe(1)
  })

  it.each([
    ["an argument of the connection's own command", { cmdList: ['echo', 'DROP'] }],
    ["the client's argument, with its variable", { clientArgs: ['$TEXT'] }],
    ['the whole command as one line', { cmdList: ['echo', 'DR', 'OP'] }],
    ['the program', { cmdList: ['DROP'] }],
  ])('is held against %s', async (_, params) => {
    await owner.wants({ input: 'rules: [{type: deny_words_list, words: [DROP, echo DR OP]}]' })
    const { code, info } = await exec('', params, { 'envvar:TEXT': base64('a DROP') })
    expect([code, info]).toMatchObject(['254', [{ direction: 'input' }]])
  })

  it("comes after those of the gateway: of both it is the gateway's that is reported", async () => {
    await owner.wants({ input: WORDS })
    expect((await exec('echo DROP', gateways('input', 'DROP'))).info).toMatchObject([
      { rule_name: '', matched_words: ['DROP'] },
    ])
    expect((await exec('echo DROP', gateways('input', 'other'))).info).toMatchObject([
      { rule_name: 'owner of the server, input.yaml:2' },
    ])
  })

  it('refuses terminals, where nothing can be judged before it takes effect', async () => {
    await owner.wants({ input: WORDS })
    const { code, text } = await endOf(await opened({ clientVerb: 'connect' }))
    expect(code).toBe('254')
    expect(text).toContain("agent's guardrail rules (policy.input-rules)")
  })

  it("stops a gateway's own requests as well, and its answer says why", async () => {
    await owner.wants({ input: WORDS })
    expect(await hook('echo DROP')).toMatchObject({
      exit_code: -2,
      output: `failed executing runbook hook, reason=${BLOCKED}owner of the server, input.yaml:2`,
    })
    expect(await bareExec('echo DROP')).toMatchObject({
      output: expect.stringContaining('input.yaml:2') as string,
    })
    expect(await hook('echo fine')).toMatchObject({ exit_code: 0, output: 'fine\n' })
    const entry = running.entries.find((each) => each.event === 'ended' && each.sid.startsWith('hook'))
    expect(entry).toMatchObject({ reason: 'guardrails', request: 'hook' })
    expect(running.log.join('\n')).toMatch(/system request answered .*input\.yaml:2 deny_words_list/)
  })
})

describe("a rule of the owner's for output", () => {
  it('finds a match in two pieces of output: nothing of it leaves, and the command ends', async () => {
    await owner.wants({ output: NUMBERS })
    using gate = new Gate(place, 'pieces')
    const sid = await opened()
    const script = `printf 'before 12'; ${gate.script} printf 34; exec sleep 1000`
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
    await waitFor(() => gateway.written(sid, 'stdout') === 'before ')
    gate.open()
    const { code, info } = await endOf(sid)
    expect(gateway.written(sid, 'stdout')).toBe('before ')
    expect(gateway.written(sid, 'stderr').trim()).toBe(
      `${BLOCKED}owner of the server, output.yaml:2: no numbers`,
    )
    expect([code, info]).toMatchObject(['254', [{ direction: 'output', message: 'no numbers' }]])
  })

  it('looks through terminals', async () => {
    await owner.wants({ output: NUMBERS })
    const script = base64('echo ready; read line; echo $((1233 + 1)); sleep 1000')
    const console = await RemoteConsole.open(gateway, 'on-terminal', {
      ...{ cmdList: ['bash', '-c', '$SCRIPT'], envVars: new Map([['envvar:SCRIPT', script]]) },
    })
    console.begin()
    await console.says(/ready/)
    console.type('go\n')
    const { code, info } = await endOf('on-terminal')
    expect([code, info]).toMatchObject(['254', [{ rule_name: 'owner of the server, output.yaml:2' }]])
    expect(String(console.output)).not.toContain('1234')
  })

  it.each([
    ['ENDE first', 'ENDE', 'owner of the server, output.yaml:2'],
    ["theirs first, in the gateway's rules", 'THEIRS ENDE', ''],
    ['the same end', 'XENDE', ''],
  ])("together with the gateway's the first match in the output counts: %s", async (_, output, name) => {
    await owner.wants({ output: WORDS })
    const { info } = await exec(`echo ${output} THEIRS`, gateways('output', 'THEIRS', 'XENDE'))
    expect(info).toMatchObject([{ rule_name: name }])
  })

  it("stops a gateway's own requests as well", async () => {
    await owner.wants({ output: NUMBERS })
    expect(await hook('echo $((1233 + 1)); exec sleep 1000')).toMatchObject({
      exit_code: 254,
      output: `${BLOCKED}owner of the server, output.yaml:2: no numbers\n`,
    })
  })
})

it('a session keeps the policy that it was opened with, the next one has the new', async () => {
  await owner.wants({ output: NUMBERS, programs: ['bash'] })
  const sid = await opened()
  await owner.wants({ programs: ['sh'] })
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, 'echo $((1233 + 1))')
  expect((await endOf(sid)).info).toMatchObject([{ direction: 'output' }])
  expect((await exec('echo $((1233 + 1))')).text).toContain('"bash"')
})

describe('a list of', () => {
  it.each([
    ['connections', { connections: ['db-*', 'test'] }, { connectionName: 'prod' }, 'the connection "prod"'],
    ['origins', { origins: ['client'] }, {}, 'sessions of the origin "client-api"'],
    ['programs', { programs: ['/bin/echo', 'sh'] }, {}, 'the program "bash"'],
    ['programs', { programs: ['sh'] }, { cmdList: [], clientArgs: ['bash'] }, 'the program "bash"'],
  ] as const)('%s refuses what is not in it, before anything exists', async (name, lists, params, what) => {
    await owner.wants(lists)
    const { sid, code, text } = await exec('touch listed', params)
    expect([code, text]).toEqual([
      '254',
      `the owner of this server does not allow ${what} here (policy.${name} of the agent). Nothing was run`,
    ])
    expect(gateway.of(sid).map(({ type }) => type)).toEqual(['ClientSessionClose'])
    expect(existsSync(path.join(running.services.cwd, 'listed'))).toBe(false)
    await waitFor(() => running.entries.at(-1)?.event === 'ended')
    expect(running.entries.at(-1)).toMatchObject({
      ...{ sid, outcome: 'refused', reason: 'policy', guardrail: `policy.${name}` },
    })
  })

  it.each([
    ['postgres', ['psql'], 'the program "psql"'],
    ['mysql', ['/bin/false'], 'the program "/bin/false"'],
    ['tcp', ['nc'], 'the program "nc"'],
    ['tcp', [], 'connections without a command'],
  ])('programs holds for native clients of %s with the command %j', async (connectionType, cmdList, what) => {
    // The server's address is read only when the lists let the session pass.
    const params = { connectionType, cmdList, clientVerb: 'connect', clientOrigin: 'client' }
    await owner.wants({ programs: ['/bin/true', 'mariadb'] })
    const refused = await endOf(await opened(params))
    expect([refused.code, refused.text]).toEqual([
      '254',
      `the owner of this server does not allow ${what} here (policy.programs of the agent). Nothing was run`,
    ])
    await owner.wants({ programs: ['/bin/true', ...cmdList] })
    if (cmdList.length > 0) expect((await endOf(await opened(params))).text).not.toContain('policy.programs')
  })

  it('all three lets pass what is in them', async () => {
    await owner.wants({ connections: ['te*'], origins: ['client-*'], programs: ['bash'] })
    expect((await exec('exit 7')).code).toBe('7')
  })

  it('programs says of a missing one that is allowed that it is missing', async () => {
    await owner.wants({ programs: ['no-such-program'] })
    expect((await exec('', { cmdList: ['no-such-program'] })).code).toBe('127')
  })

  it('programs knows a program by its file, whichever way it is written', async () => {
    const bash = findProgram('bash', process.env['PATH'] ?? '', '/')
    const written = path.join(path.dirname(bash), '..', path.basename(path.dirname(bash)), 'bash')
    for (const [allowed, command] of [
      ['bash', bash],
      [bash, 'bash'],
      ['bash', written],
    ] as const) {
      await owner.wants({ programs: [allowed] })
      expect((await exec('exit 7', { cmdList: [command] })).code).toBe('7')
    }
  })

  it('programs does not know one of that name elsewhere, nor a link to it', async () => {
    await owner.wants({ programs: ['bash', '/bin/sh'] })
    mkdirSync(place.at('elsewhere'))
    symlinkSync('/bin/sh', place.at('elsewhere', 'bash'))
    const cmdList = [place.at('elsewhere', 'bash')]
    const PATH = base64(place.at('elsewhere'))
    expect((await exec('', { cmdList })).text).toContain('policy.programs')
    expect((await exec('', { cmdList: ['./bash'] })).text).toContain('policy.programs')
    // A variable of connection or client does not change where programs are looked for.
    const script = 'exit ${BASH_VERSINFO:-3}'
    const { code } = await exec(
      script,
      { envVars: new Map([['envvar:PATH', PATH]]) },
      { 'envvar:PATH': PATH },
    )
    expect(Number(code)).toBeGreaterThan(3)
  })

  it('programs refuses variables that would make an allowed program run other code', async () => {
    await owner.wants({ programs: ['bash'] })
    const code = base64('touch loaded')
    const envVars = (name: string) => ({ envVars: new Map([[name, code]]) })
    for (const refused of [
      exec('true', envVars('filesystem:BASH_ENV')),
      exec('true', envVars('filesystem:LD_PRELOAD')),
    ])
      expect((await refused).text).toContain('does not allow the variable')
    expect((await exec('true', {}, { 'envvar:BASH_FUNC_true%%': code })).text).toContain('(policy.variables')
    expect(await bareExec('true', { LD_AUDIT: 'x' })).toMatchObject({
      output: expect.stringContaining('a caller\'s variable "LD_AUDIT" here (policy.variables') as string,
    })
    expect(existsSync(path.join(running.services.cwd, 'loaded'))).toBe(false)
    await owner.wants({ connections: ['*'] })
    expect((await exec('exit 7', envVars('filesystem:BASH_ENV'))).code).toBe('7')
  })

  it("programs lets callers set what is listed or the connection's, and refuses the rest by name", async () => {
    const print = 'echo $LANG $TZ $HOOP_X $OWN $APP_ID'
    const set = (...names: string[]) =>
      Object.fromEntries(names.map((name) => [`envvar:${name}`, base64('x')]))
    const own = { envVars: new Map([['envvar:OWN', base64('own')]]) }
    await owner.wants({ programs: ['bash'] })
    const allowed = await exec(print, own, set('LANG', 'TZ', 'HOOP_X', 'OWN'))
    expect(gateway.written(allowed.sid)).toBe('x x x own\n')
    for (const name of ['OPENSSL_CONF', 'PSQLRC', 'APP_ID', 'own', 'LANGUAGE', 'XLANG'])
      expect((await exec(print, own, set('LANG', name))).text).toContain(`caller's variable "${name}" here`)
    await owner.wants({ programs: ['bash'], variables: ['APP_*'] })
    const listed = await exec(print, own, set('APP_ID'))
    expect(gateway.written(listed.sid)).toBe('own x\n')
    await owner.wants({ variables: ['APP_*'] })
    expect((await exec(print, own, set('OTHER'))).text).toContain('policy.variables')
    await owner.wants({ connections: ['*'] })
    expect((await exec('exit 7', own, set('OTHER'))).code).toBe('7')
  })

  it('programs is asked again when the script comes', async () => {
    const way = place.at('way')
    for (const [folder, program] of [
      ['right', '/bin/sh'],
      ['wrong', '/bin/echo'],
    ] as const) {
      mkdirSync(place.at(folder))
      symlinkSync(program, place.at(folder, 'tool'))
    }
    symlinkSync('right', way)
    await owner.wants({ programs: [place.at('right', 'tool')] })
    const sid = await opened({ cmdList: [path.join(way, 'tool')] })
    rmSync(way)
    symlinkSync('wrong', way)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, 'true')
    expect((await endOf(sid)).text).toContain('policy.programs')
  })
})

describe("a gateway's own requests", () => {
  const refused = (reason: string) => ({
    exit_code: -2,
    output: expect.stringContaining(reason) as string,
  })

  it('need their kind among the origins', async () => {
    await owner.wants({ origins: ['client*', 'hook'] })
    expect(await hook('exit 3')).toMatchObject({ exit_code: 3 })
    expect(await bareExec('true')).toMatchObject({
      output: expect.stringContaining('requests of the kind bare-exec here (policy.origins') as string,
    })
  })

  it('need their connection among the connections, and those without one their kind among the origins', async () => {
    await owner.wants({ connections: ['db-*'] })
    expect(await hook('true', { connection_name: 'db-1' })).toMatchObject({ exit_code: 0 })
    expect(await hook('true', { connection_name: 'x' })).toMatchObject(refused('the connection "x" here'))
    expect(await hook('true')).toMatchObject(refused('a hook that names no connection here'))
    await owner.wants({ connections: ['db-*'], origins: ['hook'] })
    expect(await hook('true')).toMatchObject({ exit_code: 0 })
    expect(await hook('true', { connection_name: 'x' })).toMatchObject(refused('the connection "x" here'))
  })

  it('need their program among the programs', async () => {
    await owner.wants({ programs: ['python3'] })
    expect(await hook('true')).toMatchObject(refused('the program "bash" here'))
  })
})
