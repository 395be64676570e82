import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { REASON_HEADER } from '../../../src/wire/messages/from-client.ts'
import { JiraServer } from '../../support/scripted/jira.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, type Answer } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { TEMPLATE } from '../jira/template.ts'

// Connections that run nothing without a reason, by each entrance.

const MAPPINGS = `mapping_types: { items: [{ type: preset, jira_field: description, value: session.reason }] }`
const CONNECTIONS = `
  - { name: strict, agent: local, command: [bash], env: { OWN_TOKEN: connection-secret }, reason: required, runbooks: { repository: rb } }
  - { name: ticketed, agent: local, command: [bash], reason: required, jira: t, runbooks: { repository: rb } }
  - { name: reviewed, agent: local, command: [bash], env: { OWN_TOKEN: connection-secret }, reason: optional, review: { groups: [dba] }, runbooks: { repository: rb } }
  - { name: db, agent: local, type: database, subtype: postgres, command: [psql], reason: required }
  - name: partly
    agent: local
    command: [bash]
    reason: required
    runbooks: { repository: rb, review: [{ path: 'ops/free.*', groups: [], reason: optional }, { path: 'ops/**', groups: [] }] }`
const SCHEDULES = `
schedules:
  - { name: says, cron: '0 3 * * *', connection: strict, runbook: ops/a.runbook.sh, as: admin, reason: nightly report }
  - { name: silent, cron: '0 3 * * *', connection: strict, runbook: ops/a.runbook.sh, as: admin }`

let jira: JiraServer
let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  jira = await JiraServer.start()
  gateway = await RunningGateway.start(
    { 'ops/a.runbook.sh': 'echo a', 'ops/free.runbook.sh': 'echo free' },
    { connections: CONNECTIONS, more: `${SCHEDULES}\njira: ${jira.settings(`{ ${TEMPLATE} ${MAPPINGS} }`)}` },
  )
  agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
  await agent.serving()
  // The repository's git process starts with the first read and stays.
  await gateway.exec({ file_name: 'ops/a.runbook.sh' })
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  await jira[Symbol.asyncDispose]()
})
beforeEach(() => void (jira.rest.received.length = 0))

const missing = { status: 422, code: 'reason-missing' }
const coded = ({ status, body }: Answer) => ({ status, code: body['code'] })
const session = async (id: unknown) => (await gateway.request('GET', `/api/sessions/${String(id)}`)).body
const count = async () => (await gateway.request('GET', '/api/sessions?limit=1')).body['total']
const client = (connection: string, verb: string, more = {}) =>
  new ScriptedClient(gateway.gateway.grpc, { 'connection-name': connection, verb, ...more })

describe('a connection that requires a reason', () => {
  it('runs no script, runbook or batch without one, and records and asks nothing', async () => {
    const sessions = await count()
    const file = { file_name: 'ops/a.runbook.sh' }
    const refused = [
      await gateway.script('echo x', { connection: 'strict' }),
      await gateway.script('echo x', { connection: 'strict', reason: '  ' }),
      await gateway.exec(file, 'strict'),
      await gateway.exec(file, 'ticketed'),
      await gateway.request('POST', '/api/runbooks/exec', {
        ...file,
        connection_name: 'strict',
        repository: 'rb',
      }),
      await gateway.request('POST', '/api/batches', { ...file, connections: ['reviewed', 'strict'] }),
    ]
    expect(refused.map(coded)).toEqual(refused.map(() => missing))
    expect(await count()).toBe(sessions)
    expect(jira.rest.received).toEqual([])
  })

  it('shows a runbook before it has a reason', async () => {
    const body = { file_name: 'ops/a.runbook.sh', connection_name: 'strict' }
    expect((await gateway.request('POST', '/api/runbooks/render', body)).body['script']).toBe('echo a')
  })

  it('keeps the reason with the session, without the secrets of the connection', async () => {
    const { body } = await gateway.script('echo x', {
      connection: 'strict',
      reason: 'ticket 7, connection-secret',
    })
    expect(body['exit_code']).toBe(0)
    expect(await session(body['session_id'])).toMatchObject({ reason: 'ticket 7, [REDACTED]' })
  })

  it('cannot have its reason changed by the metadata', async () => {
    const { body } = await gateway.script('true', { connection: 'strict', reason: 'first' })
    const id = String(body['session_id'])
    await gateway.request('PATCH', `/api/sessions/${id}/metadata`, {
      metadata: { reason: 'other' },
      reason: 'other',
    })
    expect(await session(id)).toMatchObject({ reason: 'first' })
  })

  it('refuses reasons that would read differently than they are written, or are too long', async () => {
    const bad = ['a\nb', 'a\u0000', 'a\u202Eb', 'a\u2028b', 'x'.repeat(1001)]
    const answers = await Promise.all(
      bad.map((reason) => gateway.script('true', { connection: 'strict', reason })),
    )
    expect(answers.map(coded)).toEqual(bad.map(() => ({ status: 400, code: 'invalid-request' })))
    const { body } = await gateway.script('true', { connection: 'strict', reason: 'é'.repeat(1000) })
    expect(body['exit_code']).toBe(0)
  })

  it.each(['exec', 'connect'])(
    'opens no %s stream without one, which the clients of hoop cannot send',
    async (verb) => {
      await using silent = client('strict', verb)
      silent.open()
      expect((await silent.over()).metadata.get('runbook-agent-code')).toEqual(['reason-missing'])
      await using bad = client('strict', verb, { [REASON_HEADER]: encodeURIComponent('a\u202Eb') })
      expect((await bad.over()).metadata.get('runbook-agent-code')).toEqual(['invalid-request'])
    },
  )

  it('runs what a stream asks for with a reason', async () => {
    await using exec = client('strict', 'exec', { [REASON_HEADER]: encodeURIComponent('größer, 7') })
    expect(await exec.exec('echo x')).toMatchObject({ code: 0, stdout: 'x\n' })
    expect(await session(await exec.sid())).toMatchObject({ reason: 'größer, 7' })
  })

  it('opens no port for native clients without one', async () => {
    await using port = client('db', 'connect')
    port.open('')
    expect((await port.over()).metadata.get('runbook-agent-code')).toEqual(['reason-missing'])
  })

  it('leaves it to a rule for runbooks by path', async () => {
    const run = async (file_name: string) => coded(await gateway.exec({ file_name }, 'partly'))
    expect(await run('ops/free.runbook.sh')).toMatchObject({ status: 200 })
    expect(await run('ops/a.runbook.sh')).toEqual(missing)
    const body = { file_name: 'ops/free.runbook.sh', connections: ['partly', 'strict', 'bash'] }
    const { body: foreseen } = await gateway.request('POST', '/api/runbooks/foresee', body)
    const { body: script } = await gateway.request('POST', '/api/sessions/foresee', { connection: 'partly' })
    expect([...(foreseen as unknown as { reason: unknown }[])].map(({ reason }) => reason)).toEqual([
      'optional',
      'required',
      null,
    ])
    expect(script['reason']).toBe('required')
  })

  it('gives it to Jira in a block that it cannot leave', async () => {
    const reason = 'see {noformat} [x|http://evil] {NOFORMAT}'
    const { body } = await gateway.exec({ file_name: 'ops/a.runbook.sh', reason }, 'ticketed')
    const issue = jira.issues.find(({ key }) => key === body['jira_issue_key'])
    expect(issue?.fields['description']).toBe(
      '{noformat}see { noformat} [x|http://evil] { NOFORMAT}{noformat}',
    )
  })

  it('has a schedule say its reason in the settings, and tells of one that does not', async () => {
    const started = await gateway.request('POST', '/api/schedules/says/run')
    const id = String(started.body['session_id'])
    await waitFor(async () => (await session(id))['status'] === 'done')
    expect(await session(id)).toMatchObject({ reason: 'nightly report' })
    const silent = await gateway.request('POST', '/api/schedules/silent/run')
    expect(silent.body).toMatchObject({ code: 'reason-missing', session_id: null })
    const { body } = await gateway.request('GET', '/api/schedules/silent')
    expect(body['problem']).toMatch(/reason/)
  })
})

describe('a review', () => {
  it('shows the reason to approvers, redacted, in a batch, too, and every run has it', async () => {
    const asked = {
      file_name: 'ops/a.runbook.sh',
      connections: ['reviewed'],
      reason: 'refund 7, connection-secret',
      when_approved: true,
    }
    const { body: batch } = await gateway.request('POST', '/api/batches', asked)
    const { session_id: id } = batch['review'] as { session_id: string }
    const { body: review } = await gateway.request('GET', `/api/reviews/${id}`)
    expect(review).toMatchObject({ reason: 'refund 7, [REDACTED]', reason_need: 'optional' })
    const { body: list } = await gateway.request('GET', '/api/reviews')
    expect(list).toMatchObject([{ session: id, reason: 'refund 7, [REDACTED]' }])
    await gateway.request(
      'PUT',
      `/api/reviews/${id}`,
      { status: 'APPROVED' },
      { authorization: `Bearer ${otherToken}` },
    )
    await waitFor(async () => (await session(id))['status'] === 'done')
    expect(await session(id)).toMatchObject({ exit_code: 0, reason: 'refund 7, [REDACTED]' })
  })
})
