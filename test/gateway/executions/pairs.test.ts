import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { JiraServer } from '../../support/scripted/jira.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, type Answer } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { TEMPLATE } from '../jira/template.ts'

// Pairs of runbooks: a comment of the second one names the first one, which runs before it as its dry run.

const ANN = 'token-of-ann-0123456789'
const BEA = 'token-of-bea-0123456789'
const GUS = 'token-of-gus-0123456789'
const BOT = 'token-of-bot-0123456789'
const USERS = `
  - { name: ann, token: ${ANN}, groups: [dev] }
  - { name: bea, token: ${BEA}, groups: [sre] }
  - { name: gus, token: ${GUS}, groups: [dev] }
  - { name: bot, kind: machine, token: ${BOT}, groups: [dba] }`
const CONNECTIONS = `
  - { name: asks, agent: local, command: [bash], runbooks: { repository: rb, review: [{ path: 'ops/*.dry.*', groups: [] }] }, review: { groups: [dba] } }
  - { name: both, agent: local, command: [bash], runbooks: { repository: rb }, review: { groups: [dba] } }
  - { name: narrow, agent: local, command: [bash], runbooks: { repository: rb, path: ops/real/ } }
  - { name: told, agent: local, command: [bash], reason: required, runbooks: { repository: rb } }
  - { name: ticketed, agent: local, command: [bash], jira: t, runbooks: { repository: rb } }
  - { name: gone, agent: elsewhere, command: [bash], runbooks: { repository: rb } }`
const SCHEDULES = `
schedules:
  - { name: nightly, cron: '0 3 * * *', connection: bash, runbook: ops/delete.runbook.sh, as: admin, parameters: { id: '7' } }`

const VALUE = '{{ .id | asenv "ID" }}\n{{ .pw | default "none" | type "password" | asenv "PW" }}\n'
const folder = mkdtempSync(path.join(tmpdir(), 'pairs-'))
const TENANTS = path.join(folder, 'tenants')
const tenants = (...all: readonly string[]) => writeFileSync(TENANTS, all.join('\n'))
const CHOSEN =
  '{{/* options-from tenant ops/tenants.dry.runbook.sh */}}{{ .tenant | default "acme" | asenv "TENANT" }}'
const FILES = {
  'ops/delete.runbook.sh': `# Delete an account\n{{/* first: ops/delete.dry.runbook.sh */}}\n${VALUE}echo "deleted $ID"`,
  'ops/delete.dry.runbook.sh': `# Show an account\n${VALUE}echo "would delete $ID $NOTE $*"; test "$ID" != bad`,
  'ops/gone.runbook.sh': '{{/* first: ops/nowhere.sh */}}\necho',
  'ops/third.runbook.sh': '{{/* first: ops/delete.runbook.sh */}}\n{{ .id | asenv "ID" }}\necho',
  'ops/itself.runbook.sh': '{{/* first: ops/itself.runbook.sh */}}\necho',
  'ops/real/a.runbook.sh': '{{/* first: ops/delete.dry.runbook.sh */}}\necho',
  'ops/usual.runbook.sh':
    '{{/* first: ops/usual.dry.runbook.sh */}}\n{{ .id | default "7" | asenv "ID" }}\necho "deleted $ID"',
  'ops/usual.dry.runbook.sh': '{{ .id | default "8" | asenv "ID" }}\necho "would delete $ID"',
  'ops/plain.runbook.sh': 'echo plain',
  'ops/chosen.runbook.sh': `{{/* first: ops/chosen.dry.runbook.sh */}}${CHOSEN}echo "deleted $TENANT"`,
  'ops/chosen.dry.runbook.sh': `${CHOSEN}echo "would delete $TENANT"`,
  'ops/half.runbook.sh': `{{/* first: ops/half.dry.runbook.sh */}}${CHOSEN}echo "deleted $TENANT"`,
  'ops/half.dry.runbook.sh': '{{ .tenant | asenv "TENANT" }}echo "would delete $TENANT"',
  'ops/tenants.dry.runbook.sh': `cat ${TENANTS}`,
}
const DELETE = 'ops/delete.runbook.sh'
const DRY = 'ops/delete.dry.runbook.sh'

const settings = (connections = CONNECTIONS) => ({
  connections,
  users: USERS,
  more: `${SCHEDULES}\njira: ${jira.settings(`{ ${TEMPLATE} }`)}`,
  agents: '{ name: elsewhere, key: xagt-another-key-0123456789 }',
  limits: '{ agent-wait: 300ms }',
})

let jira: JiraServer
let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  jira = await JiraServer.start()
  gateway = await RunningGateway.start(FILES, settings())
  agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
  await agent.serving()
  // The repository's git process starts with the first read and stays.
  await gateway.exec({ file_name: 'ops/plain.runbook.sh' })
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  await jira[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const as = (token: string) => ({ authorization: `Bearer ${token}` })
type More = Readonly<Record<string, unknown>>
const asked = (more: More = {}): More => ({ file_name: DELETE, parameters: { id: '7' }, ...more })
const request = (more: More = {}, connection = 'bash', token = ANN): Promise<Answer> =>
  gateway.request('POST', `/api/plugins/runbooks/connections/${connection}/exec`, asked(more), as(token))
const idOf = ({ body }: Answer) => String(body['session_id'])
const coded = ({ status, body }: Answer) => [status, body['code']]
const session = async (id: string, token = ANN) =>
  (await gateway.request('GET', `/api/sessions/${id}`, undefined, as(token))).body
const review = async (id: string, token = otherToken) =>
  (await gateway.request('GET', `/api/reviews/${id}`, undefined, as(token))).body
const count = async () => (await gateway.request('GET', '/api/sessions?limit=1')).body['total']
const ran = async (more: More = {}, connection = 'bash', token = ANN) =>
  idOf(await request({ first: 'run', ...more }, connection, token))

describe('a runbook that names a first one', () => {
  it('is refused without it, and nothing is recorded', async () => {
    const before = await count()
    const alone = await request()
    expect(coded(alone)).toEqual([422, 'first-missing'])
    expect(alone.body['message']).toContain(DRY)
    const inRepository = { ...asked(), connection_name: 'bash', repository: 'rb' }
    expect(coded(await gateway.request('POST', '/api/runbooks/exec', inRepository))).toEqual([
      422,
      'first-missing',
    ])
    expect(await count()).toBe(before)
  })

  it('is named with it in lists and previews', async () => {
    const { body: list } = await gateway.request('GET', '/api/runbooks?connection_name=bash')
    const [{ items }] = list['repositories'] as [{ items: { name: string; first?: string }[] }]
    expect(items.find(({ name }) => name === DELETE)?.first).toBe(DRY)
    expect(items.find(({ name }) => name === DRY)).not.toHaveProperty('first')
    const body = { ...asked(), connection_name: 'bash' }
    const { body: preview } = await gateway.request('POST', '/api/runbooks/render', body)
    expect(preview).toMatchObject({ first: DRY, script: expect.stringContaining('deleted') as string })
  })

  it('runs after it, with the same commit, connection and values, and both sessions know each other', async () => {
    const values = { parameters: { id: '7', pw: 'hidden-1' }, env_vars: { 'envvar:NOTE': 'bm90ZQ==' } }
    const first = await request({ first: 'run', ...values })
    expect(first.body).toMatchObject({ exit_code: 0, output: 'would delete 7 note \n' })
    expect(await session(idOf(first))).toMatchObject({
      labels: { runbookFile: DRY, runbookFirstOf: DELETE },
      second: { file: DELETE, session: null },
    })
    const second = await request({ first: idOf(first), ...values })
    expect(second.body).toMatchObject({ exit_code: 0, output: 'deleted 7\n' })
    const [one, two] = [await session(idOf(first)), await session(idOf(second))]
    expect(one['second']).toEqual({ file: DELETE, session: idOf(second) })
    expect(two['first']).toMatchObject({
      session: idOf(first),
      file: DRY,
      exit_code: 0,
      end_date: one['end_date'],
    })
    expect(two['first']).toMatchObject({ state: { name: 'succeeded' }, event_size: 21 })
    const commit = (of: Record<string, unknown>) => (of['labels'] as { runbookCommit: string }).runbookCommit
    expect(commit(one)).toBe(commit(two))
    expect(JSON.stringify([one, two])).not.toMatch(/hidden-1|runbookFirst(Digest|Target)/)
  })

  it('gives its own defaults to the first one, whose defaults may be others', async () => {
    const usual = { file_name: 'ops/usual.runbook.sh', parameters: {} }
    const first = await request({ ...usual, first: 'run' })
    expect(first.body['output']).toBe('would delete 7\n')
    expect((await request({ ...usual, first: idOf(first) })).body['output']).toBe('deleted 7\n')
  })

  it('may be run over the endpoint of the repository, too', async () => {
    const body = { ...asked({ first: 'run' }), connection_name: 'bash', repository: 'rb' }
    const first = await gateway.request('POST', '/api/runbooks/exec', body)
    const second = await gateway.request('POST', '/api/runbooks/exec', { ...body, first: idOf(first) })
    expect(second.body['output']).toBe('deleted 7\n')
  })

  it('does not run after a run with other values, arguments, variables, or on another connection', async () => {
    const first = await ran({ client_args: ['-s', 'x'] })
    const others: [More, string?][] = [
      [{}],
      [{ client_args: ['-s', 'y'] }],
      [{ client_args: ['-s', 'x'], parameters: { id: '8' } }],
      [{ client_args: ['-s', 'x'], parameters: { id: '7', pw: 'other' } }],
      [{ client_args: ['-s', 'x'], env_vars: { 'envvar:NOTE': 'eA==' } }],
      [{ client_args: ['-s', 'x'] }, 'asks'],
    ]
    for (const [more, connection] of others)
      expect(coded(await request({ first, ...more }, connection))).toEqual([409, 'first-void'])
    // The default of a parameter that the first request left out is the same value.
    const parameters = { pw: 'none', id: '7' }
    expect((await request({ first, client_args: ['-s', 'x'], parameters })).status).toBe(200)
  })

  it('does not run after a run at another commit, but runs at the commit of that run', async () => {
    const first = await ran()
    const { runbookCommit: ref_hash } = (await session(first))['labels'] as { runbookCommit: string }
    gateway.commit({ 'ops/more.runbook.sh': 'echo' })
    const moved = await request({ first })
    expect(coded(moved)).toEqual([409, 'first-void'])
    expect(moved.body['message']).toContain(ref_hash.slice(0, 12))
    expect((await request({ first, ref_hash })).body['output']).toBe('deleted 7\n')
  })

  it("does not run after another user's run, a run of the first one by itself, or a label of a script", async () => {
    const alone = idOf(await request({ file_name: DRY }))
    const labels = { runbookFirstOf: DELETE, runbookFile: DRY, runbookFirstDigest: 'x' }
    const script = idOf(
      await gateway.request('POST', '/api/sessions', { connection: 'bash', script: 'true', labels }, as(ANN)),
    )
    const voids = [await ran({}, 'bash', GUS), alone, script, 'no-such-session']
    for (const first of voids) expect(coded(await request({ first }))).toEqual([409, 'first-void'])
  })

  it('runs once after each first run, also if it is requested twice at the same time', async () => {
    // While Jira makes the issue, the session does not exist yet.
    const first = await ran({}, 'ticketed')
    const both = await Promise.all([request({ first }, 'ticketed'), request({ first }, 'ticketed')])
    expect(both.map(coded).toSorted()).toEqual([
      [200, undefined],
      [409, 'first-void'],
    ])
    expect(coded(await request({ first }, 'ticketed'))).toEqual([409, 'first-void'])
    expect(jira.issues).toHaveLength(2)
  })

  it('runs after a failed first run only if the request says so, and approvers see it', async () => {
    const parameters = { id: 'bad' }
    const first = await ran({ parameters }, 'asks')
    const refused = await request({ first, parameters }, 'asks')
    expect(coded(refused)).toEqual([409, 'first-failed'])
    expect(refused.body['message']).toContain('failed (1)')
    const second = await request({ first, parameters, despite_first: true }, 'asks')
    expect(second.body['has_review']).toBe(true)
    expect((await review(idOf(second)))['first']).toMatchObject({ state: { name: 'failed' }, exit_code: 1 })
  })

  it('never runs after a first run that did not begin', async () => {
    const first = await ran({}, 'gone')
    expect((await session(first))['began_at']).toBeNull()
    expect(coded(await request({ first, despite_first: true }, 'gone'))).toEqual([409, 'first-failed'])
  })

  it('waits for the end of the first run', async () => {
    const first = await ran({}, 'both')
    const waiting = await request({ first, despite_first: true }, 'both')
    expect(coded(waiting)).toEqual([409, 'first-unfinished'])
    expect(waiting.body['message']).toContain('waits for approval')
  })

  it.each([
    ['ops/gone.runbook.sh', 404, 'runbook-not-found', 'ops/nowhere.sh'],
    ['ops/third.runbook.sh', 400, 'invalid-runbook', DRY],
    ['ops/itself.runbook.sh', 400, 'invalid-runbook', 'ops/itself.runbook.sh'],
  ])('says why %s cannot begin', async (file_name, status, code, named) => {
    const refused = await request({ file_name, first: 'run' })
    expect(coded(refused)).toEqual([status, code])
    expect(refused.body['message']).toContain(named)
    expect(refused.body['message']).toContain(file_name)
  })

  it('has a first one only in the folder of the connection', async () => {
    const refused = await request({ file_name: 'ops/real/a.runbook.sh', first: 'run' }, 'narrow')
    expect(coded(refused)).toEqual([404, 'runbook-not-found'])
  })

  it('needs a reason in both requests if the connection does', async () => {
    expect(coded(await request({ first: 'run' }, 'told'))).toEqual([422, 'reason-missing'])
    const first = await ran({ reason: 'ticket 7' }, 'told')
    expect(coded(await request({ first }, 'told'))).toEqual([422, 'reason-missing'])
    // The refused request has not used up the first run.
    expect((await request({ first, reason: 'ticket 7, now' }, 'told')).body['output']).toBe('deleted 7\n')
  })

  it('is refused as a batch and by a schedule, whose problem says why', async () => {
    const batch = await gateway.request('POST', '/api/batches', { ...asked(), connections: ['bash', 'asks'] })
    expect(coded(batch)).toEqual([422, 'first-missing'])
    expect(batch.body['message']).toMatch(/^a batch cannot run ops\/delete/)
    const run = await gateway.request('POST', '/api/schedules/nightly/run')
    expect(run.body).toMatchObject({ code: 'first-missing', session_id: null })
    const { body } = await gateway.request('GET', '/api/schedules/nightly')
    expect(body['problem']).toMatch(/^a schedule cannot run ops\/delete/)
  })
})

describe('a runbook without a first one', () => {
  it('is refused with one, so that nobody waits for a dry run that never was', async () => {
    const first = await ran()
    for (const wish of ['run', first])
      expect(coded(await request({ file_name: 'ops/plain.runbook.sh', first: wish }))).toEqual([
        409,
        'first-void',
      ])
  })
})

describe('an approval of the second runbook', () => {
  const output = async (id: string, token: string) => {
    const { status, body } = await gateway.request(
      'GET',
      `/api/sessions/${id}?event_stream=utf8&expand=event_stream`,
      undefined,
      as(token),
    )
    return status === 200 ? body['event_stream'] : status
  }

  it('shows the first run, whose output its approvers may read, and nobody else', async () => {
    const first = await ran({}, 'asks')
    expect(await output(first, otherToken)).toBe(404)
    const second = idOf(await request({ first }, 'asks'))
    expect((await review(second))['first']).toMatchObject({ session: first, state: { name: 'succeeded' } })
    expect(await output(first, otherToken)).toEqual(['would delete 7  \n'])
    expect(await output(second, otherToken)).toBeUndefined()
    expect(await output(first, BEA)).toBe(404)
    // A machine in the group of the approvers decides nothing.
    expect(await output(first, BOT)).toBe(404)
  })

  it('lets the gateway itself run the second one with what was approved', async () => {
    const first = await ran({ when_approved: true }, 'asks')
    const second = idOf(await request({ first, when_approved: true }, 'asks'))
    await gateway.request('PUT', `/api/reviews/${second}`, { status: 'APPROVED' }, as(otherToken))
    await waitFor(async () => (await session(second))['status'] === 'done')
    expect(await session(second)).toMatchObject({ exit_code: 0, first: { session: first } })
    expect(await output(second, ANN)).toEqual(['deleted 7\n'])
  })
})

describe('a pair whose parameter has a live list', () => {
  let tick = 0
  const moves = () => gateway.commit({ 'counter.txt': String((tick += 1)) })
  const chosen = (more: More, connection = 'bash', file = 'chosen') =>
    request({ file_name: `ops/${file}.runbook.sh`, parameters: { tenant: 'acme' }, ...more }, connection)

  it('runs both with a value of the list, also with the default', async () => {
    tenants('acme', 'zeta')
    moves()
    for (const parameters of [{ tenant: 'zeta' }, {}]) {
      const first = await chosen({ first: 'run', parameters })
      const second = await chosen({ first: idOf(first), parameters })
      const tenant = parameters.tenant ?? 'acme'
      expect([first.body['output'], second.body['output']]).toEqual([
        `would delete ${tenant}\n`,
        `deleted ${tenant}\n`,
      ])
    }
  })

  it('refuses the first one with another value, and begins nothing', async () => {
    tenants('zeta')
    moves()
    const before = await count()
    expect(coded(await chosen({ first: 'run' }))).toEqual([409, 'choice-gone'])
    expect(coded(await chosen({ first: 'run', parameters: {} }))).toEqual([409, 'choice-gone'])
    expect(await count()).toBe(before)
  })

  it('refuses the second one when the value has gone since', async () => {
    tenants('acme')
    moves()
    // Only the second runbook has the list, so no copy of it is there when the second one asks.
    const first = idOf(await chosen({ first: 'run' }, 'bash', 'half'))
    tenants('zeta')
    expect(coded(await chosen({ first }, 'bash', 'half'))).toEqual([409, 'choice-gone'])
  })

  it('asks the list again when an approved second one runs', async () => {
    tenants('acme')
    moves()
    const first = idOf(await chosen({ first: 'run', file_name: 'ops/half.runbook.sh' }, 'asks'))
    const second = idOf(await chosen({ first }, 'asks', 'half'))
    expect(second).not.toBe('undefined')
    await gateway.request('PUT', `/api/reviews/${second}`, { status: 'APPROVED' }, as(otherToken))
    const run = await gateway.request('POST', `/api/sessions/${second}/exec`, undefined, as(ANN))
    expect(run.body['output']).toBe('deleted acme\n')
  })
})

describe('a reload that changes where the connection of a pair runs', () => {
  const reload = async (from = '', to = '') => {
    gateway.configure(settings(CONNECTIONS.replace(from, to)))
    return (await gateway.request('POST', '/api/reload')).body
  }
  const approved = async (id: string) => {
    await gateway.request('PUT', `/api/reviews/${id}`, { status: 'APPROVED' }, as(otherToken))
    return (): Promise<Answer> => gateway.request('POST', `/api/sessions/${id}/exec`, undefined, as(ANN))
  }
  const moves: [string, string, string][] = [
    ['a variable', 'name: asks, agent: local,', 'name: asks, agent: local, env: { SHOP: two },'],
    [
      'the command',
      'name: asks, agent: local, command: [bash]',
      'name: asks, agent: local, command: [bash, -e]',
    ],
    ['the agent', 'name: asks, agent: local', 'name: asks, agent: elsewhere'],
  ]

  it.each(moves)('voids a first run before its second request: %s', async (_, from, to) => {
    const first = await ran({}, 'asks')
    await reload(from, to)
    const refused = await request({ first }, 'asks')
    expect(coded(refused)).toEqual([409, 'first-void'])
    expect(refused.body['message']).toContain('the settings of connection asks have changed')
    await reload()
    expect((await request({ first }, 'asks')).status).toBe(200)
  })

  it('stops a second run that was approved before, and says so before the reload', async () => {
    const first = await ran({}, 'asks')
    const second = idOf(await request({ first }, 'asks'))
    const run = await approved(second)
    const [, from = '', to = ''] = moves[0] ?? []
    gateway.configure(settings(CONNECTIONS.replace(from, to)))
    const { body } = await gateway.request('GET', '/api/settings/changes')
    expect(body['waiting']).toContainEqual(
      expect.objectContaining({ session_id: second, effect: 'blocked' }) as object,
    )
    await gateway.request('POST', '/api/reload')
    expect(coded(await run())).toEqual([409, 'first-void'])
    await reload()
    expect((await run()).body['output']).toBe('deleted 7\n')
  })

  it('stops a first run that waits for its approval, which would show something else than it says', async () => {
    const first = await ran({}, 'both')
    const run = await approved(first)
    await reload('name: both, agent: local,', 'name: both, agent: local, env: { SHOP: two },')
    expect(coded(await run())).toEqual([409, 'first-void'])
    await reload()
    expect((await run()).body['output']).toContain('would delete 7')
  })

  it('keeps a pair if only rules of the connection change', async () => {
    const first = await ran({}, 'asks')
    await reload('name: asks, agent: local,', 'name: asks, agent: local, confirm: true,')
    expect((await request({ first }, 'asks')).status).toBe(200)
    await reload()
  })
})
