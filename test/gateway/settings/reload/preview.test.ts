import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { otherToken, RunningGateway } from '../../../support/sites/running-gateway.ts'

// What a preview says: values before and after, what opens or closes access, and what waits.

interface Changes {
  readonly entries: readonly {
    readonly name: string
    readonly effect: string
    readonly values: readonly {
      readonly name: string
      readonly before: string | null
      readonly after: string | null
    }[]
  }[]
  readonly waiting: readonly { readonly user: string; readonly effect: string; readonly says: string }[]
  readonly version: string
}

const ann = { authorization: 'Bearer token-of-ann-0123456789' }
const user = (name: string, groups: string) =>
  `\n  - { name: ${name}, token: token-of-${name}-0123456789, groups: [${groups}] }`
const people = user('ann', 'dev') + user('bea', 'boss') + user('cleo', 'leads')
const one = (more = '') =>
  `\n  - { name: one, agent: local, command: [bash], env: { PASSWORD: hunter2-hunter2 }, review: { groups: [boss] }${more} }`
const usual = { users: people, connections: one() }

let gateway: RunningGateway
beforeEach(async () => {
  gateway = await RunningGateway.start({}, usual)
})
afterEach(() => gateway[Symbol.asyncDispose]())

async function preview(): Promise<Changes> {
  const { status, body } = await gateway.request('GET', '/api/settings/changes')
  expect(status).toBe(200)
  return body as unknown as Changes
}

async function ask(): Promise<string> {
  const { body } = await gateway.request('POST', '/api/sessions', { connection: 'one', script: 'x' }, ann)
  expect(body['has_review']).toBe(true)
  return String(body['session_id'])
}

describe('values', () => {
  it('are those before and after, and what opens access comes first', async () => {
    gateway.configure({
      ...usual,
      limits: '{ wait: 90s, body: 2MiB }',
      users: user('ann', 'dev, boss') + user('bea', 'boss') + user('cleo', 'leads') + user('dan', 'boss'),
      connections: one(', access: { groups: [dev], connect: false }'),
    })
    const { entries } = await preview()
    expect(entries.map(({ name, effect }) => [name, effect])).toEqual([
      ['dan', 'opens'],
      ['ann', 'opens'],
      ['one', 'closes'],
      ['wait', 'other'],
      ['body', 'other'],
    ])
    const values = Object.fromEntries(
      entries.map(({ name, values }) => [name, values.map((one) => [one.name, one.before, one.after])]),
    )
    expect(values).toMatchObject({
      ann: [['groups', 'dev', 'dev, boss']],
      one: [
        ['access.connect', 'true', 'false'],
        ['access.groups', null, 'dev'],
      ],
      wait: [['', expect.any(String), '1m 30s']],
      body: [['', expect.any(String), '2.0 MiB']],
    })
    expect((await gateway.request('POST', '/api/reload')).body['entries']).toEqual(entries)
  })

  it('of secrets are only said to be changed', async () => {
    const next = {
      users: people.replace('token-of-bea-0123456789', 'another-token-of-bea-0123'),
      connections: `${one().replace('hunter2-hunter2', 'correct-horse')}
  - { name: two, agent: local, command: [psql, '--password=swordfish'], env: { PGPASSWORD: swordfish } }`,
      repositories: '{ name: more, url: "https://me:swordfish@127.0.0.1/x.git" }',
    }
    gateway.configure({ ...usual, ...next })
    const { body } = await gateway.request('GET', '/api/settings/changes')
    const said = JSON.stringify(body)
    expect(said).toContain(
      '{"name":"secrets.envvar:PASSWORD","effect":"other","before":null,"after":null,"is_secret":true}',
    )
    expect(said).toContain('"tokens.')
    expect(said).toContain('--password=<set>')
    const hash = createHash('sha256').update('another-token-of-bea-0123').digest('hex')
    for (const secret of [
      'hunter2',
      'correct-horse',
      'swordfish',
      'another-token',
      hash,
      Buffer.from('correct-horse').toString('base64'),
    ])
      expect(said).not.toContain(secret)
  })

  it('of parameters and Jira fields of schedules are only said to be changed, whatever their names are', async () => {
    const secret = path.join(mkdtempSync(path.join(tmpdir(), 'pin-')), 'pin')
    writeFileSync(secret, 'hunter2-hunter2\n', { mode: 0o600 })
    const more = `
schedules: [{ name: nightly, cron: '0 3 * * *', connection: one, runbook: ops/a.runbook.sh, as: admin, parameters: { pin: 'file://${secret}', x: hunter2 }, jira-fields: { Board: 'file://${secret}' } }]`
    gateway.configure({ ...usual, more })
    const { body } = await gateway.request('POST', '/api/reload')
    const log = await gateway.request('GET', '/api/audit/logs?action=reload')
    rmSync(path.dirname(secret), { recursive: true })
    expect(JSON.stringify(body)).toContain('"name":"parameters.x"')
    expect(JSON.stringify(log.body)).toContain('schedules nightly parameters.pin: changed, a secret')
    expect(JSON.stringify([body, log.body])).not.toContain('hunter2')
  })

  const cases: readonly (readonly [string, string, string, string?])[] = [
    ['a review that goes', one().replace(', review: { groups: [boss] }', ''), 'opens'],
    [
      'fewer approvals',
      one().replace('groups: [boss]', 'groups: [boss, leads], minimum: 1'),
      'opens',
      one().replace('groups: [boss]', 'groups: [boss, leads], all: true'),
    ],
    ['other approvers', one().replace('[boss]', '[leads]'), 'both'],
    ['a further approver', one().replace('[boss]', '[boss, leads]'), 'opens'],
    [
      'an approver that goes',
      one().replace('[boss]', '[leads]'),
      'closes',
      one().replace('[boss]', '[boss, leads]'),
    ],
    [
      'an approver that goes where all have to approve',
      one().replace('[boss]', '[leads]'),
      'both',
      one().replace('groups: [boss]', 'groups: [boss, leads], all: true'),
    ],
    ['more time for an approval', one().replace('groups: [boss]', 'groups: [boss], expires: 30d'), 'opens'],
    ['a skipped group', one().replace('groups: [boss]', 'groups: [boss], skip-groups: [leads]'), 'opens'],
    ['a new review with a skipped group', one(), 'closes', one().replace(', review: { groups: [boss] }', '')],
    ['sessions of others', one(', sessions: all'), 'opens'],
    ['a name to type', one(', confirm: true'), 'closes'],
    [
      'scripts off, for another group',
      one(', access: { exec: false, groups: [dev] }'),
      'both',
      one(', access: { groups: [leads] }'),
    ],
  ]
  it.each(cases.map(([a, b, c, d]) => [a, b, c, d] as const))(
    'say the effect of %s',
    async (_, connections, effect, first) => {
      if (first !== undefined) {
        gateway.configure({ ...usual, connections: first })
        await gateway.request('POST', '/api/reload')
      }
      gateway.configure({ ...usual, connections })
      expect((await preview()).entries).toMatchObject([{ name: 'one', effect }])
    },
  )
})

describe('a change of who may do what', () => {
  const runbooks = (review: string) =>
    one(`, runbooks: { repository: rb, review: [{ path: 'a/**', groups: [${review}] }] }`)
  const oidc = (more: string) => ({
    more: `\nsign-in: { oidc: { issuer: 'https://127.0.0.1:1', client-id: c, ${more} } }`,
  })
  const token = (expires: string) =>
    `\n  - { name: ann, groups: [dev], tokens: [{ name: t, token: token-of-ann-0123456789, expires: ${expires} }] }`
  const others = user('bea', 'boss') + user('cleo', 'leads')

  it.each([
    [
      'approvers of some runbooks',
      { connections: runbooks('boss') },
      { connections: runbooks('leads') },
      'both',
    ],
    ['whom a provider lets in', oidc('everybody: true'), oidc('allowed-groups: [dev]'), 'both'],
    [
      'a longer life of a token',
      { users: token('2040-01-01') + others },
      { users: token('2041-01-01') + others },
      'opens',
    ],
    [
      'an auditor that is none any more',
      { users: people + user('aud', 'auditor') },
      { users: people + user('aud', 'dev') },
      'both',
    ],
  ])('is about access: %s', async (_, before, after, effect) => {
    gateway.configure({ ...usual, ...before })
    await gateway.request('POST', '/api/reload')
    gateway.configure({ ...usual, ...after })
    expect((await preview()).entries.map((entry) => entry.effect)).toEqual([effect])
  })
})

describe('the settings that the gateway shows', () => {
  it('are those that it read last, and a reload brings those of the file', async () => {
    const shown = async () => {
      const { status, body } = await gateway.request('GET', '/api/settings')
      const { settings } = body as unknown as { settings: { name: string; value: string | null }[] }
      return [status, settings.find(({ name }) => name === 'limits.wait')?.value]
    }
    const before = await shown()
    gateway.configure({ ...usual, limits: '{ wait: 91s }' })
    expect(await shown()).toEqual(before)
    gateway.configure({ ...usual, limits: '{ wait: [' })
    expect((await gateway.request('POST', '/api/reload')).status).toBe(422)
    expect(await shown()).toEqual(before)
    gateway.configure({ ...usual, limits: '{ wait: 92s }' })
    await gateway.request('POST', '/api/reload')
    expect(await shown()).toEqual([200, '92s'])
  })
})

describe('the audit log', () => {
  it('says of a reload what each value was and is, and no secret', async () => {
    const users = user('ann', 'dev, boss') + user('bea', 'boss') + user('cleo', 'leads')
    gateway.configure({ users, connections: one().replace('hunter2-hunter2', 'correct-horse') })
    await gateway.request('POST', '/api/reload')
    const { body } = await gateway.request('GET', '/api/audit/logs?action=reload')
    const [entry] = body['data'] as [{ request_payload_redacted: unknown }]
    expect(entry.request_payload_redacted).toEqual({
      changes: [
        'users ann: changed, opens',
        'users ann groups: dev -> dev, boss',
        'connections one: changed',
        'connections one secrets.envvar:PASSWORD: changed, a secret',
      ],
      left_out: 0,
    })
  })
})

describe('waiting requests', () => {
  it.each([
    ['its connection goes', { connections: '' }, 'blocked'],
    ['its requester goes', { users: user('bea', 'boss') + user('cleo', 'leads') }, 'blocked'],
    ['its requester loses access', { connections: one(', access: { groups: [leads] }') }, 'blocked'],
    ['scripts are off', { connections: one(', access: { exec: false }') }, 'blocked'],
    ['the rule has other groups', { connections: one().replace('[boss]', '[leads]') }, 'keeps-rule'],
    ['the rule goes', { connections: one().replace(', review: { groups: [boss] }', '') }, 'keeps-rule'],
    [
      'its approvers go',
      { users: user('ann', 'dev') + user('cleo', 'leads'), connections: one().replace('[boss]', '[leads]') },
      'no-approver',
    ],
  ])('are named when %s, and the reload changes none', async (_, changed, effect) => {
    const sid = await ask()
    gateway.configure({ ...usual, ...changed })
    const { waiting } = await preview()
    expect(waiting).toMatchObject([
      { session_id: sid, user: 'ann', connection: 'one', runbook: null, effect },
    ])
    const reloaded = await gateway.request('POST', '/api/reload')
    expect(reloaded.body['waiting']).toEqual(waiting)
    expect((await gateway.request('GET', `/api/reviews/${sid}`)).body['status']).toBe('PENDING')
  })

  it('are named when the approval they have will not count, as the run then says', async () => {
    const sid = await ask()
    const bea = { authorization: 'Bearer token-of-bea-0123456789' }
    await gateway.request('PUT', `/api/reviews/${sid}`, { status: 'APPROVED' }, bea)
    const without = { users: user('ann', 'dev') + user('cleo', 'boss') }
    gateway.configure({ ...usual, ...without })
    expect((await preview()).waiting).toMatchObject([
      { effect: 'approval-void', says: expect.stringContaining('bea') as unknown },
    ])
    await gateway.request('POST', '/api/reload')
    const refused = await gateway.request('POST', `/api/sessions/${sid}/exec`, undefined, ann)
    expect(refused.body['message']).toContain('the approval of bea no longer counts')
  })

  it('are named when they can run again', async () => {
    await ask()
    gateway.configure({ ...usual, connections: '' })
    await gateway.request('POST', '/api/reload')
    gateway.configure(usual)
    expect((await preview()).waiting).toMatchObject([{ effect: 'freed' }])
  })

  it('are not named when nothing changes for them', async () => {
    await ask()
    gateway.configure({ ...usual, limits: '{ wait: 9s }' })
    expect((await preview()).waiting).toEqual([])
  })
})

describe('the version', () => {
  it('refuses a reload of anything else than was shown, and says what to do', async () => {
    gateway.configure({ ...usual, limits: '{ wait: 9s }' })
    const { version } = await preview()
    gateway.configure({ ...usual, limits: '{ wait: 10s }' })
    const refused = await gateway.request('POST', `/api/reload?version=${version}`)
    expect([refused.status, refused.body['code']]).toEqual([409, 'settings-changed'])
    const next = await preview()
    expect(next.entries).toMatchObject([{ name: 'wait', values: [{ after: '10s' }] }])
    expect((await gateway.request('POST', `/api/reload?version=${next.version}`)).status).toBe(200)
    expect((await preview()).entries).toEqual([])
  })

  it('also differs for another secret, and after another reload', async () => {
    gateway.configure({ ...usual, connections: one().replace('hunter2-hunter2', 'hunter3-hunter3') })
    const first = await preview()
    gateway.configure({ ...usual, connections: one().replace('hunter2-hunter2', 'hunter4-hunter4') })
    const second = await preview()
    expect(second.version).not.toBe(first.version)
    const all = [1, 2].map(() => gateway.request('POST', `/api/reload?version=${second.version}`))
    expect((await Promise.all(all)).map(({ status }) => status).toSorted()).toEqual([200, 409])
  })

  it('is not needed, and is for admins as before', async () => {
    expect((await gateway.request('POST', '/api/reload')).status).toBe(200)
    const other = { authorization: `Bearer ${otherToken}` }
    expect((await gateway.request('POST', '/api/reload?version=x', undefined, other)).status).toBe(403)
  })
})
