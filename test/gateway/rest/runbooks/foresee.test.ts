import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findAccount } from '../../../../src/client/account/account.ts'
import { fetchRunbooks } from '../../../../src/client/rest/runbooks.ts'
import { confirmed } from '../../../../src/commands/client/run/confirmation.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

const connections = `
  - { name: prod, agent: local, command: [bash], confirm: true, jira: ops,
      runbooks: { repository: rb, review: [{ path: ops/**, groups: [dba] }] }, access: { exec: false } }
  - { name: open, agent: local, command: [bash],
      runbooks: { repository: rb, review: [{ path: ops/danger*, groups: [dba] }] }, access: { exec: true, connect: false } }
  - { name: some, agent: local, command: [bash], runbooks: { repository: rb, confirm: ['ops/danger*'] } }
  - { name: off, agent: local, command: [bash], runbooks: { repository: rb }, access: { runbooks: false } }
  - { name: admins, agent: local, command: [bash], runbooks: { repository: rb }, access: { groups: [admin] } }`
const more = `
locks: [{ name: one-at-a-time, runbooks: ['ops/slow*'] }]
jira:
  url: https://jira.example.test
  user: bot@example.test
  api_token: a-token-of-jira
  templates:
    - { name: ops, project_key: OPS, request_type_id: '7',
        prompt_types: { items: [{ label: Reason, description: why, jira_field: customfield_1, required: true }] } }`

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start(
    { 'ops/slow.runbook.sh': 'true', 'ops/danger.runbook.sh': 'true' },
    { connections, more },
  )
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.request('GET', '/api/runbooks')
})
afterAll(() => gateway[Symbol.asyncDispose]())

const ask = (body: unknown, token = userToken) =>
  gateway.request('POST', '/api/runbooks/foresee', body, { authorization: `Bearer ${token}` })
const plain = {
  ...{ review: null, jira_fields: [], locks: [], confirm: false, client_input: true, reason: null },
}

describe('POST /api/runbooks/foresee', () => {
  it('says who has to approve, what Jira asks for, and that the name has to be typed', async () => {
    const { status, body } = await ask({
      file_name: 'ops/a.runbook.sh',
      repository: 'rb',
      connections: ['prod', 'some'],
    })
    expect([status, body]).toEqual([
      200,
      [
        {
          ...{ connection: 'prod', confirm: true, client_input: false, locks: [], reason: null },
          review: {
            ...{ groups: ['dba'], minimum: 1, rule: 'ops/**', unreviewed: '' },
            approvers: [{ group: 'dba', names: expect.any(Array) as string[], others: 0 }],
          },
          jira_fields: [{ jira_field: 'customfield_1', label: 'Reason', description: 'why', required: true }],
        },
        { ...plain, connection: 'some' },
      ],
    ])
    expect((await ask({ file_name: 'ops/danger.runbook.sh', connections: ['some'] })).body).toEqual([
      { ...plain, connection: 'some', confirm: true },
    ])
  })

  it('says of a runbook that needs approval which uses of its connection need none, as the connection does', async () => {
    const unreviewed = 'exec needs no approval although runbooks of ops/danger* do'
    const { body } = await ask({ file_name: 'ops/danger.runbook.sh', connections: ['open'] })
    expect(body).toMatchObject([{ review: { rule: 'ops/danger*', unreviewed } }])
    expect((await ask({ file_name: 'ops/slow.runbook.sh', connections: ['open'] })).body).toMatchObject([
      { review: null },
    ])
    const of = async (name: string, field = 'unreviewed') =>
      (await gateway.request('GET', `/api/connections/${name}`)).body[field]
    expect([await of('open'), await of('prod'), await of('some')]).toEqual([unreviewed, '', ''])
    expect(await of('open', 'runbook_reviews')).toContainEqual({
      ...{ path: 'ops/danger*', groups: ['dba'], minimum: 1 },
    })
    expect(await of('some', 'runbook_reviews')).toEqual([])
  })

  it('says who has the lock that the runbook takes', async () => {
    const asked = { file_name: 'ops/slow.runbook.sh', connections: ['bash'] }
    expect((await ask(asked)).body).toMatchObject([
      { locks: [{ name: 'one-at-a-time', holder: null, waiting: 0 }] },
    ])
    const { body } = await gateway.request(
      'POST',
      '/api/plugins/runbooks/connections/bash/exec',
      { file_name: 'ops/slow.runbook.sh' },
      { prefer: 'respond-async' },
    )
    const id = body['session_id']
    await waitFor(async () => {
      const [{ locks }] = (await ask(asked)).body as unknown as [{ locks: { holder: unknown }[] }]
      return locks[0]?.holder !== null
    })
    expect((await ask(asked, otherToken)).body).toMatchObject([
      { locks: [{ holder: { session_id: id, user: 'admin' }, waiting: 0 }] },
    ])
    await gateway.request('POST', `/api/sessions/${String(id)}/kill`)
  })

  it.each([
    ['a connection that the caller may not see', { connections: ['admins'] }, 404, 'connection-not-found'],
    ['a connection without runbooks', { connections: ['off'] }, 403, 'not-permitted'],
    ['a file outside of its path', { connections: ['bash'], file_name: 'x' }, 404, 'runbook-not-found'],
    ['another repository', { connections: ['some'], repository: 'none' }, 400, 'repository-not-found'],
    ['too many connections', { connections: Array(501).fill('some') }, 400, 'invalid-request'],
  ])('refuses %s', async (_, body, status, code) => {
    const answer = await ask({ file_name: 'ops/a.runbook.sh', ...body }, otherToken)
    expect([answer.status, answer.body['code']]).toEqual([status, code])
  })

  it('lets the command line run what has to be confirmed only by what would be typed', async () => {
    const env = { HOOP_APIURL: gateway.gateway.http, HOOP_TOKEN: userToken }
    const account = findAccount({ env, stored: undefined, file: '' })
    const run = (names: string[], given?: string) =>
      confirmed(account, { file: 'ops/a.runbook.sh', repository: undefined, connections: names }, given)
    await run(['some'])
    await run(['prod'], 'prod')
    await run(['prod', 'some'], '2')
    await expect(run(['prod'])).rejects.toThrow('add --confirm prod')
    await expect(run(['prod'], 'some')).rejects.toThrow('not some')
    await expect(run(['prod', 'some'])).rejects.toThrow('add --confirm 2')
  })

  it('agrees with the list of runbooks about who has to approve, which tells nobody of connections of others', async () => {
    const { body } = await gateway.request('GET', '/api/runbooks?list_connections=true', undefined, {
      authorization: `Bearer ${otherToken}`,
    })
    const { repositories } = body as {
      repositories: { items: { name: string; asks?: string[]; connections: string[] }[] }[]
    }
    const items = repositories.flatMap(({ items: of }) => of)
    expect(items.find(({ name }) => name === 'ops/danger.runbook.sh')?.asks).toEqual(['dba'])
    for (const { name, asks = [], connections: names } of items) {
      expect(names).not.toContain('admins')
      const foreseen = await ask({ file_name: name, repository: 'rb', connections: names }, otherToken)
      const answers = foreseen.body as unknown as { review: { groups: string[] } | null }[]
      expect(asks).toEqual([...new Set(answers.flatMap(({ review }) => review?.groups ?? []))])
    }
  })

  it('is not asked when the list of runbooks has said whether a run has to be confirmed', async () => {
    const env = { HOOP_APIURL: gateway.gateway.http, HOOP_TOKEN: userToken }
    const account = findAccount({ env, stored: undefined, file: '' })
    const said = async (connection: string) => {
      const { runbooks } = await fetchRunbooks(account, connection)
      return Object.fromEntries(runbooks.map((one) => [one.name, one.needsConfirmation]))
    }
    expect(await said('prod')).toMatchObject({ 'ops/slow.runbook.sh': true })
    expect(await said('some')).toMatchObject({ 'ops/slow.runbook.sh': false, 'ops/danger.runbook.sh': true })
    const nobody = { HOOP_APIURL: 'http://127.0.0.1:9', HOOP_TOKEN: userToken }
    const unreachable = findAccount({ env: nobody, stored: undefined, file: '' })
    const run = (needsConfirmation: boolean, given?: string) =>
      confirmed(
        unreachable,
        { file: 'ops/a.runbook.sh', repository: 'rb', connections: ['prod'], needsConfirmation },
        given,
      )
    await run(false)
    await run(true, 'prod')
    await expect(run(true)).rejects.toThrow('add --confirm prod')
  })
})
