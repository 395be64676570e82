import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../../src/gateway/rest/resources.ts'
import { base64 } from '../../support/scripted/open.ts'
import { Gate } from '../../support/gate.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway } from '../../support/sites/running-gateway.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { waitFor } from '../../support/wait.ts'

// One gateway and one agent for the whole file: what is tested is the interface, as a client sees it.

let gateway: RunningGateway
let agent: RunningAgent
let firstCommit: string

const connections = `
  - { name: secretive, agent: local, command: [bash], env: { FROM_CONNECTION: connection }, access: { groups: [dba] } }
  - { name: plain, agent: local, command: [bash] }
  - { name: closed, agent: local, command: [bash], runbooks: { repository: rb }, access: { exec: false, runbooks: false } }
  - { name: reviewed, agent: local, command: [bash], runbooks: { repository: rb }, access: { exec: false } }
  - { name: away, agent: local2, command: [bash] }`

beforeAll(async () => {
  gateway = await RunningGateway.start(
    {
      'ops/hello.runbook.sh':
        'echo "hello {{ .name | required "who?" }} $1"; cat "$FILE" 2>/dev/null; {{ .pw | default "x" | type "password" | asenv "PW" }}echo $PW',
      'ops/declared.runbook.sh':
        '{{ .pw | type "password" | minlength "8" | asenv "PW" }}echo {{ .count | type "number" }}',
      'ops/passed.runbook.sh':
        '{{ .folder | asenv "FOLDER" }}{{ .other | asenv "API_TOKEN" }}{{ .passphrase | asenv "P" }}echo ok',
      'ops/blocks.runbook.sh':
        '{{ if .isNew }}{{ .code | type "password" | asenv "CODE" }}{{ end }}echo "$CODE"',
      'ops/version.sh': 'echo one',
      'ops/fail.sh': 'echo before; exit 7',
      'secret/other.sh': 'echo no',
    },
    { connections: connections.replace('local2', 'local'), limits: '{ wait: 4s, body: 64KiB }' },
  )
  firstCommit = gateway.commit({ 'ops/version.sh': 'echo two' })
  gateway.commit({ 'ops/version.sh': 'echo three' })
  agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
  await agent.serving()
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.exec({ file_name: 'ops/version.sh' })
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})
beforeEach(() => expect(agent.agent.state.name).toBe('serving'))

it('an operation that needs no token reads at most 8 KiB of a body', async () => {
  const open = Object.entries(OPERATIONS).filter(
    ([, { role, body }]) => role === 'public' && body !== undefined,
  )
  expect(open.length).toBeGreaterThan(3)
  for (const [name] of open) {
    const url = name.replace('POST ', '')
    const body = { unknown: 'x'.repeat(8 * 1024) }
    const { status } = await gateway.request('POST', url, body, { authorization: '' })
    expect([name, status]).toEqual([name, 413])
  }
})

describe('POST /api/plugins/runbooks/connections/{name}/exec', () => {
  it('runs a runbook with parameters, variables, secret files and arguments', async () => {
    const { status, body } = await gateway.exec({
      file_name: 'ops/hello.runbook.sh',
      parameters: { name: 'world', pw: 'pass' },
      env_vars: { 'filesystem:FILE': base64('content\n'), 'envvar:PW': base64('loses against asenv') },
      client_args: ['-s', '--', 'argument'],
      metadata: { ticket: 7 },
      session_batch_id: 'batch',
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      has_review: false,
      session_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      output: 'hello world argument\ncontent\npass\n',
      output_status: 'success',
      truncated: false,
      execution_time: expect.any(Number) as number,
      exit_code: 0,
      ai_analysis: null,
    })
  })

  it('answers 200 for a script that fails, with its code and output', async () => {
    const { status, body } = await gateway.exec({ file_name: 'ops/fail.sh' })
    expect([status, body['exit_code'], body['output_status'], body['output']]).toEqual([
      200,
      7,
      'failed',
      'before\n',
    ])
  })

  it('answers 400 for a parameter that is not what the runbook declares, without its value', async () => {
    const pw = 'gWx7Q'
    const asked = { file_name: 'ops/declared.runbook.sh', parameters: { count: '1', pw } }
    const short = await gateway.exec(asked)
    expect([short.status, short.body]).toEqual([
      400,
      { message: 'parameter pw needs at least 8 characters', code: 'invalid-parameters' },
    ])
    const code = await gateway.exec({ ...asked, parameters: { count: '1; id', pw: `${pw}${pw}` } })
    expect([code.status, code.body]).toEqual([
      400,
      { message: 'parameter count has to be a number', code: 'invalid-parameters' },
    ])
    const kept = await gateway.exec({ ...asked, parameters: { count: '1', pw: `${pw}${pw}` } })
    expect([kept.status, kept.body['output']]).toEqual([200, '1\n'])
  })

  it('reads the file as of ref_hash', async () => {
    const old = await gateway.exec({ file_name: 'ops/version.sh', ref_hash: firstCommit })
    const now = await gateway.exec({ file_name: 'ops/version.sh' })
    expect([old.body['output'], now.body['output']]).toEqual(['two\n', 'three\n'])
  })

  it.each([
    [
      'an unknown connection',
      'nope',
      { file_name: 'ops/a.runbook.sh' },
      404,
      'connection-not-found',
      'connection not found',
    ],
    [
      'a connection without runbooks',
      'plain',
      { file_name: 'ops/fail.sh' },
      422,
      'runbooks-not-configured',
      'plugin is not enabled for this connection',
    ],
    [
      'a file that does not exist',
      'bash',
      { file_name: 'ops/none.sh' },
      404,
      'runbook-not-found',
      'runbook file ops/none.sh not found on git repo',
    ],
    [
      'a file outside the path of the connection',
      'bash',
      { file_name: 'secret/other.sh' },
      404,
      'runbook-not-found',
      'runbook file secret/other.sh not found',
    ],
    [
      'a path that climbs',
      'bash',
      { file_name: 'ops/../secret/other.sh' },
      400,
      'invalid-request',
      'ops/../secret/other.sh',
    ],
    [
      'a missing parameter',
      'bash',
      { file_name: 'ops/hello.runbook.sh' },
      400,
      'invalid-parameters',
      'the following inputs are missing [name]',
    ],
    [
      'an empty required parameter',
      'bash',
      { file_name: 'ops/hello.runbook.sh', parameters: { name: '' } },
      400,
      'invalid-parameters',
      'error calling required: who?',
    ],
    [
      'an unknown commit',
      'bash',
      { file_name: 'ops/fail.sh', ref_hash: '0'.repeat(40) },
      404,
      'runbook-not-found',
      'ref_hash',
    ],
    [
      'a ref_hash that is an option',
      'bash',
      { file_name: 'ops/fail.sh', ref_hash: '--all' },
      400,
      'invalid-request',
      'ref_hash',
    ],
    ['no file name', 'bash', {}, 400, 'invalid-request', 'file_name: is required'],
    [
      'a parameter that is no text',
      'bash',
      { file_name: 'ops/a.runbook.sh', parameters: { x: 1 } },
      400,
      'invalid-request',
      'parameters.x',
    ],
    [
      'arguments that are no list',
      'bash',
      { file_name: 'ops/fail.sh', client_args: 'x' },
      400,
      'invalid-request',
      'client_args',
    ],
    [
      'metadata with too many fields',
      'bash',
      {
        file_name: 'ops/fail.sh',
        metadata: Object.fromEntries([...Array(21).keys()].map((i) => [`k${i}`, 1])),
      },
      422,
      'invalid-request',
      'metadata field must have less than 10 fields',
    ],
    [
      'a metadata value that is too long',
      'bash',
      { file_name: 'ops/fail.sh', metadata: { k: 'x'.repeat(2500) } },
      422,
      'invalid-request',
      '2500 characteres',
    ],
    [
      'a correlation id that is not ASCII',
      'bash',
      { file_name: 'ops/fail.sh', correlation_id: 'ü' },
      422,
      'invalid-request',
      'printable ASCII',
    ],
    ['a body that is no object', 'bash', [], 400, 'invalid-request', 'request body'],
    ['broken JSON', 'bash', '{"file_name":', 400, 'invalid-request', 'request body'],
    ['an empty body', 'bash', '', 400, 'invalid-request', 'request body'],
    ['a body that is too large', 'bash', { file_name: 'x'.repeat(70_000) }, 413, 'too-large', 'too large'],
  ])('refuses %s', async (_, connection, body, status, code, text) => {
    const answer = await gateway.exec(body, connection)
    expect(answer.status).toBe(status)
    expect(answer.body).toEqual({ message: expect.stringContaining(text) as string, code })
  })

  it('reads JSON whatever the content type says', async () => {
    const url = '/api/plugins/runbooks/connections/bash/exec'
    const asForm = { 'content-type': 'application/x-www-form-urlencoded' }
    const json = await gateway.request('POST', url, { file_name: 'ops/version.sh' }, asForm)
    const form = await gateway.request('POST', url, 'a=b', asForm)
    const nameless = await gateway.request('POST', url, { file_name: 'x' }, { 'content-type': ';' })
    expect([json.status, form.status, nameless.status]).toEqual([200, 400, 415])
    expect(form.body).toEqual({ message: 'request body: is not valid JSON', code: 'invalid-request' })
  })

  it.each(['env_vars', 'parameters', 'metadata', 'jira_fields'])(
    'takes an object for %s, or null, and no list, text or number',
    async (field) => {
      const status = async (value: unknown) =>
        (await gateway.exec({ file_name: 'ops/version.sh', [field]: value })).status
      const values = [{}, null, [], ['a'], 'a', 7, true]
      expect(await Promise.all(values.map(status))).toEqual([200, 200, 400, 400, 400, 400, 400])
    },
  )

  it('reads null for a text as an empty one, and refuses anything else that is none', async () => {
    const file_name = 'ops/hello.runbook.sh'
    const empty = await gateway.exec({ file_name, parameters: { name: 'x', pw: null }, client_args: [null] })
    expect([empty.status, empty.body['exit_code']]).not.toContain(400)
    for (const wrong of [7, true, {}, ['a']]) {
      const { status, body } = await gateway.exec({ file_name, parameters: { name: wrong } })
      expect([status, body['message']]).toEqual([400, 'parameters.name: must be a string'])
    }
    // The contract takes any JSON there.
    const metadata = { a: 7, b: null, c: [1], d: { e: true } }
    expect((await gateway.exec({ file_name, parameters: { name: 'x' }, metadata })).status).toBe(200)
  })

  it('refuses no token and a wrong one', async () => {
    const url = '/api/plugins/runbooks/connections/bash/exec'
    const none = await gateway.request('POST', url, {}, { authorization: '' })
    const wrong = await gateway.request('POST', url, {}, { authorization: 'Bearer wrong' })
    expect([none.status, wrong.status]).toEqual([401, 401])
    expect(wrong.body).toEqual({ message: 'access denied', code: 'unauthenticated' })
  })

  it('takes an api key as well', async () => {
    const { status } = await gateway.request(
      'POST',
      '/api/sessions',
      { connection: 'bash' },
      { authorization: '', 'api-key': otherToken },
    )
    expect(status).toBe(200)
  })

  it('passes over fields of newer clients', async () => {
    expect(
      (await gateway.exec({ file_name: 'ops/version.sh', something_new: { a: 1 }, jira_fields: { a: 'b' } }))
        .status,
    ).toBe(200)
  })

  it('answers as hoop when a use of the connection is switched off', async () => {
    const runbook = await gateway.exec({ file_name: 'ops/fail.sh' }, 'closed')
    const exec = await gateway.script('echo ran', { connection: 'closed' })
    expect([runbook.status, runbook.body['code'], runbook.body['output']]).toEqual([
      200,
      'not-permitted',
      'rpc error: code = FailedPrecondition desc = runbooks is disabled for this connection',
    ])
    expect([exec.body['exit_code'], exec.body['output_status']]).toEqual([-2, 'failed'])
  })
})

describe('the REST interface', () => {
  it('lets nobody bring arguments or variables to a connection without exec, where they would be scripts', async () => {
    const body = { file_name: 'ops/version.sh' }
    const plain = await gateway.exec(body, 'reviewed')
    const args = await gateway.exec({ ...body, client_args: ['-c', 'echo mine'] }, 'reviewed')
    const env = await gateway.exec(
      { ...body, env_vars: { 'filesystem:BASH_ENV': base64('echo mine') } },
      'reviewed',
    )
    expect([plain.body['output'], args.status, env.status]).toEqual(['three\n', 403, 403])
  })

  it('is healthy without a token, and says what is no endpoint', async () => {
    const health = await gateway.request('GET', '/api/healthz', undefined, { authorization: '' })
    expect(health).toEqual({ status: 200, body: { liveness: 'OK' } })
    const readiness = await gateway.request('GET', '/readyz', undefined, { authorization: '' })
    expect(readiness).toEqual({ status: 200, body: { status: 'ready' } })
    expect((await gateway.request('GET', '/api/nope')).body).toEqual({
      message: 'no such endpoint: GET /api/nope',
      code: 'endpoint-not-found',
    })
  })
})

describe('POST /api/runbooks/exec', () => {
  it('runs the runbook of a repository named by name or by key', async () => {
    const body = { connection_name: 'bash', file_name: 'ops/version.sh' }
    const byName = await gateway.request('POST', '/api/runbooks/exec', { ...body, repository: 'rb' })
    const byKey = await gateway.request('POST', '/api/runbooks/exec', {
      ...body,
      repository: gateway.repository,
    })
    expect([byName.body['output'], byKey.body['output']]).toEqual(['three\n', 'three\n'])
  })

  it.each([
    [
      'an unknown repository',
      { connection_name: 'bash', repository: 'x' },
      400,
      'runbook repository config x not found',
    ],
    [
      'a connection that may not use it',
      { connection_name: 'plain', repository: 'rb' },
      403,
      'user is not allowed to run this runbook on this connection',
    ],
    ['no repository', { connection_name: 'bash' }, 400, 'repository: is required'],
  ])('refuses %s', async (_, body, status, text) => {
    const answer = await gateway.request('POST', '/api/runbooks/exec', {
      file_name: 'ops/version.sh',
      ...body,
    })
    expect([answer.status, answer.body['message']]).toEqual([status, text])
  })
})

describe('POST /api/sessions', () => {
  it('runs a script', async () => {
    const { status, body } = await gateway.script('echo out; echo err >&2; exit 3')
    expect([status, body['exit_code'], body['output_status']]).toEqual([200, 3, 'failed'])
    expect(String(body['output']).split('\n').sort()).toEqual(['', 'err', 'out'])
  })

  it('reports what the agent refuses as hoop does: 200, failed, 254', async () => {
    const { status, body } = await gateway.script('echo ran', { env_vars: { 'weird:X': 'eA==' } })
    expect([status, body['exit_code'], body['output_status']]).toEqual([200, 254, 'failed'])
    expect(body['output']).toBe('unknow environment variable type "weird", accepted: "filesystem", "envvar"')
  })

  it('replaces bytes that are not UTF-8 by U+FFFD and joins a character that came in two pieces', async () => {
    const { body } = await gateway.script(`printf '\\xe2\\x98'; sleep 0.1; printf '\\x83\\xff'`)
    expect(body['output']).toBe('☃\ufffd')
  })

  it('hides connections of other groups', async () => {
    const mine = await gateway.script('echo $FROM_CONNECTION', { connection: 'secretive' })
    const theirs = await gateway.request(
      'POST',
      '/api/sessions',
      { connection: 'secretive', script: 'echo $FROM_CONNECTION' },
      { authorization: `Bearer ${otherToken}` },
    )
    expect([mine.status, mine.body['message']]).toEqual([400, 'connection secretive not found'])
    expect(theirs.body['output']).toBe('connection\n')
  })

  it('answers 202 after the wait, and the execution goes on', async () => {
    using place = new Workplace()
    using gate = new Gate(place)
    const { status, body } = await gateway.script(`echo begin; ${gate.script} echo end; exit 4`)
    expect(status).toBe(202)
    expect(body).toMatchObject({ output: '', output_status: 'running', exit_code: -2, execution_time: 0 })
    const url = `/api/sessions/${String(body['session_id'])}`
    expect((await gateway.request('GET', url)).body['status']).toBe('open')
    gate.open()
    await waitFor(async () => (await gateway.request('GET', url)).body['status'] === 'done')
    const { body: session } = await gateway.request('GET', `${url}?expand=event_stream&event_stream=utf8`)
    expect(session).toMatchObject({ exit_code: 4, event_stream: ['begin\nend\n'] })
  })
})

describe('GET /api/sessions/{id}', () => {
  it('shows who ran what, without the values that are secrets', async () => {
    const { body } = await gateway.exec({
      file_name: 'ops/hello.runbook.sh',
      parameters: { name: 'n', pw: 'very-secret' },
      metadata: { a: 1 },
    })
    const { body: session } = await gateway.request('GET', `/api/sessions/${String(body['session_id'])}`)
    expect(session).toMatchObject({
      user_name: 'admin',
      connection: 'bash',
      verb: 'exec',
      status: 'done',
      exit_code: 0,
      metadata: { a: 1 },
    })
    const { runbookParameters = '', ...labels } = session['labels'] as Record<string, string>
    expect(labels).toEqual({
      runbookFile: 'ops/hello.runbook.sh',
      runbookCommit: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
      runbookRepository: 'rb',
    })
    expect(JSON.parse(runbookParameters)).toEqual({
      name: 'n',
      pw: '[not recorded]',
    })
    expect(JSON.stringify(session)).not.toContain('very-secret')
  })

  it('records no password that only a block of the runbook uses, whether the block is used or not', async () => {
    for (const isNew of ['', 'yes']) {
      const parameters = { isNew, code: 'block-value' }
      const { body } = await gateway.exec({ file_name: 'ops/blocks.runbook.sh', parameters })
      const { body: session } = await gateway.request('GET', `/api/sessions/${String(body['session_id'])}`)
      const { runbookParameters = '' } = session['labels'] as Record<string, string>
      expect(JSON.parse(runbookParameters)).toEqual({ isNew, code: '[not recorded]' })
      expect(JSON.stringify(session)).not.toContain('block-value')
    }
  })

  it('records what went into a variable, unless one of the two names sounds like a secret', async () => {
    const { body } = await gateway.exec({
      file_name: 'ops/passed.runbook.sh',
      parameters: { folder: '/var/log', other: 'other-value', passphrase: 'passed-value' },
    })
    const { body: session } = await gateway.request('GET', `/api/sessions/${String(body['session_id'])}`)
    const { runbookParameters = '' } = session['labels'] as Record<string, string>
    expect(JSON.parse(runbookParameters)).toEqual({
      folder: '/var/log',
      other: '[not recorded]',
      passphrase: '[not recorded]',
    })
  })

  it('gives the events raw, as text or as base64', async () => {
    const { body } = await gateway.script('echo hi')
    const url = `/api/sessions/${String(body['session_id'])}?expand=event_stream`
    const raw = (await gateway.request('GET', url)).body['event_stream'] as [number, string, string][]
    expect(
      raw.map(([seconds, kind, bytes]) => [typeof seconds, kind, Buffer.from(bytes, 'base64').toString()]),
    ).toEqual([
      ['number', 'i', 'echo hi'],
      ['number', 'o', 'hi\n'],
    ])
    expect((await gateway.request('GET', `${url}&event_stream=base64`)).body['event_stream']).toEqual([
      base64('hi\n'),
    ])
  })

  it('does not show the sessions of others, except to admins', async () => {
    const theirs = await gateway.request(
      'POST',
      '/api/sessions',
      { connection: 'bash' },
      { authorization: `Bearer ${otherToken}` },
    )
    const mine = await gateway.script('')
    const other = (id: unknown) =>
      gateway.request('GET', `/api/sessions/${String(id)}`, undefined, {
        authorization: `Bearer ${otherToken}`,
      })
    expect((await gateway.request('GET', `/api/sessions/${String(theirs.body['session_id'])}`)).status).toBe(
      200,
    )
    expect((await other(mine.body['session_id'])).status).toBe(404)
    expect((await gateway.request('GET', '/api/sessions/no-such-session')).status).toBe(404)
  })
})

describe('POST /api/sessions/{id}/kill', () => {
  it('ends the execution, answers 204 also for one that has ended, and 404 for an unknown one', async () => {
    const waiting = gateway.script('echo begin; sleep 1000')
    const id = await startedSession()
    expect((await gateway.request('POST', `/api/sessions/${id}/kill`)).status).toBe(204)
    const { status, body } = await waiting
    expect([status, body['exit_code'], body['output_status']]).toEqual([200, -2, 'failed'])
    expect(body['code']).toBe('session-killed')
    expect(body['output']).toContain('rpc error: code = Unknown desc = session killed by the user')
    await waitFor(() => agent.services.slots.taken === 0)
    expect((await gateway.request('POST', `/api/sessions/${id}/kill`)).status).toBe(204)
    expect((await gateway.request('POST', '/api/sessions/nope/kill')).status).toBe(404)
  })

  async function startedSession(): Promise<string> {
    await waitFor(() => agent.services.slots.taken > 0)
    const line = gateway.log.findLast((entry) => entry.startsWith('session started')) ?? ''
    return (JSON.parse(line.slice('session started '.length)) as { sid: string }).sid
  }
})
