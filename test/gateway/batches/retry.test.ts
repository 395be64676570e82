import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { otherToken, type Answer } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { Fleet, statuses } from './fleet.ts'

const asOther = { authorization: `Bearer ${otherToken}` }
const token = (name: string) => `token-of-${name}-0123456789`
const as = (name: string) => ({ authorization: `Bearer ${token(name)}` })
const users = ['ann', 'bea']
  .map(
    (name) => `\n  - { name: ${name}, token: ${token(name)}, groups: [${name === 'bea' ? 'dba' : 'dev'}] }`,
  )
  .join('')

const retry = (fleet: Fleet, id: string, body: object = {}, headers: Record<string, string> = {}) =>
  fleet.gateway.request('POST', `/api/batches/${id}/retry`, body, headers)
const told = ({ status, body }: Answer) => [status, body['code']]
const groups = async (fleet: Fleet, id: string) =>
  (await fleet.batch(id)).runs.map(({ connection, retry_group: group }) => [connection, group])

/** Connections that fail until the test repairs them. */
function repairable(...names: readonly string[]) {
  const broken = new Set(names)
  return { broken, behave: (name: string) => ({ code: broken.has(name) ? 3 : 0 }) }
}

describe('a retry of a batch', () => {
  it('runs what failed or never began, in its waves, once, and both batches say so', async () => {
    const { broken, behave } = repairable('c-2', 'c-3')
    await using fleet = await Fleet.start(6, behave)
    const id = await fleet.begin({
      waves: '1,2,1,rest',
      parallel: 3,
      stop_after: 2,
      metadata: { why: 'test' },
    })
    const first = await fleet.ended(id)
    expect(await groups(fleet, id)).toEqual([
      ['c-1', null],
      ['c-2', 'failed'],
      ['c-3', 'failed'],
      ['c-4', 'never-began'],
      ['c-5', 'never-began'],
      ['c-6', 'never-began'],
    ])
    broken.clear()
    const { status, body } = await retry(fleet, id)
    expect(status).toBe(201)
    const second = await fleet.ended(String(body['id']))
    expect(second).toMatchObject({
      ...{ status: 'done', waves: [2, 1, 2], parallel: 3, threshold: 2, metadata: { why: 'test' } },
      ...{ commit: first['commit'], retry_of: id, retried_by: null },
      counts: { total: 5, succeeded: 5 },
    })
    expect(second.runs.map(({ connection, wave }) => [connection, wave])).toEqual([
      ['c-2', 1],
      ['c-3', 1],
      ['c-4', 2],
      ['c-5', 3],
      ['c-6', 3],
    ])
    expect(await fleet.batch(id)).toMatchObject({ retried_by: second.id, retry_of: null })
    expect(fleet.begun.filter((name) => name === 'c-1')).toHaveLength(1)
    const again = await retry(fleet, id)
    expect([...told(again), again.body['retried_by']]).toEqual([409, 'batch-retried', second.id])
    const nothing = await retry(fleet, second.id)
    expect(told(nothing)).toEqual([409, 'batch-wrong-state'])
  })

  it('is one of many that are asked for at once, and the others get its id', async () => {
    await using fleet = await Fleet.start(3, () => ({ code: 3 }))
    const id = await fleet.begin()
    await fleet.ended(id)
    const answers = await Promise.all(Array.from({ length: 8 }, () => retry(fleet, id)))
    const made = answers.filter(({ status }) => status === 201)
    expect(made).toHaveLength(1)
    const winner = String(made[0]?.body['id'])
    for (const answer of answers.filter(({ status }) => status !== 201))
      expect([...told(answer), answer.body['retried_by']]).toEqual([409, 'batch-retried', winner])
    await fleet.ended(winner)
    const { body } = await fleet.gateway.request('GET', '/api/batches')
    expect(body).toHaveLength(2)
  })

  it('leaves out what may have had an effect, unless its connection is named', async () => {
    await using fleet = await Fleet.start(3, () => 'wait')
    const id = await fleet.begin({ waves: 'rest', parallel: 3, stop_after: '100%' })
    await fleet.end('c-1', 5)
    await waitFor(() => fleet.begun.length === 3)
    await fleet.gateway.request('POST', `/api/batches/${id}/stop`, { kill: true })
    await fleet.ended(id)
    expect(await groups(fleet, id)).toEqual([
      ['c-1', 'failed'],
      ['c-2', 'may-have-run'],
      ['c-3', 'may-have-run'],
    ])
    for (const [connections, text] of [
      [[], 'must have a name'],
      [['c-9'], 'c-9 is not in the batch'],
    ] as const) {
      const refused = await retry(fleet, id, { connections })
      expect([...told(refused), refused.body['message']]).toEqual([
        ...[400, 'invalid-request'],
        expect.stringContaining(text),
      ])
    }
    const { body } = await retry(fleet, id, { connections: ['c-3', 'c-1'] })
    await fleet.end('c-1')
    await fleet.end('c-3')
    expect(statuses(await fleet.ended(String(body['id'])))).toEqual(['c-1 succeeded', 'c-3 succeeded'])
  })

  it('never runs a connection that has succeeded', async () => {
    await using fleet = await Fleet.start(2, repairable('c-2').behave)
    const id = await fleet.begin()
    await fleet.ended(id)
    const refused = await retry(fleet, id, { connections: ['c-1', 'c-2'] })
    expect([...told(refused), refused.body['message']]).toEqual([
      ...[400, 'invalid-request'],
      'connections: the run on c-1 has succeeded',
    ])
    expect(fleet.begun).toEqual(['c-1', 'c-2'])
  })

  it('asks for what is not recorded, and takes nothing else', async () => {
    const { broken, behave } = repairable('c-1')
    await using fleet = await Fleet.start(2, behave)
    fleet.gateway.commit({ 'ops/secret.sh': 'echo {{ .who }} {{ .word | type "password" }}' })
    const values = { parameters: { who: 'ann', word: 'open-sesame' }, client_args: ['-x'] }
    const env = { 'envvar:STAGE': Buffer.from('test').toString('base64') }
    const id = await fleet.begin({ file_name: 'ops/secret.sh', ...values, env_vars: env })
    const { not_recorded: unrecorded } = await fleet.ended(id)
    const all = { parameters: ['word'], env_vars: ['envvar:STAGE'], client_args: true }
    expect(unrecorded).toEqual(all)
    const refused = await retry(fleet, id)
    expect([...told(refused), refused.body['missing']]).toEqual([422, 'values-missing', all])
    const half = await retry(fleet, id, { parameters: { word: 'x' }, env_vars: env })
    expect(half.body).toMatchObject({
      code: 'values-missing',
      message: 'nothing has run: these values are not recorded, send them again: client_args',
      missing: { parameters: [], env_vars: [], client_args: true },
    })
    const sent = { parameters: { word: 'open-sesame' }, env_vars: env, client_args: ['-x'] }
    const other = await retry(fleet, id, { ...sent, parameters: { ...sent.parameters, who: 'bea' } })
    expect(told(other)).toEqual([400, 'invalid-request'])
    broken.clear()
    const { status, body } = await retry(fleet, id, sent)
    expect(status).toBe(201)
    const second = await fleet.ended(String(body['id']))
    expect(second).toMatchObject({ parameters: { who: 'ann', word: '[not recorded]' }, not_recorded: all })
    const { body: session } = await fleet.gateway.request(
      'GET',
      `/api/sessions/${String(second.runs[0]?.['session_id'])}`,
    )
    expect(JSON.stringify(session)).not.toContain('open-sesame')
  })

  it('needs a new approval, and one that was rejected can be retried', async () => {
    const { broken, behave } = repairable('c-1')
    const review = ', review: { groups: [dba] }'
    await using fleet = await Fleet.start(2, behave, { users }, () => review)
    const decide = async (batch: Answer['body'], status: string) => {
      const { id } = batch['review'] as { id: string }
      expect((await fleet.gateway.request('PUT', `/api/reviews/${id}`, { status }, as('bea'))).status).toBe(
        200,
      )
    }
    const run = (id: string) => fleet.gateway.request('POST', `/api/batches/${id}/exec`, undefined, as('ann'))
    const { body: asked } = await fleet.create({}, as('ann'))
    await decide(asked, 'APPROVED')
    await run(String(asked['id']))
    await fleet.ended(String(asked['id']))
    broken.clear()
    const { body: second } = await retry(fleet, String(asked['id']), {}, as('ann'))
    expect([second['status'], fleet.begun]).toEqual(['waiting', ['c-1']])
    await decide(second, 'REJECTED')
    const { body: third } = await retry(fleet, String(second['id']), { when_approved: true }, as('ann'))
    expect(third).toMatchObject({ status: 'waiting', counts: { total: 2 } })
    await decide(third, 'APPROVED')
    expect(statuses(await fleet.ended(String(third['id'])))).toEqual(['c-1 succeeded', 'c-2 succeeded'])
    expect(fleet.begun).toEqual(['c-1', 'c-1', 'c-2'])
  })

  it('goes by the rights of the present, and is for the owner and admins alone', async () => {
    await using fleet = await Fleet.start(2, () => ({ code: 3 }), { users })
    const { body } = await fleet.create({}, as('ann'))
    const id = String(body['id'])
    await fleet.ended(id)
    for (const headers of [asOther, as('bea')])
      expect(told(await retry(fleet, id, {}, headers))).toEqual([404, 'batch-not-found'])
    const closed =
      '\n  - { name: c-1, agent: local, command: [bash], runbooks: { repository: rb, path: ops/ } }'
    fleet.gateway.configure({ users, connections: closed })
    expect((await fleet.gateway.request('POST', '/api/reload')).status).toBe(200)
    const refused = await retry(fleet, id, {}, as('ann'))
    expect([...told(refused), refused.body['refusals']]).toEqual([
      ...[422, 'batch-refused'],
      [expect.objectContaining({ connection: 'c-2', code: 'connection-not-found' })],
    ])
    expect((await fleet.batch(id))['retried_by']).toBeNull()
    const admins = await retry(fleet, id, { connections: ['c-1'] })
    expect([admins.status, admins.body['owner']]).toEqual([201, 'admin'])
    await fleet.ended(String(admins.body['id']))
  })

  it('waits for the end of the batch', async () => {
    await using fleet = await Fleet.start(2, () => 'wait')
    const id = await fleet.begin()
    expect(told(await retry(fleet, id))).toEqual([409, 'batch-wrong-state'])
    expect(await groups(fleet, id)).toEqual([
      ['c-1', null],
      ['c-2', null],
    ])
    await fleet.end('c-1', 3)
    await fleet.ended(id)
  })
})

describe('a retry of a batch whose commit is gone', () => {
  const rewrite = (fleet: Fleet, script: string) => {
    const git = (...words: string[]) =>
      execFileSync('git', ['-C', fleet.gateway.repository, ...words], { stdio: 'pipe', encoding: 'utf8' })
    const tip = fleet.gateway.commit({ 'ops/plain.sh': script })
    const tree = git('rev-parse', `${tip}^{tree}`).trim()
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org']
    const fresh = git(...identity, 'commit-tree', tree, '-m', 'rewritten').trim()
    git('reset', '--quiet', '--hard', fresh)
    return fresh
  }

  it('shows the difference of the present one, and runs it only when it is named', async () => {
    const { broken, behave } = repairable('c-1')
    await using fleet = await Fleet.start(1, behave)
    fleet.gateway.commit({ 'ops/plain.sh': 'echo {{ .word | type "password" }}\necho one' })
    const id = await fleet.begin({ parameters: { word: 'open-sesame' } })
    await fleet.ended(id)
    const commit = rewrite(fleet, 'echo {{ .word | type "password" }}\necho two')
    broken.clear()
    const values = { parameters: { word: 'open-sesame' } }
    const refused = await retry(fleet, id, values)
    const present = refused.body['present'] as { commit: string; diff: string }
    expect([...told(refused), present.commit]).toEqual([409, 'commit-gone', commit])
    expect(present.diff).toContain('-echo one\n')
    expect(present.diff).toContain('+echo two\n')
    expect(JSON.stringify(refused.body)).not.toContain('open-sesame')
    const later = rewrite(fleet, 'echo {{ .word | type "password" }}\necho three')
    const moved = await retry(fleet, id, { ...values, commit })
    expect([...told(moved), moved.body['present']]).toEqual([
      ...[409, 'commit-gone'],
      expect.objectContaining({ commit: later }),
    ])
    expect(fleet.begun).toEqual(['c-1'])
    const { body } = await retry(fleet, id, { ...values, commit: later })
    expect(await fleet.ended(String(body['id']))).toMatchObject({ commit: later, counts: { succeeded: 1 } })
  })

  it('is not one where the commit is still there: another one is refused', async () => {
    await using fleet = await Fleet.start(1, () => ({ code: 3 }))
    const id = await fleet.begin()
    const { commit } = await fleet.ended(id)
    const next = fleet.gateway.commit({ 'ops/plain.sh': 'echo other' })
    const refused = await retry(fleet, id, { commit: next })
    expect([...told(refused), refused.body['message']]).toEqual([
      ...[400, 'invalid-request'],
      expect.stringContaining('still exists'),
    ])
    const { body } = await retry(fleet, id)
    expect((await fleet.ended(String(body['id'])))['commit']).toBe(commit)
  })
})
