import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Gate } from '../support/gate.ts'
import { commandLines, environmentOf } from '../support/machine/processes.ts'
import { Program, runProgram } from '../support/sites/program.ts'
import { variables } from '../support/scripted/rest.ts'
import { Site } from '../support/sites/site.ts'

const marked = (name: string) => `${name}-${randomBytes(12).toString('hex')}`
const marks = {
  connection: marked('connection'),
  connectionFile: marked('connection-file'),
  parameter: marked('parameter'),
  request: marked('request'),
  requestFile: marked('request-file'),
  wrongToken: marked('wrong-token'),
  wrongKey: marked('wrong-key'),
}

const lengths = ['CONNECTION', 'PARAMETER', 'REQUEST'].map((name) => `\${#${name}}`).join(' ')
const runbooks = {
  'work.runbook.sh': `
{{ .password | required "a password is required" | type "password" | asenv "PARAMETER" }}
echo ${lengths} $(wc -c < "$CONNECTION_FILE") $(wc -c < "$REQUEST_FILE")
{{ .then | default "true" }}
`,
  'strict.runbook.sh': `echo {{ .password | type "password" | pattern "^[0-9]+$" }}`,
}
const connections = [
  {
    name: 'marked',
    command: ['bash'],
    env: { CONNECTION: marks.connection },
    files: { CONNECTION_FILE: './file' },
  },
]
const body = {
  parameters: { password: marks.parameter },
  env_vars: variables({ 'envvar:REQUEST': marks.request, 'filesystem:REQUEST_FILE': marks.requestFile }),
}
const exec = '/api/plugins/runbooks/connections/marked/exec'

it('no token, key or secret is in a log, an argv, an error, an answer or the history, whatever goes wrong', async () => {
  await using site = await Site.start({
    ...{ runbooks, connections, files: { file: marks.connectionFile } },
    env: { LOG_LEVEL: 'debug', LOG_ENCODING: 'json', RUNBOOK_AGENT_HTTP: '127.0.0.1:0' },
  })
  using argv = new CommandLines()
  const told: string[] = [...(await execution(site)), ...(await refusals(site)), ...(await wrongKeys(site))]
  const { session_id } = JSON.parse(told[0] ?? '') as { session_id: string }
  told.push(JSON.stringify(await site.rest.session(session_id)))
  const environment = environmentOf(site.agent.pid)
  const metrics = await answersOf(site)
  await site.agent.stop()
  await site.gateway.stop()

  const places = {
    told: told.join('\n'),
    argv: argv.seen(),
    environment,
    metrics,
    'log of the gateway': site.gateway.stdout + site.gateway.stderr,
    'log of the agent': site.agent.stdout + site.agent.stderr,
    history: filesBelow(site.place.at('state')),
  }
  // What is looked at is the real thing: each holds something of this run.
  expect(places.argv).toContain('main.js gateway')
  expect(places['log of the gateway']).toContain(session_id)
  expect(places['log of the agent']).toContain(session_id)
  expect(places.history).toContain(session_id)
  expect(places.metrics).toContain('runbook_agent_')
  expect(found(places, { ...marks, token: site.token, agentKey: site.agentKey })).toEqual([])
})

/** All that the agent serves: its state and its metrics, in both of their formats. */
async function answersOf(site: Site): Promise<string> {
  const [, address = ''] = await site.agent.says('stderr', /"address":"(http:[^"]+)"/)
  const texts = []
  for (const path of ['healthz', 'readyz', 'metrics'])
    for (const Accept of ['text/plain', 'application/openmetrics-text']) {
      const answer = await fetch(`${address}/${path}`, { headers: { Accept } })
      texts.push(JSON.stringify([...answer.headers]), await answer.text())
    }
  return texts.join('\n')
}

/** A good one, looked at while it runs and after it. @returns what was answered, the good one's answer first */
async function execution(site: Site): Promise<string[]> {
  using gate = new Gate(site.place)
  const parameters = { ...body.parameters, then: gate.script }
  const good = site.rest.send('POST', exec, runbook({ ...body, parameters }))
  await gate.reached()
  // The sampler below sees it as well; here it is certain that everything runs.
  expect(commandLines()).not.toContain(marks.parameter)
  gate.open()
  const { status, body: answer } = await good
  expect([status, answer]).toEqual([200, expect.stringContaining(expectedLengths())])
  return [answer]
}

function expectedLengths(): string {
  const { connection, parameter, request, connectionFile, requestFile } = marks
  return [connection, parameter, request, connectionFile, requestFile].map(({ length }) => length).join(' ')
}

/** Everything that a caller can do wrong with a secret in hand. */
async function refusals(site: Site): Promise<string[]> {
  const post = (content: string) => site.rest.send('POST', exec, content)
  const replies = {
    'a wrong token': await site.rest.send('POST', exec, runbook(body), marks.wrongToken),
    'a missing parameter': await post(runbook({ ...body, parameters: { other: marks.parameter } })),
    'a pattern that does not match': await post(runbook({ ...body, file_name: 'strict.runbook.sh' })),
    'bad base64': await post(runbook({ ...body, env_vars: { 'envvar:REQUEST': `${marks.request}!` } })),
    'a NUL': await post(
      runbook({ ...body, env_vars: variables({ 'envvar:REQUEST': `${marks.request}\0` }) }),
    ),
    'an unknown kind': await post(runbook({ ...body, env_vars: variables({ 'vault:X': marks.request }) })),
    'a wrong type': await post(runbook({ ...body, env_vars: { 'envvar:REQUEST': [marks.request] } })),
    'no object': await post(JSON.stringify(marks.request)),
    'broken JSON': await post(`{"parameters":{"password":"${marks.parameter}"`),
    'text instead of JSON': await post(marks.parameter),
    'an unknown file': await post(runbook({ ...body, file_name: 'nowhere.sh' })),
  }
  const statuses = Object.entries(replies).map(([name, { status }]) => `${name}: ${status}`)
  expect(statuses).toEqual([
    ...['a wrong token: 401', 'a missing parameter: 400', 'a pattern that does not match: 400'],
    ...['bad base64: 200', 'a NUL: 200', 'an unknown kind: 200', 'a wrong type: 400', 'no object: 400'],
    ...['broken JSON: 400', 'text instead of JSON: 400', 'an unknown file: 404'],
  ])
  return Object.values(replies).map((reply) => reply.body)
}

/** Keys that are refused, by the gateway and by the agent itself. */
async function wrongKeys(site: Site): Promise<string[]> {
  const address = /@(.*)\?/.exec(readFileSync(site.place.at('agent.credential'), 'utf8'))?.[1] ?? ''
  site.place.write('wrong.credential', `grpc://local:${marks.wrongKey}@${address}?mode=standard\n`)
  const env = { LOG_LEVEL: 'debug' }
  await using refused = new Program(site.place, ['start', '--key-file', 'wrong.credential'], env)
  await refused.says('stderr', /the gateway refuses this key/)
  await refused.stop()
  const unusable = [`grpc://local:${marks.wrongKey}@nowhere`, marks.wrongKey, `x://a:${marks.wrongKey}@b:1`]
  const told = [refused.stdout + refused.stderr]
  for (const HOOP_KEY of unusable) {
    const { code, stdout, stderr } = await runProgram(site.place, ['start'], { HOOP_KEY })
    expect(code).toBe(78)
    told.push(stdout + stderr)
  }
  return told
}

function runbook(request: object): string {
  return JSON.stringify({ file_name: 'work.runbook.sh', ...request })
}

/** `place: mark` for every mark that stands somewhere, as it is or in base64. */
function found(places: Readonly<Record<string, string>>, all: Readonly<Record<string, string>>): string[] {
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(all)
      .filter(([, mark]) => text.includes(mark) || text.includes(Buffer.from(mark).toString('base64url')))
      .map(([mark]) => `${place}: ${mark}`),
  )
}

function filesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(`${entry.parentPath}/${entry.name}`, 'latin1'))
    .join('\n')
}

/** Looks at the arguments of all processes of the machine again and again until it is disposed. */
class CommandLines implements Disposable {
  readonly #seen = new Set<string>()
  readonly #timer = setInterval(() => this.#look(), 20)

  seen(): string {
    return [...this.#seen].join('\n')
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    for (const line of commandLines().split('\n')) this.#seen.add(line)
  }
}
