import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../support/wait.ts'
import { ReviewSite, type Name } from './site.ts'

// What a review says for a decision: the beginning of the request, facts from the history, and the rule.

const DROP = 'ops/danger/drop.runbook.sh'
type Fields = Readonly<Record<string, unknown>>

let site: ReviewSite
beforeAll(async () => {
  site = await ReviewSite.start({
    connections: `
  - { name: more, agent: local, command: [bash], runbooks: { repository: rb }, review: { groups: [sre] } }
  - { name: bare, agent: local, command: [bash] }`,
  })
})
afterAll(() => site[Symbol.asyncDispose]())

const shown = async (sid: string, name: Name = 'cid') =>
  (await site.as(name, 'GET', `/api/reviews/${sid}`)).body
const listed = async (sid: string, name: Name = 'cid') => {
  const { body } = await site.as(name, 'GET', '/api/reviews')
  return (body as unknown as Fields[]).find(({ session }) => session === sid)
}

async function asks(parameters: object, name: Name = 'ann', file = DROP, connection = 'books') {
  const url = `/api/plugins/runbooks/connections/${connection}/exec`
  const { body } = await site.as(name, 'POST', url, { file_name: file, parameters })
  if (body['has_review'] !== true) throw new Error(`not reviewed: ${JSON.stringify(body)}`)
  return String(body['session_id'])
}

async function runs(parameters: object, name: Name = 'ann'): Promise<string> {
  const sid = await asks(parameters, name)
  await site.say('cid', sid, 'APPROVED')
  expect((await site.run(name, sid)).body).toMatchObject({ exit_code: 0 })
  return sid
}

describe('the summary', () => {
  it('has the values of a runbook, without secrets, in lists, too', async () => {
    const sid = await asks({ pw: 'sesame-42', table: `orders ${'x'.repeat(200)}` })
    const { summary } = (await listed(sid)) as { summary: unknown }
    expect(summary).toEqual({
      values: [
        { name: 'pw', value: '[not recorded]' },
        { name: 'table', value: `orders ${'x'.repeat(72)}…` },
      ],
    })
    expect((await shown(sid))['summary']).toEqual(summary)
  })

  it('replaces secrets of the connection in values and in the first line of a script', async () => {
    const sid = await site.ask('\n\n  echo connection-secret\necho 2\n')
    expect((await shown(sid, 'bea'))['summary']).toEqual({
      first_line: expect.stringMatching(/^echo (?!connection-secret)\S+$/) as string,
      lines: 4,
    })
    expect(JSON.stringify(await listed(sid, 'bea'))).not.toContain('connection-secret')
  })

  it('has the first line of a script that is no comment, because requesters write comments', async () => {
    const lineOf = async (script: string) =>
      ((await shown(await site.ask(script), 'bea'))['summary'] as Fields)['first_line']
    expect(await lineOf('-- Approved by zoe\n#!/bin/sh\n/* ok\n ok */ DELETE FROM a\n-- b')).toBe(
      'DELETE FROM a',
    )
    expect(await lineOf('# a\n/*!50000 DROP TABLE a */')).toBe('/*!50000 DROP TABLE a */')
    expect(await lineOf('# all\n# comment')).toBe('# all')
  })

  it('has at most eight values, and the number of the others', async () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`p${at}`, String(at)]))
    const sid = await asks({ ...many, pw: 'sesame-42', table: 't' })
    const { summary } = (await listed(sid)) as { summary: { values: Fields[]; more_values: number } }
    expect([summary.values.length, summary.more_values]).toEqual([8, 5])
  })
})

it('a review tells the variables that a runbook sets from its parameters from those that the requester gives', async () => {
  const ofRunbook = await asks({ account: 'ann' }, 'ann', 'ops/unlock.sh')
  expect(await listed(ofRunbook, 'bea')).toMatchObject({ env_vars: ['envvar:ACCOUNT'], brings_input: false })
  const script = { connection: 'one', script: 'echo', env_vars: { 'envvar:ACCOUNT': 'YW5u' } }
  const { body } = await site.as('ann', 'POST', '/api/sessions', script)
  const given = await shown(String(body['session_id']), 'bea')
  expect(given).toMatchObject({ env_vars: ['envvar:ACCOUNT'], brings_input: true })
})

describe('facts', () => {
  it('say whether the requester, and the connection, had run the runbook before', async () => {
    const facts = async (sid: string) => (await listed(sid))?.['facts']
    const first = await asks({ pw: 'a', table: 'x' }, 'gus', 'ops/plain.sh', 'more')
    expect(await facts(first)).toEqual({ is_first_by_requester: true, new_connections: 1 })
    await site.say('cid', first, 'APPROVED')
    await site.run('gus', first)
    const again = await asks({}, 'gus', 'ops/plain.sh', 'more')
    expect(await facts(again)).toMatchObject({ is_first_by_requester: false, new_connections: 0 })
    const other = await asks({}, 'ann', 'ops/plain.sh', 'more')
    expect(await facts(other)).toMatchObject({ is_first_by_requester: true, new_connections: 0 })
  })

  it('count scripts of a requester by connection, and those only that have run', async () => {
    const isFirst = async (sid: string) => (await shown(sid, 'bea'))['facts']
    const script = await site.ask('echo 1', 'own', {}, 'gus')
    expect(await isFirst(script)).toEqual({ is_first_by_requester: true })
    await site.say('bea', script, 'REJECTED')
    const second = await site.ask('echo 1', 'own', {}, 'gus')
    expect(await isFirst(second)).toEqual({ is_first_by_requester: true })
    await site.say('bea', second, 'APPROVED')
    await site.run('gus', second)
    expect(await isFirst(await site.ask('echo 1', 'own', {}, 'gus'))).toEqual({
      is_first_by_requester: false,
    })
  })

  it('name the last approved run, and whether the runbook has changed since', async () => {
    const ran = await runs({ pw: 'sesame-42', table: 't' })
    const same = await asks({ pw: 'sesame-43', table: 'u' })
    const facts = { previous: { session: ran, owner: 'ann' }, is_runbook_changed: false }
    expect(await listed(same)).toMatchObject({ facts })
    site.gateway.commit({
      [DROP]: '# Drop\necho dropped {{ .pw | type "password" }} {{ .table }}',
    })
    await expect
      .poll(async () => (await listed(await asks({ pw: 'sesame-44', table: 'u' })))?.['facts'])
      .toMatchObject({ previous: { session: ran }, is_runbook_changed: true })
  })

  it('name no run that the caller may not see', async () => {
    await runs({ pw: 'sesame-42', table: 't' })
    const sid = await asks({ pw: 'sesame-42', table: 't' }, 'gus')
    expect((await shown(sid, 'cid'))['facts']).toHaveProperty('previous')
    expect((await shown(sid, 'gus'))['facts']).not.toHaveProperty('previous')
  })
})

describe('the ends of other runs', () => {
  it('count every run of the runbook and of the requester, and name those that the caller may see', async () => {
    const { body } = await site.as('gus', 'POST', '/api/sessions', { connection: 'bare', script: 'exit 3' })
    expect(body).toMatchObject({ exit_code: 3 })
    const unseen = String(body['session_id'])
    const seen = await runs({ pw: 'sesame-42', table: 't' }, 'gus')
    const { outcomes } = (await shown(await asks({ pw: 'sesame-42', table: 't' }, 'gus'))) as {
      outcomes: { runbook: Fields[]; requester: Fields[] }
    }
    const ran_ms: unknown = expect.any(Number)
    expect(outcomes.requester.slice(0, 2)).toEqual([
      { outcome: 'succeeded', ran_ms, session: seen },
      { outcome: 'failed', ran_ms },
    ])
    expect(outcomes.runbook[0]).toEqual({ outcome: 'succeeded', ran_ms, session: seen })
    expect(JSON.stringify(outcomes)).not.toContain(unseen)
  })
})

describe('the runs of a request', () => {
  const none = { succeeded: 0, failed: 0, stopped: 0, running: 0, not_begun: 0 }

  it('say how it has run, in lists, too, and are missing before', async () => {
    const sid = await site.ask('exit 3')
    expect(await shown(sid)).not.toHaveProperty('runs')
    await site.say('bea', sid, 'APPROVED')
    expect(await shown(sid)).not.toHaveProperty('runs')
    await site.run('ann', sid)
    expect(await shown(sid)).toMatchObject({ status: 'EXECUTED', runs: { ...none, failed: 1 } })
    expect(await listed(sid, 'bea')).toMatchObject({ runs: { ...none, failed: 1 } })
  })

  it('are those of all connections of a batch', async () => {
    const asked = { file_name: 'ops/plain.sh', connections: ['more', 'books'], waves: 'rest' }
    const { body } = await site.as('ann', 'POST', '/api/batches', asked)
    const sid = String((body['review'] as Fields)['session_id'])
    await site.say('cid', sid, 'APPROVED')
    await site.say('bea', sid, 'APPROVED')
    await site.as('ann', 'POST', `/api/batches/${String(body['id'])}/exec`)
    await waitFor(async () => ((await shown(sid))['runs'] as Fields | undefined)?.['succeeded'] === 2)
    expect((await shown(sid))['runs']).toEqual({ ...none, succeeded: 2 })
  })
})

describe('the rule', () => {
  it('says what is needed, and what an approval of the caller would do', async () => {
    const sid = await site.ask('echo', 'both')
    const rule = [{ groups: ['dba', 'sre'], minimum: 2 }]
    expect(await shown(sid, 'bea')).toMatchObject({
      rule,
      your_approval: { groups: ['dba'], missing: [{ groups: ['sre'], minimum: 1 }] },
    })
    expect(await listed(sid, 'dan')).toMatchObject({
      rule,
      your_approval: { groups: ['dba', 'sre'], missing: [] },
    })
    for (const name of ['ann', 'fay'] as const)
      expect(await shown(sid, name)).not.toHaveProperty('your_approval')
    await site.say('bea', sid, 'APPROVED')
    expect(await shown(sid, 'bea')).not.toHaveProperty('your_approval')
    expect(await listed(sid, 'bea')).toMatchObject({ rule, missing: [{ groups: ['sre'], minimum: 1 }] })
    const last = (await shown(sid, 'cid'))['your_approval'] as { groups: string[]; missing: unknown[] }
    expect(last).toEqual({ groups: ['sre'], missing: [] })
    expect((await site.say('cid', sid, 'APPROVED')).body['status']).toBe('APPROVED')
    expect((await shown(sid))['missing']).toEqual([])
  })

  it('names who can decide, and neither the requester nor auditors', async () => {
    const sid = await site.ask('echo', 'one')
    const approvers = [
      { group: 'dba', names: ['bea', 'dan', 'other'], others: 0 },
      { group: 'sre', names: ['cid', 'dan'], others: 0 },
      { group: 'boss', names: ['eve'], others: 0, can_force: true },
    ]
    expect((await shown(sid, 'ann'))['approvers']).toEqual(approvers)
    expect(await listed(sid, 'bea')).not.toHaveProperty('approvers')
    const own = await site.ask('echo', 'one', {}, 'bea')
    expect((await shown(own, 'bea'))['approvers']).toMatchObject([{ names: ['dan', 'other'] }, {}, {}])
    await site.say('bea', sid, 'REJECTED')
    expect(await shown(sid, 'bea')).not.toHaveProperty('approvers')
  })

  it('names the same people before the request is made', async () => {
    const sid = await asks({ pw: 'sesame-42', table: 't' }, 'dan')
    const { approvers, usual_wait } = await shown(sid)
    const body = { file_name: DROP, connections: ['books'] }
    const { body: foreseen } = await site.as('dan', 'POST', '/api/runbooks/foresee', body)
    expect(approvers).toEqual([{ group: 'sre', names: ['cid'], others: 0 }])
    expect(foreseen).toMatchObject([{ review: { approvers, usual_wait } }])
  })

  it('names at most ten of a group, and nobody who is deactivated', async () => {
    const sid = await site.ask('echo', 'own')
    const dba = async () => ((await shown(sid, 'bea'))['approvers'] as Fields[])[0]
    const before = ((await dba())?.['names'] as string[]).length
    const names = Array.from({ length: 9 }, (_, at) => `a${at}`)
    for (const name of names) await site.as('admin', 'POST', '/api/users', { email: name, groups: ['dba'] })
    expect(await dba()).toMatchObject({ names: [...names, 'bea'], others: before - 1 })
    for (const name of names) await site.as('admin', 'PUT', `/api/users/${name}`, { status: 'inactive' })
    expect(((await dba())?.['names'] as string[]).length).toBe(before)
  })

  it('says how long such requests wait, when three were decided', async () => {
    await using own = await ReviewSite.start()
    const sids = [await own.ask('echo 1'), await own.ask('echo 2'), await own.ask('echo 3')]
    const waiting = await own.ask('echo 4')
    const wait = async () => (await own.as('ann', 'GET', `/api/reviews/${waiting}`)).body['usual_wait']
    await own.say('bea', sids[0] ?? '', 'APPROVED')
    await own.say('bea', sids[1] ?? '', 'REJECTED')
    await own.as('ann', 'POST', `/api/sessions/${await own.ask('echo 5')}/kill`)
    expect(await wait()).toBeUndefined()
    await own.say('cid', sids[2] ?? '', 'APPROVED')
    expect(await wait()).toEqual({ seconds: expect.any(Number) as number, requests: 3 })
  })
})

describe('marks', () => {
  it('are the places of values in the recorded script, also after a secret of another length', async () => {
    site.gateway.commit({
      [DROP]: 'echo ü {{ .pw | type "password" }} {{ .table | squote }}',
    })
    await expect
      .poll(async () => {
        const sid = await asks({ pw: 'a long password of many words', table: 'a b' })
        const { marks } = (await shown(sid)) as { marks: { start: number; end: number; names: string[] }[] }
        const { data } = (await site.session(sid))['script'] as { data: string }
        return marks.map(({ start, end, names }) => [data.slice(start, end), ...names])
      })
      .toEqual([
        [expect.not.stringContaining('password') as string, 'pw'],
        ["'a b'", 'table'],
      ])
  })

  it('are missing in lists of long reviews, and where there is no value', async () => {
    expect(await shown(await asks({}, 'ann', 'ops/plain.sh', 'more'))).not.toHaveProperty('marks')
    expect(await listed(await asks({ pw: 'p-123', table: 't' }))).not.toHaveProperty('marks')
  })
})
