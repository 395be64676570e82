import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { CODE_TRAILER } from '../../../src/wire/gateway-codes.ts'
import { flood } from '../../support/network/flood.ts'
import { JIRA_TOKEN, JiraServer } from '../../support/scripted/jira.ts'
import { json, type Script } from '../../support/scripted/scripted-rest.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, type Answer } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { TEMPLATE } from './template.ts'

const MAPPINGS = `mapping_types: { items: [
  { type: preset, jira_field: description, value: session.script },
  { type: preset, jira_field: customfield_1, value: session.webapp_link }] },`
const PROMPTS = `prompt_types: { items: [{ label: Squad, jira_field: customfield_2, field_type: select, required: true }] },
  cmdb_types: { items: [{ jira_field: customfield_3, required: true }] }`
const TEMPLATES = `{ ${TEMPLATE} ${MAPPINGS} }, { ${TEMPLATE.replace('name: t', 'name: asks')} ${PROMPTS} }`
const CONNECTIONS = `
  - { name: ticketed, agent: local, command: [bash], env: { OWN_TOKEN: connection-secret }, jira: t, runbooks: { repository: rb } }
  - { name: asking, agent: local, command: [bash], jira: asks, access: { groups: [admin] } }
  - { name: closed, agent: local, command: [bash], jira: t, access: { exec: false } }
  - { name: reviewed, agent: local, command: [bash], jira: t, review: { groups: [dba] } }`

/** An execution that a gateway before this one has asked Jira for. */
function left(session: string, key?: string) {
  const request = JSON.stringify({
    ...{
      origin: 'client-api',
      verb: 'exec',
      connection: 'ticketed',
      connectionType: 'custom',
      user: 'admin',
    },
    ...{ labels: { a: 'b' }, metadata: {} },
  })
  const site = { site: 'http://127.0.0.1:1', project: 'OPS', target: 'done', movesFailed: true }
  const asked = { session, askedAt: Date.now(), gateway: 'before', request, ...site }
  return (history: History) =>
    history.write(({ issues }) => {
      issues.ask(asked)
      if (key !== undefined) issues.keep(session, { key, url: `http://127.0.0.1:1/browse/${key}` })
    })
}

const before = [
  left('00000000-0000-4000-8000-000000000001', 'OPS-900'),
  left('00000000-0000-4000-8000-000000000002'),
]

let server: JiraServer
let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  server = await JiraServer.start()
  gateway = await RunningGateway.start(
    { 'ops/pw.runbook.sh': 'echo {{ .pw | type "password" }}' },
    {
      connections: `${CONNECTIONS}\njira: ${server.settings(TEMPLATES, 'timeout: 1s,')}`,
      prepare: (state) => {
        const history = openHistory(path.join(state, 'history.sqlite'))
        for (const leave of before) leave(history)
        history.close()
      },
    },
  )
  agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
  await agent.serving()
  // The repository's git process starts with the first read and stays.
  await gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: '1' } })
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})
beforeEach(() => {
  server.rest.received.length = 0
  server.answers('list', server.scriptOf('list')).answers('create', server.scriptOf('create'))
})

const script = (text: string, connection = 'ticketed', more = {}) =>
  gateway.script(text, { connection, ...more })
const session = async (id: unknown) => (await gateway.request('GET', `/api/sessions/${String(id)}`)).body
const count = async () => (await gateway.request('GET', '/api/sessions?limit=1')).body['total']
const refusal = ({ status, body }: Answer) => [status, body['code'], body['message']]
const keyOf = ({ body }: Answer) => String(body['jira_issue_key'])
const issueOf = (key: string) => server.issues.find((issue) => issue.key === key)
const moved = (id: unknown) =>
  waitFor(async () => {
    const { jira_transition: move } = await session(id)
    return (move as { status: string }).status !== 'pending'
  })

describe('an execution on a connection with a template', () => {
  it('has its issue before it runs, in the answer and with the session, and the issue is moved when it has ended', async () => {
    const answer = await script('echo $OWN_TOKEN connection-secret')
    const { body } = answer
    const key = keyOf(answer)
    expect(body).toMatchObject({ exit_code: 0, jira_issue_key: key, jira_issue_url: server.link(key) })
    const sid = String(body['session_id'])
    expect(issueOf(key)?.fields).toEqual({
      summary: 'Hoop Session',
      description: '{code:shell}echo $OWN_TOKEN [REDACTED]{code}',
      customfield_1: `${gateway.gateway.http}/sessions/${sid}`,
    })
    await moved(sid)
    expect(issueOf(key)?.status).toBe('Done')
    expect(await session(sid)).toMatchObject({
      integrations_metadata: { jira_issue_key: key, jira_issue_url: server.link(key) },
      jira_transition: { status: 'done', attempts: 0, error: null },
    })
  })

  it('is found by the key of its issue, in any case of letters, among others', async () => {
    const [first, second] = [keyOf(await script('true')), keyOf(await script('true'))]
    const listed = async (keys: string) => {
      const { body } = await gateway.request(
        'GET',
        `/api/sessions?jira_issue_key=${encodeURIComponent(keys)}`,
      )
      return (body['data'] as { integrations_metadata: { jira_issue_key: string } }[]).map(
        (one) => one.integrations_metadata.jira_issue_key,
      )
    }
    expect(await listed(` ${first.toLowerCase()} ,nope`)).toEqual([first])
    expect(await listed(`${first},${second}`)).toEqual([second, first])
    expect(await listed('nope')).toEqual([])
  })

  it('sends no value of a secret parameter to Jira', async () => {
    const body = { file_name: 'ops/pw.runbook.sh', parameters: { pw: 'hunter2-and-more' } }
    const key = keyOf(await gateway.exec(body, 'ticketed'))
    expect(issueOf(key)?.fields['description']).toBe('{code:shell}echo [REDACTED]{code}')
  })

  it('is asked for the fields that its template requires', async () => {
    const sessions = await count()
    expect(refusal(await script('true', 'asking', { jira_fields: { customfield_3: 'w:1' } }))).toEqual([
      ...[422, 'invalid-jira-fields'],
      'unable to parse fields, missing required fields: ["customfield_2"]',
    ])
    expect(refusal(await script('true', 'asking', { jira_fields: { customfield_2: 'Blue' } }))).toEqual([
      ...[422, 'invalid-jira-fields'],
      'unable to parse fields, missing required fields: ["customfield_3"]',
    ])
    expect([server.requests, await count()]).toEqual([[], sessions])
    const fields = { customfield_2: 'Blue', customfield_3: 'w:1', summary: 'dropped' }
    const key = keyOf(await script('true', 'asking', { jira_fields: fields }))
    expect(issueOf(key)?.fields).toEqual({
      ...{ summary: 'Hoop Session', customfield_2: { value: 'Blue' }, customfield_3: [{ id: 'w:1' }] },
    })
  })

  it.each([
    [
      'too many metadata',
      { metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, ''])) },
      422,
    ],
    ['a correlation id that is too long', { correlation_id: 'x'.repeat(256) }, 422],
  ])('leaves no issue behind when it is refused for %s', async (_, more, status) => {
    expect((await script('true', 'ticketed', more)).status).toBe(status)
    expect(server.requests).toEqual([])
  })

  it('leaves no issue behind when scripts are not allowed there', async () => {
    const { body } = await script('true', 'closed')
    expect(body).toMatchObject({ code: 'not-permitted', exit_code: -2 })
    expect([server.requests, (await session(body['session_id']))['integrations_metadata']]).toEqual([
      [],
      null,
    ])
  })

  it.each<[string, 'list' | 'create', Script, RegExp]>([
    ['it has no such project', 'list', json(200, { values: [] }), /^unable to find project key OPS$/],
    [
      'it answers with an error',
      'create',
      json(400, { errorMessage: 'no' }),
      /^unable to create jira issue, status=400, body=\{"errorMessage":"no"\}$/,
    ],
    [
      'it answers nonsense',
      'create',
      (_, response) => void response.writeHead(201).end('<html>'),
      /Jira may have created an issue nevertheless$/,
    ],
    [
      'it refuses the token',
      'list',
      (_, response) => void response.writeHead(401).end(`no ${JIRA_TOKEN}`),
      /status=401, body=no \[REDACTED\]$/,
    ],
    [
      'it closes the connection',
      'create',
      (_, response) => void response.socket?.destroy(),
      /EOF; Jira may have created an issue/,
    ],
    [
      'it sends 500 MB',
      'list',
      (_, response) => void flood(response, 200),
      /the answer is longer than 1048576 bytes$/,
    ],
    [
      'it is too slow',
      'create',
      () => undefined,
      /the request took too long \(jira\.timeout\); Jira may have created an issue nevertheless$/,
    ],
  ])('does not run, and leaves no session, when Jira fails: %s', async (_, call, answer, text) => {
    const sessions = await count()
    server.answers(call, answer)
    const failed = await script('touch /dev/null')
    expect(refusal(failed).slice(0, 2)).toEqual([500, 'jira-failed'])
    const [beginning, reason] = String(failed.body['message']).split(
      /(?<=failed creating jira customer request: )/,
    )
    expect(beginning).toBe('failed creating jira customer request: ')
    expect(reason).toMatch(text)
    expect(await count()).toBe(sessions)
  })

  it('has the token in no log, record and answer', async () => {
    const answer = await gateway.request('GET', '/api/integrations/jira')
    expect(answer.body).toEqual({
      ...{ id: 'jira', url: server.url, user: 'gateway@example.test', api_token: '', status: 'enabled' },
    })
    expect(gateway.log.join('\n')).not.toContain(JIRA_TOKEN)
    expect(gateway.log.join('\n')).toContain('Jira issue created')
  })

  it('that waits for approval keeps its issue open until it has run', async () => {
    const asked = await script('echo approved', 'reviewed')
    const key = keyOf(asked)
    const sid = String(asked.body['session_id'])
    expect(asked.body).toMatchObject({ has_review: true })
    const as = { authorization: `Bearer ${otherToken}` }
    await gateway.request('PUT', `/api/reviews/${sid}`, { status: 'APPROVED' }, as)
    expect(issueOf(key)?.status).toBe('Open')
    const run = await gateway.request('POST', `/api/sessions/${sid}/exec`)
    expect(run.body).toMatchObject({ output: 'approved\n', jira_issue_key: key })
    await moved(sid)
    expect(issueOf(key)?.status).toBe('Done')
  })

  it('that is rejected leaves its issue as it is', async () => {
    const asked = await script('echo rejected', 'reviewed')
    const sid = String(asked.body['session_id'])
    const as = { authorization: `Bearer ${otherToken}` }
    await gateway.request('PUT', `/api/reviews/${sid}`, { status: 'REJECTED' }, as)
    await moved(sid)
    expect((await session(sid))['jira_transition']).toMatchObject({ status: 'skipped' })
    expect(issueOf(keyOf(asked))?.status).toBe('Open')
  })
})

describe('a command line on a connection with a template', () => {
  const client = (connection: string) =>
    new ScriptedClient(gateway.gateway.grpc, { 'connection-name': connection, verb: 'exec' })

  it('gets an issue as well', async () => {
    await using exec = client('ticketed')
    exec.open('exit 3')
    expect(await exec.exec('exit 3')).toMatchObject({ code: 3 })
    const { body } = await gateway.request('GET', '/api/sessions?limit=1')
    const [{ integrations_metadata: metadata } = { integrations_metadata: {} }] = body['data'] as never[]
    expect(metadata).toEqual({
      jira_issue_key: server.issues.at(-1)?.key,
      jira_issue_url: expect.any(String) as string,
    })
  })

  it('that sends a wrong packet while it waits for approval leaves session and issue waiting, as the log says', async () => {
    await using exec = client('reviewed')
    exec.open('echo kept')
    const { spec } = await exec.packet('ClientSessionOpenWaitingApproval')
    const sid = String(spec['gateway.session_id'])
    exec.send({ kind: 'exec', stdin: Buffer.from('echo kept') })
    await exec.over()
    await waitFor(() => gateway.log.some((line) => line.startsWith('client refused')))
    expect(gateway.log.filter((line) => line.includes('could not begin') && line.includes(sid))).toEqual([])
    const as = { authorization: `Bearer ${otherToken}` }
    await gateway.request('PUT', `/api/reviews/${sid}`, { status: 'APPROVED' }, as)
    const run = await gateway.request('POST', `/api/sessions/${sid}/exec`)
    expect(run.body).toMatchObject({ output: 'kept\n', jira_issue_key: server.issues.at(-1)?.key })
  })

  it('is refused where fields are required, since it gives none, and where Jira fails', async () => {
    await using asking = client('asking')
    asking.open('true')
    const refused = await asking.over()
    expect([refused.code, refused.metadata.get(CODE_TRAILER)[0]]).toEqual([3, 'invalid-jira-fields'])
    server.answers('create', json(400, {}))
    await using failing = client('ticketed')
    failing.open('true')
    const failed = await failing.over()
    expect([failed.code, failed.metadata.get(CODE_TRAILER)[0]]).toEqual([13, 'jira-failed'])
    expect(failed.details).toContain('failed creating jira customer request: ')
  })
})

describe('templates', () => {
  it('are shown in the form of hoop to those who may use their connections', async () => {
    const all = await gateway.request('GET', '/api/integrations/jira/issuetemplates')
    expect((all.body as unknown as { id: string }[]).map(({ id }) => id)).toEqual(['t', 'asks'])
    const one = await gateway.request('GET', '/api/integrations/jira/issuetemplates/asks')
    expect(one.body).toMatchObject({
      ...{ id: 'asks', name: 'asks', project_key: 'OPS', request_type_id: '25', connection_ids: ['asking'] },
      prompt_types: {
        items: [{ label: 'Squad', jira_field: 'customfield_2', field_type: 'select', required: true }],
      },
    })
    const as = { authorization: `Bearer ${otherToken}` }
    const hidden = await gateway.request('GET', '/api/integrations/jira/issuetemplates/asks', undefined, as)
    expect(refusal(hidden)).toEqual([404, 'jira-template-not-found', 'resource not found'])
    const connection = await gateway.request('GET', '/api/connections/asking')
    expect(connection.body['jira_issue_template_id']).toBe('asks')
  })
})

describe('what a gateway that was killed has asked Jira for', () => {
  it('is shown as a session that has not run, with the key that is known', async () => {
    expect(await session('00000000-0000-4000-8000-000000000001')).toMatchObject({
      ...{ status: 'done', exit_code: 254, user: 'admin', labels: { a: 'b' } },
      integrations_metadata: { jira_issue_key: 'OPS-900' },
    })
    const text = await gateway.request(
      'GET',
      '/api/sessions/00000000-0000-4000-8000-000000000001?expand=event_stream&event_stream=utf8',
    )
    expect(text.body['event_stream']).toEqual([
      'gateway stopped before the session began: nothing has run. The Jira issue of the session is OPS-900',
    ])
    await moved('00000000-0000-4000-8000-000000000001')
  })

  it('is shown as a session that has not run, with the question whether there is an issue', async () => {
    const { body } = await gateway.request(
      'GET',
      '/api/sessions/00000000-0000-4000-8000-000000000002?expand=event_stream&event_stream=utf8',
    )
    expect(body).toMatchObject({ exit_code: 254, integrations_metadata: null })
    expect(String(body['event_stream'])).toMatch(
      /^gateway stopped while it asked Jira for an issue: nothing has run\. Jira may have created an issue in OPS at 20/,
    )
  })
})
