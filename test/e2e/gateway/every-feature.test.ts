import { readFileSync } from 'node:fs'
import Database from 'libsql'
import { expect, it } from 'vitest'
import { missingPostgres, postgresDatabase } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { JIRA_TOKEN, JiraServer } from '../../support/scripted/jira.ts'
import { ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { main, Program, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { Console } from '../../support/terminals/console.ts'
import { waitFor } from '../../support/wait.ts'

// Everything that leaves rows in the history, once. What a gateway has written must be sound to `--check`, to a
// repair, to a backup and to the next start: a rule of the examination that calls a healthy row damaged keeps the
// gateway down, since the unit and the pod run `--check` before every start.

const CRON = '0 3 29 2 *'
const REVIEW = { groups: ['admin'], 'self-approval': true }
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const TEMPLATE = { name: 'runs', project_key: 'OPS', request_type_id: '25' }
const missing = await missingPostgres()

/** Tables that get rows only when old sessions, entries or accounts are removed. */
const NOT_MADE = ['audit_anchor', 'former_accounts', 'removals', 'removed_uses']

it.skipIf(missing !== undefined)(
  `what every feature leaves in the history is sound: checked, not repaired, backed up, restored and served${without(missing)}`,
  async () => {
    await using jira = await JiraServer.start()
    await using receiver = await ScriptedRest.start()
    await using database = await postgresDatabase()
    await using site = await Site.start(settings(jira.url, receiver.url, database))
    const client = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
    const command = (...words: string[]) => runProgram(site.place, words, client)
    await useEverything(site, command)
    const saved = site.place.at('made.backup')
    expect(await command('backup', saved)).toMatchObject({ code: 0, stderr: '' })
    await site.agent.stop()
    await site.gateway.stop()

    const check = (config = 'gateway.yaml') => command('gateway', '--check', '--config', config)
    const repair = (config = 'gateway.yaml') => command('history', 'repair', '--config', config)
    expect(emptyTables(site.place.at('state', 'history.sqlite'))).toEqual(NOT_MADE)
    expect(await check()).toMatchObject(SOUND)
    expect((await repair()).stdout).toContain('is not damaged: nothing was changed')

    // Restored and served elsewhere. Then one row is broken: the repair removes that row, and no other.
    const restored = site.place.at('restored')
    expect(await command('restore', saved, '--state', restored)).toMatchObject({ code: 0, stderr: '' })
    otherState(site, 'restored.yaml', restored)
    expect(await check('restored.yaml')).toMatchObject(SOUND)
    await serveOnce(site, 'restored.yaml')
    breakOneRow(`${restored}/history.sqlite`)
    expect((await check('restored.yaml')).stdout).toContain('1 rows have invalid JSON in facts')
    expect((await repair('restored.yaml')).stdout).toMatch(
      /^lost:\n {2}webhook_messages: 1 rows: broken\naudit log: /m,
    )
    expect(await check('restored.yaml')).toMatchObject(SOUND)
    await serveOnce(site, 'restored.yaml')

    await site.startGateway()
    await site.startAgent()
    expect((await site.rest.script('ticketed', 'echo again')).body).toMatchObject({ output: 'again\n' })
    await site.agent.stop()
    await site.gateway.stop()
    expect(await check()).toMatchObject(SOUND)
  },
)

const SOUND = { code: 0, stdout: expect.not.stringContaining('history') as string }

/** The same settings with free ports and another state. */
function otherState({ place }: Site, file: string, state: string): void {
  const own = JSON.parse(readFileSync(place.at('gateway.yaml'), 'utf8')) as object
  place.write(file, JSON.stringify({ ...own, state, listen: { http: '127.0.0.1:0', grpc: '127.0.0.1:0' } }))
}

async function serveOnce({ place }: Site, config: string): Promise<void> {
  await using gateway = new Program(place, ['gateway', '--json', '--config', config])
  await gateway.says('stdout', /^\{.*\}$/m)
  expect((await gateway.stop()).code).toBe(0)
}

function breakOneRow(file: string): void {
  const db = new Database(file)
  db.exec(
    `INSERT INTO webhook_messages (id, webhook, event, at, facts) VALUES ('broken', 'gone', 'x', 0, '{')`,
  )
  db.close()
}

type Command = (...words: string[]) => ReturnType<typeof runProgram>

function settings(jira: string, receiver: string, database: Awaited<ReturnType<typeof postgresDatabase>>) {
  const { host: HOST, port: PORT, name: USER, password: PASS } = database
  const events = [
    'session.finished',
    'session.failed',
    'review.waiting',
    'review.approved',
    'review.rejected',
  ]
  return {
    users: { ann: ['dba'] },
    connections: [
      { name: 'ticketed', command: ['bash'], jira: 'runs', env: { GREETING: 'hello' } },
      { name: 'reviewed', command: ['bash'], review: REVIEW, access: { exec: true, connect: true } },
      { name: 'console', command: ['bash', '--norc', '-i'], env: { PS1: 'remote$ ' } },
      { name: 'ruled', command: ['bash'], masking: ['mails'], guardrails: ['no-drops'] },
      { name: 'nowhere', command: ['no-such-program'] },
      {
        ...{ name: 'pg', type: 'database', subtype: 'postgres', command: ['psql'] },
        env: { HOST, PORT, USER, PASS, DB: USER },
      },
    ],
    masking: [{ name: 'mails', entities: ['EMAIL_ADDRESS'] }],
    guardrails: [{ name: 'no-drops', input: [{ type: 'deny_words_list', words: ['DROP TABLE'] }] }],
    schedules: [
      { name: 'nightly', connection: 'bash', cron: CRON, runbook: 'ops/mark.runbook.sh', as: 'admin' },
      { name: 'broken', connection: 'bash', cron: CRON, runbook: 'ops/none.runbook.sh', as: 'admin' },
    ],
    locks: [{ name: 'one', runbooks: ['ops/**'] }],
    // Nobody answers there, so its messages stay.
    webhooks: [
      { name: 'hook', url: `${receiver}/hook`, events, secret: SECRET },
      { name: 'gone', url: 'http://127.0.0.1:9/', events, secret: SECRET },
    ],
    jira: { url: jira, user: 'gateway@example.test', api_token: JIRA_TOKEN, templates: [TEMPLATE] },
    history: { retain: '30d' },
    runbooks: { 'ops/mark.runbook.sh': 'echo mark', 'ops/say.runbook.sh': 'echo {{ .word }}' },
  }
}

async function useEverything(site: Site, command: Command): Promise<void> {
  const { rest } = site
  const send = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => {
    const reply = await rest.send(method, `/api${path}`, body && JSON.stringify(body))
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`)
    return JSON.parse(reply.body === '' ? '{}' : reply.body) as Record<string, never>
  }
  const asked = async (more = {}) => (await rest.script('reviewed', 'echo approved', more)).body.session_id

  // Runs: with and without a ticket, failed, refused, masked, of a missing program, with metadata that are changed later.
  const ran = await rest.script('ticketed', 'echo "$GREETING"', { metadata: { incident: 'INC-7' } })
  expect(ran.body).toMatchObject({ output: 'hello\n', exit_code: 0 })
  expect((await rest.script('ticketed', 'exit 3')).body).toMatchObject({ exit_code: 3 })
  expect((await rest.script('ruled', 'echo ann@example.com')).body.output).toContain('<EMAIL_ADDRESS>')
  await rest.script('ruled', 'echo DROP TABLE people')
  await rest.script('nowhere', 'echo never')
  const reply = await rest.send(
    'PATCH',
    `/api/sessions/${ran.body.session_id}/metadata`,
    '{"metadata":{"a":[1,null]}}',
  )
  expect(reply.status).toBeLessThan(300)
  expect((await rest.runbook('bash', 'ops/mark.runbook.sh')).body).toMatchObject({ output: 'mark\n' })
  const said = await rest.runbook('bash', 'ops/say.runbook.sh', { parameters: { word: 'value' } })
  expect(said.body).toMatchObject({ output: 'value\n' })

  // Approvals: run by hand, by themselves, rejected, withdrawn, revoked, still waiting, and of a terminal.
  const byHand = await asked()
  await rest.review(byHand, 'APPROVED')
  expect((await rest.runApproved(byHand)).body).toMatchObject({ output: 'approved\n' })
  const byItself = await asked({ when_approved: true })
  await rest.review(byItself, 'APPROVED')
  await waitFor(async () => (await rest.session(byItself)).status === 'done')
  await rest.review(await asked(), 'REJECTED')
  await rest.kill(await asked())
  const revoked = await asked()
  await rest.review(revoked, 'APPROVED')
  await rest.review(revoked, 'REVOKED')
  await asked()
  // Long requests and reviews have a short form for lists.
  await asked({ labels: { note: 'n'.repeat(9000) }, client_args: ['a'.repeat(5000)] })

  // A batch, with and without approval, and schedules.
  const file = { file_name: 'ops/mark.runbook.sh' }
  const batch = await send('POST', '/batches', { ...file, connections: ['bash', 'ruled'] })
  await waitFor(
    async () => String((await send('GET', `/batches/${String(batch['id'])}`))['status']) === 'done',
  )
  await send('POST', '/batches', { ...file, connections: ['reviewed'] })
  await send('POST', '/schedules/nightly/run')
  await send('POST', '/schedules/broken/run')
  await send('POST', '/schedules/nightly/pause')

  // Terminals and native clients.
  expect((await command('connect', 'pg', '--run', 'psql -X -c "select 1"')).code).toBe(0)
  await talk(site)

  // People, machines, groups and tokens.
  await send('POST', '/users', { email: 'bot', kind: 'machine', groups: ['dba'], budget: { runs: 9 } })
  await send('POST', '/users', { email: 'eve@example.test' })
  await send('POST', '/users/groups', { name: 'auditors' })
  const token = await send('POST', '/tokens', { name: 'ci', user: 'bot' })
  await rest.send(
    'POST',
    '/api/sessions',
    '{"connection":"bash","script":"echo bot"}',
    String(token['token']),
  )
  await send('POST', `/tokens/${String(token['id'])}/rotate`, {})
  await send('DELETE', `/tokens/${String((await send('POST', '/tokens', { name: 'gone' }))['id'])}`)
  await send('PUT', '/users/eve@example.test', { status: 'inactive' })
}

async function talk(site: Site): Promise<void> {
  const env = { ...site.place.env, HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  await using terminal = await Console.start([process.execPath, main, 'connect', 'console'], { environment })
  await terminal.says(/remote\$ $/)
  terminal.type('echo "$((6 * 7))"; exit\r')
  await terminal.says(/^42\r?$/m)
  await terminal.ended
}

function emptyTables(file: string): string[] {
  const db = new Database(file)
  try {
    const sql = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
    const tables = db.prepare(sql).raw().all([]).flat().map(String)
    return tables.filter((table) => db.prepare(`SELECT 1 FROM ${table} LIMIT 1`).raw().get([]) === undefined)
  } finally {
    db.close()
  }
}
