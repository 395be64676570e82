import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { runProgram } from '../../support/sites/program.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { main } from '../../support/sites/program.ts'

const TOKEN = 'the-token-of-a-test-0123456789'

describe('the embedded gateway', () => {
  let gateway: RunningGateway
  let place: Workplace
  beforeAll(async () => {
    place = new Workplace()
    gateway = await RunningGateway.start(
      { 'ops/greet.runbook.sh': 'echo {{ .name | description "who" }} {{ .mood | default "fine" }}' },
      {
        connections: '\n  - { name: pg, agent: local, type: database, subtype: postgres, command: [psql] }',
        // There is no agent.
        limits: '{ agent-wait: 0s }',
      },
    )
    // The repository's git process starts with the first read and stays: it is no leak of a test.
    await gateway.request('GET', '/api/runbooks')
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    place[Symbol.dispose]()
  })
  const client = async (...words: readonly string[]) => {
    const env = { HOOP_APIURL: gateway.gateway.http, HOOP_TOKEN: userToken }
    const { code, stdout, stderr } = await runProgram(place, words, env)
    return { code, stderr, answer: stdout === '' ? undefined : (JSON.parse(stdout) as unknown) }
  }

  it('is asked for runbooks, connections and agents, each a list of its own objects', async () => {
    const runbooks = await client('runbooks', 'list', '--json')
    expect(runbooks).toMatchObject({ code: 0, stderr: '' })
    expect(runbooks.answer).toMatchObject([
      { name: 'ops/a.runbook.sh', connections: ['bash'], repository: 'rb' },
      { name: 'ops/greet.runbook.sh', metadata: { name: { description: 'who' } } },
    ])
    const connections = await client('connections')
    const { body } = await gateway.request('GET', '/api/connections')
    expect(connections).toEqual({ code: 0, stderr: '', answer: body })
    expect(await client('agents', 'list')).toMatchObject({
      answer: [{ name: 'local', status: 'DISCONNECTED' }],
    })
  })

  it('is asked for one of them, in the shape of the list', async () => {
    const [, greet] = (await client('runbooks', 'list')).answer as object[]
    expect((await client('runbooks', 'show', 'ops/greet.runbook.sh')).answer).toEqual(greet)
    expect((await client('connections', 'show', 'pg')).answer).toMatchObject({
      ...{ name: 'pg', type: 'database', native_port: 'postgres' },
    })
    expect((await client('connections', 'show', 'bash')).answer).toMatchObject({ native_port: null })
  })

  it('is asked by other words for the same commands', async () => {
    expect(await client('connection', 'show', 'pg')).toEqual(await client('connections', 'show', 'pg'))
    expect(await client('users', 'show', 'admin')).toEqual(await client('user', 'show', 'admin'))
  })

  it('says who asks, and reads its settings again', async () => {
    const { answer, ...ended } = await client('whoami')
    expect(ended).toEqual({ code: 0, stderr: '' })
    expect(answer).toMatchObject({ name: 'admin', role: 'admin', token: { kind: 'personal' } })
    expect(await client('reload', '--dry-run')).toMatchObject({
      ...{ code: 0, stderr: '', answer: { changes: [], restart_required: [] } },
    })
    expect(await client('reload')).toMatchObject({ code: 0, answer: { changes: [] } })
  })

  it.each([
    [['runbooks', 'show', 'greet'], 'ops/greet.runbook.sh'],
    [['runbooks', 'list', '--connection', 'bahs'], 'bash'],
    [['connections', 'show', 'pgg'], 'pg'],
  ])('does not know %j, and what was meant is said', async (words, meant) => {
    const { code, stderr } = await client(...words)
    expect([code, stderr]).toEqual([64, expect.stringContaining(`did you mean ${meant}?`)])
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('lists the sessions that match runbook, state and time', async () => {
    await gateway.exec({ file_name: 'ops/greet.runbook.sh', parameters: { name: 'x' } })
    await gateway.script('true')
    const files = async (...words: readonly string[]) =>
      (
        (await client('sessions', 'list', ...words)).answer as { labels: { runbookFile?: string } | null }[]
      ).map(({ labels }) => labels?.runbookFile ?? 'script')
    expect(await files()).toEqual(['script', 'ops/greet.runbook.sh'])
    expect(await files('--runbook', 'ops/greet.runbook.sh', '--since', '1h')).toEqual([
      'ops/greet.runbook.sh',
    ])
    expect(await files('--status', 'open')).toEqual([])
    expect(await files('--status', 'done', '--limit', '1')).toEqual(['script'])
    expect(await files('--until', '2026-01-01')).toEqual([])
    const misspelt = await client('sessions', 'list', '--connection', 'bahs')
    expect(misspelt).toEqual({
      ...{ code: 0, answer: [] },
      stderr: 'runbook-agent: no sessions of bahs: did you mean bash?\n',
    })
    const [{ id }] = (await client('sessions')).answer as [{ id: string }]
    const typo = id.slice(0, 7) + (id.at(7) === '0' ? '1' : '0')
    expect((await client('sessions', 'show', typo)).stderr).toContain(`did you mean ${id.slice(0, 8)}?`)
    expect((await client('sessions', 'list', '--since', 'soon')).code).toBe(64)
  })
})

describe('a hoop gateway', () => {
  const ask = (place: Workplace, rest: ScriptedRest, words: readonly string[]) =>
    runProgram(place, words, { HOOP_APIURL: rest.url, HOOP_TOKEN: TOKEN })

  it('is said to lack what it lacks, in one sentence', async () => {
    using place = new Workplace()
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/reviews', (_, response) => response.writeHead(404).end('404 page not found'))
    for (const [words, things, endpoint] of [
      [['agents'], 'agents', 'GET /api/agents'],
      [['connections'], 'connections', 'GET /api/connections'],
      [['reviews'], 'reviews', 'GET /api/reviews'],
      [['runbooks'], 'runbooks', 'GET /api/runbooks'],
      [['sessions'], 'sessions', 'GET /api/sessions'],
    ] as const) {
      const { code, stderr } = await ask(place, rest, words)
      expect([code, stderr]).toEqual([69, expect.stringContaining(`has no ${things}`)])
      expect(stderr).toContain(endpoint)
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    }
  })

  it('gives its older list of runbooks, and empty lists as null', async () => {
    using place = new Workplace()
    await using rest = await ScriptedRest.start()
    const items = [{ name: 'a.runbook.sh', metadata: {}, connections: ['pg'], error: null }]
    rest.on('GET /api/plugins/runbooks/templates', json(200, { items, commit: 'c0ffee' }))
    rest.on('GET /api/agents', json(200, null))
    expect(JSON.parse((await ask(place, rest, ['runbooks'])).stdout)).toEqual([
      { ...items[0], repository: null, commit: 'c0ffee' },
    ])
    expect((await ask(place, rest, ['agents'])).stdout).toBe('[]\n')
  })

  it('says of a repository that it cannot be read, and lists the others', async () => {
    using place = new Workplace()
    await using rest = await ScriptedRest.start()
    const errors = ['failed listing runbooks for repo git.test/x, err=\u001b[2Jrepository not found']
    const repositories = [{ repository: 'r', commit: 'c', items: [{ name: 'a.runbook.sh' }] }]
    rest.on('GET /api/runbooks', json(200, { errors, repositories }))
    const some = await ask(place, rest, ['runbooks'])
    expect([some.code, some.stderr]).toEqual([
      0,
      'runbook-agent: failed listing runbooks for repo git.test/x, err= [2Jrepository not found\n',
    ])
    rest.on('GET /api/runbooks', json(200, { errors, repositories: [] }))
    expect(await ask(place, rest, ['runbooks'])).toMatchObject({ code: 69, stdout: '' })
  })

  it('gives lists as a table or as TSV also to a pipe, on request', async () => {
    using place = new Workplace()
    await using rest = await ScriptedRest.start()
    const name = `a\tb\\c\n\u001b[2J${'x'.repeat(100)}`
    rest.on('GET /api/connections', json(200, [{ name, type: 'custom', subtype: 'tcp', status: 'online' }]))
    const list = (...words: readonly string[]) => ask(place, rest, ['connections', 'list', ...words])
    const tsv = await list('--format', 'tsv')
    expect([tsv.code, tsv.stderr, tsv.stdout.split('\n')]).toEqual([
      0,
      '',
      [
        'NAME\tTYPE\tSTATUS\tAGENT\tOPEN FOR\tTAGS',
        `a\\tb\\\\c\\n\\x1b[2J${'x'.repeat(100)}\tcustom/tcp\tonline\t\t\t`,
        '',
      ],
    ])
    const table = await list('--format', 'table')
    expect(table.stdout).toMatch(/^NAME +TYPE +STATUS +AGENT +OPEN FOR +TAGS\na b\\c \[2Jx{100} +custom\/tcp/)
    expect(await list('--format', 'json')).toEqual(await list())
    expect(await list('--json', '--format', 'tsv')).toMatchObject({
      ...{ code: 64, stdout: '', stderr: expect.stringContaining('exclude each other') as string },
    })
    expect((await list('--format', 'csv')).code).toBe(64)
  })

  it('shows secrets of a connection to nobody through us', async () => {
    using place = new Workplace()
    await using rest = await ScriptedRest.start()
    rest.on(
      'GET /api/connections',
      json(200, [{ name: 'pg', secret: { 'envvar:PASS': 'dmVyeS1zZWNyZXQ=' } }]),
    )
    const { stdout } = await ask(place, rest, ['connections'])
    expect(JSON.parse(stdout)).toEqual([{ name: 'pg', secret: { 'envvar:PASS': null } }])
  })
})

describe.skipIf(!hasTmux)('a list on a terminal (tmux)', () => {
  it('of connections is a table with the names of their agents', async () => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/agents', json(200, [{ id: '5f3a', name: 'site-a' }]))
    const connection = {
      name: 'pg',
      type: 'database',
      subtype: 'postgres',
      status: 'online',
      agent_id: '5f3a',
    }
    rest.on('GET /api/connections', json(200, [{ ...connection, access_mode_exec: 'enabled' }]))
    using place = new Workplace()
    const env = { HOOP_APIURL: rest.url, HOOP_TOKEN: TOKEN, TERM: 'xterm-256color', PS1: '$ ' }
    using screen = new Tmux(place, env)
    screen.enter(`${process.execPath} ${main} connections`)
    await screen.shows(
      /^NAME +TYPE +STATUS +AGENT +OPEN FOR +TAGS$[^]*^pg +database\/postgres +online +site-a +exec$/m,
    )
  })
})

describe.skipIf(!hasTmux)('a reload on a terminal (tmux)', () => {
  const changes = {
    changes: [{ setting: 'users', added: ['dan'], removed: [], changed: ['ann'] }],
    entries: [
      { setting: 'users', name: 'dan', change: 'added', effect: 'opens', values: [] },
      {
        ...{ setting: 'users', name: 'ann', change: 'changed', effect: 'both' },
        values: [
          { name: 'groups', before: 'dev', after: 'boss\u001b[2J', is_secret: false, effect: 'both' },
          { name: 'token', before: null, after: null, is_secret: true, effect: 'other' },
        ],
      },
    ],
    values_left_out: 3,
    waiting: [
      {
        ...{ session_id: 's1', user: 'ann', connection: 'pg' },
        runbook: null,
        effect: 'blocked',
        says: 'Gone.',
      },
      {
        ...{ session_id: 's2', user: 'bob', connection: 'pg' },
        runbook: 'Refund',
        effect: 'freed',
        says: 'Back.',
      },
    ],
    ...{ version: 'v', restart_required: ['listen.grpc'] },
  }

  it('says each value before and after, what opens access, and what becomes of waiting requests', async () => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/settings/changes', json(200, changes))
    rest.on('POST /api/reload', json(200, { ...changes, values_left_out: 0, waiting: null }))
    using place = new Workplace()
    using screen = new Tmux(place, { HOOP_APIURL: rest.url, HOOP_TOKEN: TOKEN })
    screen.enter(`${process.execPath} ${main} reload --dry-run`)
    await screen.shows(/^request of bob on pg, Refund: Back\.$/m)
    expect(screen.screen().split('\n')).toEqual(
      expect.arrayContaining([
        'users            added dan; changed ann',
        'after a restart  listen.grpc',
        'users dan: added (opens access)',
        'users ann: changed (opens and closes access)',
        '  groups: dev -> boss\\x1b[2J',
        '  token: changed (a secret)',
        '3 further values have changed and are not shown',
        'request of ann on pg: Gone.',
      ]),
    )
    screen.enter(`clear; ${process.execPath} ${main} reload`)
    await screen.shows(/^the gateway could not read the requests that wait$/m)
  })
})
