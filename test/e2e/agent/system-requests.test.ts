import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { base64 } from '../../support/scripted/open.ts'
import { Gate } from '../../support/gate.ts'
import { commandLines, isAlive } from '../../support/machine/processes.ts'
import { Program } from '../../support/sites/program.ts'
import { ScriptedGateway } from '../../support/scripted/scripted-gateway.ts'
import { found, waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const HOOK = 'SysRunbookHookRequestType'
const BARE = 'SysBareExecRequest'
const mark = (name: string) => `${name}-${randomBytes(12).toString('hex')}`

async function agentOf(
  place: Workplace,
  gateway: ScriptedGateway,
  env: Record<string, string> = {},
): Promise<Program> {
  place.write('key', gateway.key())
  const agent = new Program(place, ['start', '--key-file', 'key'], {
    ...{ LOG_LEVEL: 'debug', LOG_ENCODING: 'json' },
    ...env,
  })
  await agent.says('stderr', /agent serving/)
  return agent
}

const send = (gateway: ScriptedGateway, type: string, id: string, request: object) =>
  gateway.send(type, { 'gateway.session_id': id }, JSON.stringify(request))

const replyTo = (gateway: ScriptedGateway, id: string) =>
  found(() => gateway.of(id).find(({ type }) => type.startsWith('Sys')))

interface Shipped {
  readonly level: string
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

const shipped = (gateway: ScriptedGateway) =>
  gateway.received
    .filter(({ type }) => type === 'ClientAgentLogs')
    .flatMap(({ payload }) => JSON.parse(String(payload)) as Shipped[])

it('what a gateway asks for itself is in journal, log, shipped log and status, and no secret, script or output is', async () => {
  using place = new Workplace()
  await using gateway = await ScriptedGateway.start()
  await using agent = await agentOf(place, gateway)
  const marks = {
    value: mark('value'),
    password: mark('password'),
    script: mark('script'),
    data: mark('data'),
    argument: mark('argument'),
    connection: mark('connection'),
    malformed: mark('malformed'),
  }
  const event_session_open = {
    connection_envs: { 'envvar:PASS': base64(marks.connection) },
    input: marks.script,
  }
  send(gateway, HOOK, 'hook-1', { command: ['sh'], input_file: `echo ${marks.script}`, event_session_open })
  send(gateway, BARE, 'bare-1', {
    command: ['sh', '-s'],
    script: `echo ${marks.script} {{ .x }}; echo $PGPASSWORD >&2; exit 4`,
    template_data: { x: marks.data },
    env_vars: { PGPASSWORD: marks.password, PLAIN: marks.value },
  })
  send(gateway, BARE, 'bare-2', { command: ['sh', `$${marks.argument}`], script: '' })
  send(gateway, BARE, 'bare-3', { script: `{{ ${marks.script}`, env_vars: { PGPASSWORD: marks.password } })
  send(gateway, BARE, 'bare-4', { env_vars: [marks.malformed] })
  send(gateway, 'SysProvisionDBRolesRequest', 'roles-1', { master_password: marks.password })
  send(gateway, 'SysPgManagerPlanRequest', 'roles-2', { master_pwd: marks.password })
  const ids = ['hook-1', 'bare-1', 'bare-2', 'bare-3', 'bare-4', 'roles-1', 'roles-2']
  for (const id of ids) await replyTo(gateway, id)
  expect(commandLines()).not.toContain(marks.password)
  // The real first packet, about 2 s after the connection, and what was said behind it.
  await waitFor(
    () =>
      shipped(gateway).filter(({ message }) => message.startsWith('system request answered')).length === 7,
    20_000,
  )

  agent.signal('SIGUSR2')
  const [status] = await agent.says('stderr', /"systemRequests":\{[^}]*\}/)
  expect(JSON.parse(`{${status}}`)).toEqual({ systemRequests: { exited: 2, refused: 5 } })
  await agent.stop()
  const places = {
    journal: readFileSync(place.at('agent-state', 'journal.jsonl'), 'utf8'),
    log: agent.stderr + agent.stdout,
    shipped: JSON.stringify(shipped(gateway)),
  }
  for (const text of Object.values(places)) expect(ids.filter((id) => !text.includes(id))).toEqual([])
  const secrets = Object.entries({ ...marks, key: 'xagt-0123456789' })
  const found = secrets.flatMap(([name, secret]) =>
    Object.entries(places).flatMap(([where, text]) => (text.includes(secret) ? [`${name} in ${where}`] : [])),
  )
  expect(found).toEqual([])
})

it('the shipped lines are those of the log from the connection on, the level included', async () => {
  using place = new Workplace()
  await using gateway = await ScriptedGateway.start()
  await using agent = await agentOf(place, gateway, { LOG_LEVEL: 'warn', RUNBOOK_AGENT_LOG_LEVEL: 'info' })
  await waitFor(() => shipped(gateway).length > 0)
  const [first] = shipped(gateway)
  expect(first).toMatchObject({ level: 'info', message: 'agent serving', fields: { state: 'serving' } })
  expect(agent.stderr).toContain('agent connecting')
  expect(JSON.stringify(shipped(gateway))).not.toContain('agent connecting')
})

it('a hook that runs when its agent is told to stop, and leaves processes in every way, leaves none', async () => {
  using place = new Workplace()
  using gate = new Gate(place)
  await using gateway = await ScriptedGateway.start()
  await using agent = await agentOf(place, gateway, { RUNBOOK_AGENT_KILL_GRACE: '200ms' })
  const pids = place.at('pids')
  const leave = `echo $$ >> ${pids}; exec sleep 1000 >/dev/null 2>&1`
  const script = [
    `sh -c '${leave}' &`,
    `setsid sh -c '${leave}' &`,
    `(setsid env -i PATH="$PATH" sh -c '${leave}' &)`,
    `sh -c "trap '' TERM; echo \\$\\$ >> ${pids}; while :; do sleep 1; done" >/dev/null 2>&1 &`,
    `echo $$ >> ${pids}; trap '' TERM; ${gate.script} sleep 1000`,
  ]
  send(gateway, HOOK, 'hook-1', { command: ['bash'], input_file: script.join('\n') })
  await gate.reached()
  const started = () => readFileSync(pids, 'utf8').trim().split('\n').map(Number)
  await waitFor(() => started().length === 5)
  agent.signal('SIGTERM')
  await agent.says('stderr', /agent draining/)
  agent.signal('SIGTERM')
  expect(await agent.ended()).toEqual({ code: 0, signal: null })
  expect(started().filter(isAlive)).toEqual([])
  expect(JSON.parse(String((await replyTo(gateway, 'hook-1')).payload))).toMatchObject({ exit_code: 137 })
})
