import { rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { base64 } from '../../../support/scripted/open.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { otherToken, RunningGateway } from '../../../support/sites/running-gateway.ts'

const connections = `
  - { name: sql, agent: local, command: [psql], runbooks: { repository: rb, path: sql, confirm: ['sql/*'] }, env: { PASS: very-secret },
      access: { groups: [dba], exec: false } }
  - { name: all, agent: local, command: [bash], runbooks: { repository: rb } }
  - { name: off, agent: local, command: [bash], runbooks: { repository: rb }, access: { runbooks: false } }
  - { name: none, agent: local, command: [bash] }`

const form = [
  '{{ .customer | description "the id of the customer" | required "which one?" | type "number" | order "1" }}',
  '{{ .country | options "US" "BR" | type "select" | default "US" | placeholder "pick" }}',
  '{{ .code | pattern "^[A-Z]+$" | minlength "2" | maxlength "8" }}',
  '{{ .pw | type "password" | asenv "PW" }}{{ with .only_in_a_block }}{{ . }}{{ end }}',
].join('\n')

let gateway: RunningGateway
let commit: string
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { connections })
  commit = gateway.commit({
    'ops/form.runbook.sh': form,
    'ops/broken.runbook.sh': 'echo {{ .x | nonsense }}',
    'sql/report.runbook.sql': 'select {{ .id }}',
    'sqlx/beside.runbook.sql': 'select 1',
    'top.runbook.sh': '#!/bin/sh\n# The top\n#\n# All of it.\necho top',
    'ops/plain.sh': 'echo plain',
  })
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.request('GET', '/api/runbooks')
})
afterAll(() => gateway[Symbol.asyncDispose]())

const asOther = { authorization: `Bearer ${otherToken}` }
const get = (url: string, headers: Record<string, string> = {}) =>
  gateway.request('GET', url, undefined, headers)

const plainParameter = { description: '', required: false, type: 'text' }
const items = {
  a: { name: 'ops/a.runbook.sh', metadata: { x: plainParameter }, error: null, block_metadata: {} },
  broken: {
    name: 'ops/broken.runbook.sh',
    metadata: {},
    error: expect.stringMatching(/^template parse error: .*function "nonsense" not defined/) as string,
  },
  form: {
    name: 'ops/form.runbook.sh',
    metadata: {
      customer: {
        ...{ description: 'the id of the customer', required: true, type: 'number', order: 1 },
        required_text: 'which one?',
      },
      country: {
        ...plainParameter,
        type: 'select',
        default: 'US',
        placeholder: 'pick',
        options: ['US', 'BR'],
      },
      code: { ...plainParameter, pattern: '^[A-Z]+$', minlength: '2', maxlength: '8' },
      pw: { ...plainParameter, type: 'password', asenv: 'PW' },
    },
    error: null,
    block_metadata: { only_in_a_block: plainParameter },
  },
  report: {
    name: 'sql/report.runbook.sql',
    metadata: { id: plainParameter },
    error: null,
    block_metadata: {},
  },
  beside: { name: 'sqlx/beside.runbook.sql', metadata: {}, error: null, block_metadata: {} },
  top: {
    name: 'top.runbook.sh',
    ...{ metadata: {}, error: null, block_metadata: {}, title: 'The top', description: 'All of it.' },
  },
}
/** As a list for one connection has them. */
const unconfirmed = (item: object) => ({ ...item, confirm: false })
const about = () => ({ commit, commit_author: 't <t@example.test>', commit_message: 'files\n' })
const repository = (...listed: readonly object[]) => ({
  repository: 'rb',
  ...about(),
  items: listed,
})

/** With hoop's deprecated copies. */
const listOf = (...listed: readonly object[]) => ({
  errors: [],
  repositories: [repository(...listed)],
  items: listed,
  ...about(),
})

describe('GET /api/runbooks', () => {
  it('lists the runbooks in the path of a connection, with what they ask for', async () => {
    const { status, body } = await get('/api/runbooks?connection_name=bash&list_connections=false')
    expect([status, body]).toEqual([200, listOf(...[items.a, items.broken, items.form].map(unconfirmed))])
    expect((await get('/api/runbooks?connection=bash')).body).toEqual(body)
  })

  it('lists those of all connections that the user may see, and says on which each can run', async () => {
    const mine = await get('/api/runbooks?list_connections=true')
    const on = (item: object, ...names: string[]) => ({ ...item, connections: names })
    expect(mine.body['repositories']).toEqual([
      repository(
        on(items.a, 'bash', 'all'),
        on(items.broken, 'bash', 'all'),
        on(items.form, 'bash', 'all'),
        on(items.report, 'all'),
        on(items.beside, 'all'),
        on(items.top, 'all'),
      ),
    ])
    const theirs = await get('/api/runbooks?connection_name=sql&list_connections=true', asOther)
    expect(theirs.body['repositories']).toEqual([repository(on({ ...items.report, confirm: true }, 'sql'))])
    const { body } = await get('/api/runbooks?list_connections=true', asOther)
    const [{ items: all } = { items: [] }] = body['repositories'] as { items: object[] }[]
    expect(all).toContainEqual(on(items.report, 'sql', 'all'))
    expect(all).toContainEqual(on(items.beside, 'all'))
    expect(JSON.stringify([mine, theirs])).not.toMatch(/very-secret|psql/)
  })

  it('lists to admins those that no connection runs, when they are asked for', async () => {
    const query = '/api/runbooks?connection_name=bash&list_connections=true&remove_empty_connections=false'
    const { body } = await get(query)
    const on = (item: object, ...names: string[]) => ({ ...unconfirmed(item), connections: names })
    expect(body['items']).toContainEqual(on(items.a, 'bash'))
    expect(body['items']).toContainEqual(on(items.report))
    const theirs = await get(query.replace('bash', 'all'), asOther)
    expect(theirs.body).toEqual((await get(query.replace(/bash(.*)false/, 'all$1true'), asOther)).body)
  })

  it('has nothing for a connection without runbooks, or with access.runbooks off', async () => {
    const nothing = { status: 200, body: { errors: [], repositories: [] } }
    expect(await get('/api/runbooks?connection_name=none')).toEqual(nothing)
    expect(await get('/api/runbooks?connection_name=off')).toEqual(nothing)
  })

  it('does not know a connection of other groups', async () => {
    const missing = { status: 404, body: { message: 'connection not found', code: 'connection-not-found' } }
    expect(await get('/api/runbooks?connection_name=sql')).toEqual(missing)
    expect(await get('/api/runbooks?connection_name=nope')).toEqual(missing)
  })

  it('says which repository cannot be read', async () => {
    const breakIt = (state: string) => rmSync(path.join(state, '..', 'rb', '.git'), { recursive: true })
    await using broken = await RunningGateway.start({}, { prepare: breakIt })
    const { status, body } = await broken.request('GET', '/api/runbooks?connection_name=bash')
    expect(status).toBe(200)
    expect(body).toEqual({
      errors: [expect.stringMatching(/^failed listing runbooks for repo \S+, err=./) as string],
      repositories: [],
    })
    const first = await broken.request('GET', '/api/plugins/runbooks/connections/bash/templates')
    expect([first.status, first.body['message']]).toEqual([422, (body['errors'] as string[])[0]])
  })

  it('gives all of 10,000 runbooks while it answers others, and says when there are more', async () => {
    const files = Object.fromEntries(
      [...Array(10_001).keys()].map((i) => [
        `ops/${i % 20}/${i}.runbook.sh`,
        `echo {{ .p${i} | required "x" }}`,
      ]),
    )
    await using large = await RunningGateway.start(files)
    const list = large.request('GET', '/api/runbooks?connection_name=bash')
    const first = await Promise.race([
      list.then(() => 'list'),
      large.request('GET', '/api/healthz').then(() => 'health'),
    ])
    const { body } = await list
    const [{ items: listed } = { items: [] }] = body['repositories'] as { items: unknown[] }[]
    expect([first, listed.length]).toEqual(['health', 10_000])
    expect(body['errors']).toEqual([expect.stringContaining('has more runbooks or folders than are listed')])
  })
})

describe('the first version', () => {
  it('lists the runbooks of one connection', async () => {
    const { status, body } = await get('/api/plugins/runbooks/connections/bash/templates')
    expect([status, body]).toEqual([200, { items: [items.a, items.broken, items.form], ...about() }])
  })

  it('lists those of all connections', async () => {
    const { body } = await get('/api/plugins/runbooks/templates', asOther)
    const names = (body['items'] as { name: string; connections: string[] }[]).map(
      ({ name, connections: on }) => [name, on],
    )
    expect(names).toContainEqual(['sql/report.runbook.sql', ['sql', 'all']])
    expect(body).toMatchObject(about())
  })

  it('does not know connections of other groups, nor one without runbooks', async () => {
    const url = (name: string) => `/api/plugins/runbooks/connections/${name}/templates`
    expect(await get(url('sql'))).toEqual({
      status: 404,
      body: { message: 'connection not found', code: 'connection-not-found' },
    })
    expect(await get(url('none'))).toEqual({
      status: 404,
      body: {
        message: 'runbooks plugin does not have this connection',
        code: 'runbooks-not-configured',
      },
    })
  })
})

describe('POST /api/runbooks/render', () => {
  const render = (body: object, headers: Record<string, string> = {}) =>
    gateway.request('POST', '/api/runbooks/render', body, headers)
  const request = {
    ...{ connection_name: 'bash', file_name: 'ops/form.runbook.sh' },
    parameters: { customer: '7', code: 'AB', pw: 'hush' },
  }

  it('shows what would be sent, and neither runs nor records anything', async () => {
    await using agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
    const { status, body } = await render({
      ...request,
      env_vars: { 'filesystem:KEY': base64('private'), 'envvar:A': base64('b') },
      client_args: ['-x'],
    })
    expect([status, body]).toEqual([
      200,
      {
        ...{ repository: 'rb', commit, connection: 'bash' },
        script: '7\nUS\nAB\n',
        env_vars: ['envvar:A', 'envvar:PW', 'filesystem:KEY'],
        client_args: ['-x'],
        missing: [],
        secret_parameters: ['pw'],
        marks: [
          { start: 0, end: 1, names: ['customer'] },
          { start: 2, end: 4, names: ['country'] },
          { start: 5, end: 7, names: ['code'] },
        ],
      },
    ])
    expect(agent.entries).toEqual([])
    expect((await get('/api/sessions')).body['total']).toBe(0)
  })

  it('takes the repository by either of its names, and reads the file as of ref_hash', async () => {
    const now = gateway.commit({ 'ops/plain.sh': 'echo newer' })
    const file = { connection_name: 'bash', file_name: 'ops/plain.sh' }
    const newest = await render({ ...file, repository: 'rb' })
    const old = await render({ ...file, repository: gateway.repository, ref_hash: commit })
    expect([newest.body['script'], newest.body['commit']]).toEqual(['echo newer', now])
    expect([old.body['script'], old.body['commit']]).toEqual(['echo plain', commit])
  })

  it.each<[string, object, number, string]>([
    ['a missing parameter', { parameters: { customer: '7', code: 'AB' } }, 400, 'inputs are missing [pw]'],
    [
      'a refused value',
      { parameters: { ...request.parameters, code: 'ab' } },
      400,
      `pattern didn't match:^[A-Z]+$`,
    ],
    ['a broken template', { file_name: 'ops/broken.runbook.sh' }, 400, '"nonsense" not defined'],
    [
      'a file outside the path',
      { file_name: 'top.runbook.sh' },
      404,
      'runbook file top.runbook.sh not found',
    ],
    [
      'a file that does not exist',
      { file_name: 'ops/no.sh' },
      404,
      'runbook file ops/no.sh not found on git repo',
    ],
    ['no file', { file_name: undefined }, 400, 'file_name: is required'],
    ['an unknown repository', { repository: 'x' }, 400, 'runbook repository config x not found'],
    ['an unknown commit', { ref_hash: '0'.repeat(40) }, 404, 'ref_hash'],
    ['an unknown connection', { connection_name: 'nope' }, 404, 'connection not found'],
    ['a connection of other groups', { connection_name: 'sql' }, 404, 'connection not found'],
    [
      'a connection without runbooks',
      { connection_name: 'none' },
      422,
      'plugin is not enabled for this connection',
    ],
    [
      'a connection with runbooks off',
      { connection_name: 'off' },
      403,
      'runbooks is disabled for this connection',
    ],
    ['too much metadata', { metadata: { k: 'x'.repeat(2500) } }, 422, '2500 characteres'],
  ])('refuses %s as an execution does', async (_, change, status, text) => {
    const answer = await render({ ...request, ...change })
    expect([answer.status, answer.body['message']]).toEqual([status, expect.stringContaining(text)])
  })

  it('does not take a folder for one whose name begins with it', async () => {
    const { status, body } = await render(
      { connection_name: 'sql', file_name: 'sqlx/beside.runbook.sql' },
      asOther,
    )
    expect([status, body['message']]).toEqual([404, 'runbook file sqlx/beside.runbook.sql not found'])
  })

  it('refuses arguments and variables where there may be none', async () => {
    const body = { connection_name: 'sql', file_name: 'sql/report.runbook.sql', parameters: { id: '1' } }
    expect((await render(body, asOther)).body['script']).toBe('select 1')
    for (const more of [{ client_args: ['-c'] }, { env_vars: { 'envvar:X': base64('x') } }]) {
      expect((await render({ ...body, ...more }, asOther)).status).toBe(403)
    }
  })
})
