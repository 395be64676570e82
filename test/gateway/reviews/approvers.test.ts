import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway, type RunningGatewayOptions } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

// Requests and approvals of users who were deactivated, deleted, or replaced by others of the same name.

const declared = (name: string, groups: string) =>
  `\n  - { name: ${name}, token: token-of-${name}-0123456789, groups: [${groups}] }`
const USERS = declared('ann', 'dev') + declared('bea', 'dba') + declared('cid', 'dba')
const review = 'review: { groups: [dba] }'
const usual: RunningGatewayOptions = {
  users: USERS,
  connections: `
  - { name: one, agent: local, command: [bash], ${review} }
  - { name: two, agent: local, command: [bash], runbooks: { repository: rb }, ${review} }
  - { name: three, agent: local, command: [bash], runbooks: { repository: rb }, ${review} }
  - { name: shells, agent: local, command: [bash, --norc], type: command-line, ${review} }`,
  more: `
schedules:
  - { name: nightly, cron: '0 3 * * *', connection: two, runbook: ops/plain.sh, as: ann }`,
}

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  gateway = await RunningGateway.start({ 'ops/plain.sh': 'echo ran' }, usual)
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.request('GET', '/api/plugins/runbooks/connections/two/templates')
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const tokens = new Map<string, string>()
const as = (name: string) => ({
  authorization: `Bearer ${tokens.get(name) ?? `token-of-${name}-0123456789`}`,
})
const say = (name: string, sid: string, status = 'APPROVED') =>
  gateway.request('PUT', `/api/reviews/${sid}`, { status }, as(name))
const run = (name: string, sid: string) =>
  gateway.request('POST', `/api/sessions/${sid}/exec`, undefined, as(name))
const statusOf = async (sid: string) => (await gateway.request('GET', `/api/reviews/${sid}`)).body['status']

/** Makes a user in the state. An earlier one of this name is gone already. */
async function create(name: string, groups: readonly string[]): Promise<void> {
  const made = await gateway.request('POST', '/api/users', { email: name, groups, take_over: true })
  expect(made.status).toBe(201)
  const token = await gateway.request('POST', '/api/tokens', { name: 'own', user: name })
  tokens.set(name, String(token.body['token']))
}

async function reload(users: string): Promise<void> {
  gateway.configure({ ...usual, users })
  expect((await gateway.request('POST', '/api/reload')).status).toBe(200)
}

async function ask(name: string, more: object = {}): Promise<string> {
  const body = { connection: 'one', script: 'echo ran', ...more }
  const asked = await gateway.request('POST', '/api/sessions', body, as(name))
  expect(asked.body['has_review']).toBe(true)
  return String(asked.body['session_id'])
}

/** Each way makes an approval of this user void. */
const ENDS: [string, (name: string) => Promise<unknown>][] = [
  ['was deactivated', (name) => gateway.request('PUT', `/api/users/${name}`, { status: 'inactive' })],
  ['was deleted', (name) => gateway.request('DELETE', `/api/users/${name}`)],
  [
    'was replaced by another user of the name',
    async (name) => {
      await gateway.request('DELETE', `/api/users/${name}`)
      await create(name, ['dba'])
    },
  ],
]

describe.each(ENDS)('an approval whose approver %s before the run', (how, end) => {
  const name = `dba-${how.length}`
  const leave = () => end(name)
  const back = async () => {
    await gateway.request('DELETE', `/api/users/${name}`)
    await create(name, ['dba'])
  }

  it('runs nothing for the requester, and another approval lets it run', async () => {
    await create(name, ['dba'])
    const sid = await ask('ann')
    expect((await say(name, sid)).body['status']).toBe('APPROVED')
    await leave()
    expect(await statusOf(sid)).toBe('PENDING')
    const refused = await run('ann', sid)
    expect([refused.status, refused.body['code']]).toEqual([403, 'review-wrong-state'])
    expect(refused.body['message']).toContain(name)
    expect((await say('cid', sid)).body['status']).toBe('APPROVED')
    expect((await run('ann', sid)).body).toMatchObject({ output: 'ran\n' })
  })

  it('gives way to that of another person for the same group before anybody tries to run', async () => {
    await back()
    const sid = await ask('ann')
    await say(name, sid)
    await leave()
    expect((await say('cid', sid)).body['status']).toBe('APPROVED')
    expect((await run('ann', sid)).body).toMatchObject({ output: 'ran\n' })
  })

  it('runs no batch', async () => {
    await back()
    const body = { connections: ['two', 'three'], file_name: 'ops/plain.sh' }
    const { id } = (await gateway.request('POST', '/api/batches', body, as('ann'))).body
    const { review: asked } = (await gateway.request('GET', `/api/batches/${String(id)}`)).body as {
      review: { session_id: string }
    }
    await say(name, asked.session_id)
    await leave()
    const exec = () => gateway.request('POST', `/api/batches/${String(id)}/exec`, undefined, as('ann'))
    expect((await exec()).body['code']).toBe('review-wrong-state')
    expect((await say('cid', asked.session_id)).body['status']).toBe('APPROVED')
    expect((await exec()).body).not.toHaveProperty('code')
    await waitFor(
      async () => (await gateway.request('GET', `/api/batches/${String(id)}`)).body['status'] === 'done',
    )
  })

  it('opens no terminal', async () => {
    await back()
    await using first = shell('ann')
    first.open()
    const sid = await waiting(first)
    await say(name, sid)
    await first.packet('ClientSessionOpenApproveOK')
    await leave()
    first.open()
    expect((await first.over()).details).toBe('review not approved or already executed')
    await using second = shell('ann')
    second.open()
    await waiting(second)
  })
})

function shell(name: string): ScriptedClient {
  return new ScriptedClient(gateway.gateway.grpc, {
    'connection-name': 'shells',
    verb: 'connect',
    ...as(name),
  })
}

async function waiting(client: ScriptedClient): Promise<string> {
  return String((await client.packet('ClientSessionOpenWaitingApproval')).spec['gateway.session_id'])
}

it('what is to run when it is approved waits for another approval if its approver has left', async () => {
  await using later = await RunningGateway.start({}, { ...usual, more: '' })
  const ask = { connection: 'one', script: 'echo ran', when_approved: true }
  const asked = await later.request('POST', '/api/sessions', ask, as('ann'))
  const sid = String(asked.body['session_id'])
  // Without an agent the run is late: the approver leaves before the gateway begins.
  later.configure({ ...usual, users: declared('ann', 'dev') + declared('cid', 'dba'), more: '' })
  const approved = later.request('PUT', `/api/reviews/${sid}`, { status: 'APPROVED', ...CLOSED }, as('bea'))
  expect((await approved).status).toBe(200)
  await waitFor(async () => {
    const { body } = await later.request('GET', `/api/reviews/${sid}`)
    return (body['held'] as { code: string } | undefined)?.code === 'outside-time-window'
  })
  await later.request('POST', '/api/reload')
  expect((await later.request('GET', `/api/reviews/${sid}`)).body).toMatchObject({ status: 'PENDING' })
})

/** Hours of the day at which nothing runs now. */
const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16)
const CLOSED = { time_window: { configuration: { start_time: at(2), end_time: at(3) } } }

it('the run of a schedule waits for another approval if its approver has left', async () => {
  const begun = await gateway.request('POST', '/api/schedules/nightly/run')
  expect(begun.status).toBeLessThan(300)
  let sid = ''
  await waitFor(async () => {
    const { body } = await gateway.request('GET', '/api/sessions?connection=two&limit=1')
    const [found] = body['data'] as { id: string; status: string; labels: Record<string, string> }[]
    sid = found?.labels['runbookSchedule'] === 'nightly' ? found.id : ''
    return sid !== ''
  })
  await create('dba-of-schedule', ['dba'])
  await say('dba-of-schedule', sid)
  await gateway.request('DELETE', '/api/users/dba-of-schedule')
  await waitFor(async () => (await statusOf(sid)) !== 'APPROVED')
  expect(await statusOf(sid)).toBe('PENDING')
  await say('cid', sid)
  await waitFor(async () => (await statusOf(sid)) === 'EXECUTED')
})

describe('a requester of the name of an earlier one', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['deleted in the state and made anew', () => Promise.resolve()],
    ['moved from gateway.yaml to the state', () => reload(USERS + declared('gus', 'dev'))],
  ])('does not run what the earlier one was approved: %s', async (_, begin) => {
    await begin()
    if (!(await isDeclared('gus'))) await create('gus', ['dev'])
    const sid = await ask('gus')
    await say('bea', sid)
    const first = shell('gus')
    first.open()
    await say('bea', await waiting(first))
    await first[Symbol.asyncDispose]()
    if (await isDeclared('gus')) await reload(USERS)
    else await gateway.request('DELETE', '/api/users/gus')
    tokens.delete('gus')
    await create('gus', ['dev'])
    const refused = await run('gus', sid)
    expect([refused.status, refused.body['code']]).toEqual([403, 'not-permitted'])
    await using second = shell('gus')
    second.open()
    await waiting(second)
    await gateway.request('DELETE', '/api/users/gus')
    tokens.delete('gus')
  })

  it('taken out of gateway.yaml and added again does not count as the earlier one, nor after a restart', async () => {
    const state = mkdtempSync(path.join(tmpdir(), 'generations-'))
    const more = { ...usual, state, more: '' }
    const approved: string[] = []
    const post = (of: RunningGateway, url: string, name: string, body?: object) =>
      of.request('POST', url, body, as(name))
    {
      await using first = await RunningGateway.start({}, more)
      for (let count = 0; count < 3; count++) {
        const asked = await post(first, '/api/sessions', 'ann', { connection: 'one', script: 'echo ran' })
        approved.push(String(asked.body['session_id']))
        await first.request('PUT', `/api/reviews/${approved[count]}`, { status: 'APPROVED' }, as('bea'))
      }
      first.configure({ ...more, users: declared('cid', 'dba') })
      await first.request('POST', '/api/reload')
      first.configure(more)
      await first.request('POST', '/api/reload')
      const refused = await post(first, `/api/sessions/${approved[0]}/exec`, 'ann')
      expect(refused.status).toBe(403)
    }
    {
      await using next = await RunningGateway.start({}, more)
      const { body } = await next.request('GET', `/api/reviews/${approved[1]}`)
      expect(body['status']).toBe('PENDING')
      await next.request('PUT', `/api/reviews/${approved[1]}`, { status: 'APPROVED' }, as('cid'))
      const refused = await post(next, `/api/sessions/${approved[1]}/exec`, 'ann')
      expect([refused.status, refused.body['code']]).toEqual([403, 'not-permitted'])
    }
    rmSync(state, { recursive: true })
  })
})

async function isDeclared(name: string): Promise<boolean> {
  const { body } = await gateway.request('GET', `/api/users/${name}`)
  return body['declared'] === true
}
