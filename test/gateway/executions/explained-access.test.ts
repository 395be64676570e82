import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AccessExplanation, AccessMatrix } from '../../../src/contract/access.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'

const token = (name: string) => `token-of-${name}-0123456789`
const user = (name: string, groups: string, more = '') =>
  `\n  - { name: ${name}, token: ${token(name)}, groups: [${groups}]${more} }`
const USERS = [
  ...[user('ann', 'dev'), user('bea', 'dba'), user('hal', 'dev, skips'), user('fay', 'auditor')],
  user('bot', 'dba', ', kind: machine'),
  user('sue', 'sre, lead'),
].join('')
const CONNECTIONS = `
  - { name: open, agent: local, command: [bash] }
  - { name: pg, agent: local, command: [bash], access: { groups: [dba, dev], connect: false }, review: { groups: [sre, dba], minimum: 2, skip-groups: [skips] } }
  - name: books
    agent: local
    command: [bash]
    access: { groups: [dba], exec: false, connect: false }
    runbooks: { repository: rb, path: ops, review: [{ path: 'ops/free.sh', groups: [] }, { path: 'ops/danger/*', groups: [sre] }] }
    review: { groups: [dba, lead] }
  - name: half
    agent: local
    command: [bash]
    access: { exec: true, connect: true }
    runbooks: { repository: rb, review: [{ path: 'ops/danger/*', groups: [sre] }] }
  - { name: db, agent: local, type: database, subtype: postgres, command: [psql], review: { groups: [dba] } }
  - { name: raw, agent: local, type: application, subtype: tcp, command: [cat], access: { connect: true }, guardrails: [no-drops] }
  - { name: shut, agent: local, command: [bash], access: { exec: false, connect: false } }`

const GUARDRAILS =
  'guardrails:\n  - { name: no-drops, input: [{ type: pattern_match, pattern_regex: drop }] }'

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start(
    { 'ops/free.sh': 'echo', 'ops/danger/a.sh': 'echo', 'ops/b.sh': 'echo' },
    {
      connections: CONNECTIONS,
      users: USERS,
      limits: '{ agent-wait: 0s }',
      more: GUARDRAILS,
    },
  )
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.exec({ file_name: 'ops/free.sh' })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const as = (name: string) => ({ authorization: `Bearer ${token(name)}` })
async function explained(name: string, connection: string): Promise<AccessExplanation> {
  const { body } = await gateway.request('GET', `/api/access/${name}/${connection}`)
  return body as unknown as AccessExplanation
}

describe('what a user may do on a connection', () => {
  it.each([
    ['ann', 'open', 'free', 'everybody; no runbooks'],
    ['ann', 'pg', 'approval', 'dev; scripts need approval by sre and dba; no runbooks or terminal'],
    ['hal', 'pg', 'free', 'dev; no runbooks or terminal'],
    ['ann', 'books', 'none', 'no access: only for dba'],
    [
      ...(['bea', 'books', 'approval'] as const),
      'dba; runbooks need approval by 1 of dba, lead; runbooks ops/free.sh need no approval; runbooks ops/danger/* need approval by sre; no scripts or terminal',
    ],
    [
      ...(['ann', 'half', 'approval'] as const),
      'everybody; runbooks need no approval; runbooks ops/danger/* need approval by sre; scripts and terminal need no approval although runbooks do',
    ],
    ['fay', 'open', 'reads', 'everybody; an auditor reads, and runs nothing'],
    [
      ...(['ann', 'db', 'approval'] as const),
      'everybody; scripts, terminal and port need approval by dba; no runbooks',
    ],
    ['ann', 'shut', 'none', 'everybody; nothing may run on this connection'],
  ])('%s on %s: %s', async (name, connection, level, text) => {
    expect(await explained(name, connection)).toMatchObject({ user: name, connection, level, text })
  })

  it('says whether a port for native clients can be opened', async () => {
    const port = async (connection: string) => (await explained('bea', connection)).uses.port
    expect(await port('db')).toMatchObject({ allowed: true, approvals: [{ groups: ['dba'] }] })
    expect(await port('open')).toMatchObject({
      ...{ allowed: false, reason: 'connections of type command-line have no port for native clients' },
    })
    expect(await port('raw')).toMatchObject({
      allowed: false,
      reason: 'guardrails and masking of this connection cannot be enforced on tcp connections',
    })
    const setting = async (connection: string) => (await port(connection)).setting
    expect(await setting('open')).toBe('connections[open].type')
    expect(await setting('raw')).toBe('connections[raw].guardrails')
    expect((await explained('bea', 'raw')).uses.connect.verdict).toContain(
      'connections[raw].guardrails decides.',
    )
    const { body } = await gateway.request('GET', '/api/connections', undefined, as('bea'))
    const listed = body as unknown as { name: string; native_port: string | null }[]
    const ports = listed.map((one) => [one.name, one.native_port])
    expect(Object.fromEntries(ports)).toMatchObject({ db: 'postgres', open: null, raw: null, shut: null })
  })

  it('is what happens when the user asks for it', async () => {
    const scripts = [
      ...(['ann', 'bea', 'hal', 'fay', 'bot'] as const).flatMap((name) =>
        (['open', 'pg', 'books', 'shut'] as const).map((connection) => ({ name, connection })),
      ),
    ]
    for (const { name, connection } of scripts) {
      const { exec } = (await explained(name, connection)).uses
      const body = { connection, script: 'true' }
      const answer = await gateway.request('POST', '/api/sessions', body, as(name))
      const isReviewed = answer.body['has_review'] === true
      // What is forbidden on the connection is recorded as a session that is refused.
      const isRefused = answer.status >= 400 || answer.body['code'] === 'not-permitted'
      expect([name, connection, isReviewed, isRefused]).toEqual([
        ...[name, connection, exec.approvals.length > 0, !exec.allowed],
      ])
    }
    for (const [file, needs] of [
      ['ops/free.sh', false],
      ['ops/danger/a.sh', true],
      ['ops/b.sh', true],
    ] as const) {
      const path = '/api/plugins/runbooks/connections/books/exec'
      const { body } = await gateway.request('POST', path, { file_name: file }, as('bea'))
      expect([file, body['has_review']]).toEqual([file, needs])
    }
  })

  it.each([
    ['bea', 'ops/free.sh', [], 'Yes, at once. connections[books].runbooks.review[ops/free.sh] decides.'],
    [
      ...(['bea', 'ops/danger/a.sh', ['sre']] as const),
      'After approval by sre. connections[books].runbooks.review[ops/danger/*] decides.',
    ],
    [
      'bea',
      'ops/b.sh',
      ['dba', 'lead'],
      'After approval by 1 of dba, lead. connections[books].review decides.',
    ],
    [
      'bea',
      'etc/x.sh',
      undefined,
      'No: only runbooks in ops run here. connections[books].runbooks.path decides.',
    ],
    ['ann', 'ops/b.sh', undefined, 'No: no access: only for dba. connections[books].access.groups decides.'],
  ])('says about one runbook which rule decides: %s, %s', async (name, file, groups, verdict) => {
    const path = `/api/access/${name}/books?runbook=${encodeURIComponent(file)}`
    const { uses } = (await gateway.request('GET', path)).body as unknown as AccessExplanation
    expect(uses.runbooks.verdict).toBe(verdict)
    expect(uses.runbooks.allowed).toBe(groups !== undefined)
    expect(uses.runbooks.approvals.flatMap((one) => one.groups)).toEqual(groups ?? [])
    const exec = '/api/plugins/runbooks/connections/books/exec'
    const { status, body } = await gateway.request('POST', exec, { file_name: file }, as(name))
    expect([status < 400 && body['code'] !== 'not-permitted', body['has_review'] === true]).toEqual([
      ...[groups !== undefined, groups !== undefined && groups.length > 0],
    ])
  })

  it('is listed for groups as for a user who has no other group', async () => {
    const { body } = await gateway.request('GET', '/api/access?by=groups', undefined, as('fay'))
    const { users: rows, connections } = body as unknown as AccessMatrix
    const of = (group: string, connection: string) =>
      rows.find(({ name }) => name === group)?.cells[connections.indexOf(connection)]?.uses
    expect(rows.map(({ name, kind, members }) => [name, kind, members])).toEqual([
      ['admin', 'group', 1],
      ['auditor', 'group', 1],
      ['dba', 'group', 3],
      ['dev', 'group', 2],
      ['lead', 'group', 1],
      ['skips', 'group', 1],
      ['sre', 'group', 1],
    ])
    expect(of('dba', 'books')).toEqual({ runbooks: 'some', exec: 'no', connect: 'no', port: 'no' })
    expect(of('dev', 'pg')).toEqual({ runbooks: 'no', exec: 'approval', connect: 'no', port: 'no' })
    expect(of('skips', 'open')).toEqual({ runbooks: 'no', exec: 'free', connect: 'free', port: 'no' })
    // `skips` alone cannot see pg, although hal, who is in dev too, needs no approval there.
    expect(of('skips', 'pg')).toEqual({ runbooks: 'no', exec: 'no', connect: 'no', port: 'no' })
    expect((await gateway.request('GET', '/api/access?by=teams')).status).toBe(400)
  })

  it('is told of everybody to admins and auditors, and to others of themselves and what they see', async () => {
    const ask = async (who: string, path: string) =>
      (await gateway.request('GET', path, undefined, as(who))).status
    expect(await ask('ann', '/api/access/ann/pg')).toBe(200)
    expect(await ask('ann', '/api/access/ann/books')).toBe(404)
    expect(await ask('ann', '/api/access/bea/pg')).toBe(404)
    expect(await ask('ann', '/api/access')).toBe(403)
    expect(await ask('fay', '/api/access/ann/books')).toBe(200)
  })

  it('is listed for users by connections, by parts of their names', async () => {
    const matrix = async (query: string) =>
      (await gateway.request('GET', `/api/access${query}`, undefined, as('fay')))
        .body as unknown as AccessMatrix
    const all = await matrix('')
    expect(all).toMatchObject({
      connections: ['bash', 'open', 'pg', 'books', 'half', 'db', 'raw', 'shut'],
      more_users: 0,
    })
    for (const { name, cells } of all.users)
      for (const [at, cell] of cells.entries()) {
        const { level, text } = await explained(name, all.connections[at] ?? '')
        expect(cell).toMatchObject({ level, text })
      }
    const some = await matrix('?user=dba&connection=P&offset=1')
    expect(some.connections).toEqual(['open', 'pg'])
    expect(some.users.map(({ name, kind }) => [name, kind])).toEqual([
      ['bea', 'person'],
      ['bot', 'machine'],
    ])
    const named = async (text: string) => (await matrix(`?connection=${text}`)).connections
    expect(await named('P*')).toEqual(['pg'])
    expect(await named('*s*h')).toEqual(['bash'])
    expect(await named('b*s')).toEqual(['books'])
    // The beginning and the end may not be the same letters.
    expect(await named('pg*g')).toEqual([])
  })
})

describe('the settings as they are read', () => {
  it('are shown without secrets, with what a reload would change, and changed by nothing but the reload', async () => {
    const shown = await gateway.request('GET', '/api/settings', undefined, as('fay'))
    const text = JSON.stringify(shown.body)
    expect(text).toContain('"name":"connections[1].name","value":"open"')
    expect(text).not.toContain('token-of-')
    expect((await gateway.request('GET', '/api/settings', undefined, as('ann'))).status).toBe(403)
    const preview = () => gateway.request('GET', '/api/settings/changes', undefined, as('fay'))
    expect((await preview()).body).toMatchObject({ changes: [], entries: [], restart_required: [] })
    const users = USERS + user('new', 'dev')
    gateway.configure({ connections: CONNECTIONS, users, more: GUARDRAILS, host: '127.0.0.1' })
    const changed = (await preview()).body
    expect(changed['changes']).toEqual([
      { setting: 'users', added: ['new'], removed: [], changed: [] },
      { setting: 'limits', added: [], removed: [], changed: ['agent-wait'] },
    ])
    expect((await gateway.request('GET', '/api/userinfo', undefined, as('new'))).status).toBe(401)
    expect((await gateway.request('POST', '/api/reload')).body).toEqual(changed)
    expect((await preview()).body['changes']).toEqual([])
    gateway.configure({ connections: '\n  - { name: broken }' })
    expect([(await preview()).status, (await preview()).body['code']]).toEqual([422, 'invalid-settings'])
  })

  it('have no password of a command, which auditors see nowhere else', async () => {
    const command =
      "[psql, 'postgres://app:pw-1:@x@db/y', --password=pw-2, DB_TOKEN=pw-3, --password=$PG, --host=db]"
    gateway.configure({
      connections: `\n  - { name: told, agent: local, command: ${command} }`,
      users: USERS,
    })
    await gateway.request('POST', '/api/reload')
    const { body } = await gateway.request('GET', '/api/settings', undefined, as('fay'))
    const { settings } = body as { settings: { name: string; value: string }[] }
    expect(JSON.parse(settings.find(({ name }) => name === 'connections[1].command')?.value ?? '')).toEqual([
      ...['psql', 'postgres://app:<set>@db/y', '--password=<set>', 'DB_TOKEN=<set>'],
      ...['--password=$PG', '--host=db'],
    ])
  })
})
