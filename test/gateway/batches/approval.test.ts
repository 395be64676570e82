import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { commonRule } from '../../../src/gateway/batches/approval.ts'
import { closeFile, openFile } from '../../../src/gateway/store/sqlite.ts'
import { JiraServer } from '../../support/scripted/jira.ts'
import { TEMPLATE } from '../jira/template.ts'
import { Fleet, statuses } from './fleet.ts'

const token = (name: string) => `token-of-${name}-0123456789`
const as = (name: string) => ({ authorization: `Bearer ${token(name)}` })
const users = [
  ['ann', 'dev'],
  ['bea', 'dba'],
  ['cid', 'sre'],
  ['eve', 'boss'],
  ['hal', 'skips'],
]
  .map(([name = '', groups]) => `\n  - { name: ${name}, token: ${token(name)}, groups: [${groups}] }`)
  .join('')

const REVIEWS: Record<string, string> = {
  'c-1': ', review: { groups: [dba], force-groups: [boss, sre], skip-groups: [skips] }',
  'c-2': ', review: { groups: [sre, dba], minimum: 2, force-groups: [boss], skip-groups: [skips] }',
}
const start = (more: object = {}) =>
  Fleet.start(
    3,
    () => ({ code: 0 }),
    { users, ...more },
    (name) => REVIEWS[name] ?? '',
  )

async function asked(
  fleet: Fleet,
  body: object = {},
): Promise<{ id: string; review: string; session: string }> {
  const { body: batch } = await fleet.create(body, as('ann'))
  const { id, session_id: session } = batch['review'] as { id: string; session_id: string }
  expect(batch['status']).toBe('waiting')
  return { id: String(batch['id']), review: id, session }
}

const decide = (fleet: Fleet, name: string, review: string, status: string, more: object = {}) =>
  fleet.gateway.request('PUT', `/api/reviews/${review}`, { status, ...more }, as(name))
const exec = (fleet: Fleet, id: string, name = 'ann') =>
  fleet.gateway.request('POST', `/api/batches/${id}/exec`, undefined, as(name))

describe('one approval for all connections', () => {
  it('is as strict as the strictest of them', () => {
    const of = (selfApproval: boolean, expiresMs: number, forceGroups: string[]) => ({
      review: {
        ...{ groups: ['dba'], minimum: 1, skipGroups: ['skips'], accessMaxMs: 1 },
        ...{ selfApproval, expiresMs, forceGroups },
      },
    })
    expect(commonRule([of(true, 5, ['boss', 'sre']), of(true, 9, ['sre'])])?.review).toMatchObject({
      ...{ selfApproval: true, expiresMs: 5, forceGroups: ['sre'], skipGroups: [] },
    })
    expect(commonRule([of(true, 5, []), of(false, 5, [])])?.review.selfApproval).toBe(false)
    expect(commonRule([])).toBeUndefined()
  })

  it('is given by those whom each of them needs, who see where it runs, and runs once', async () => {
    await using fleet = await start()
    const { id, review, session } = await asked(fleet, { waves: '1,rest' })
    const { body } = await fleet.gateway.request('GET', `/api/reviews/${review}`, undefined, as('bea'))
    expect(body).toMatchObject({
      batch: { id, waves: [['c-1'], ['c-2', 'c-3']], parallel: 10, threshold: 1 },
      needs: [
        { groups: ['dba'], minimum: 1 },
        { groups: ['dba', 'sre'], minimum: 2 },
      ],
      force_approval_groups: ['boss'],
    })
    expect((await fleet.gateway.request('GET', `/api/batches/${id}`, undefined, as('bea'))).status).toBe(200)
    const output = await fleet.gateway.request('GET', `/api/batches/${id}/diff`, undefined, as('bea'))
    expect([output.status, output.body['code']]).toEqual([403, 'not-permitted'])

    expect((await decide(fleet, 'bea', review, 'APPROVED')).body['status']).toBe('PENDING')
    expect((await exec(fleet, id)).body['code']).toBe('review-wrong-state')
    const state = async () => {
      const { body: batches } = await fleet.gateway.request('GET', '/api/batches', undefined, as('ann'))
      return (batches as unknown as { review: object }[]).map((one) => one.review)
    }
    expect(await state()).toMatchObject([{ state: { name: 'waiting-for-approval' } }])
    expect((await decide(fleet, 'cid', review, 'APPROVED')).body['status']).toBe('APPROVED')
    expect(await state()).toMatchObject([{ state: { name: 'approved' } }])
    const alone = await fleet.gateway.request('POST', `/api/sessions/${session}/exec`, undefined, as('ann'))
    expect([alone.status, alone.body['message']]).toEqual([
      403,
      `this approval is for batch ${id}; run the batch with runbook-agent batches exec ${id} (POST /api/batches/${id}/exec)`,
    ])
    expect([(await exec(fleet, id, 'bea')).status, fleet.begun]).toEqual([403, []])

    expect((await exec(fleet, id)).status).toBe(202)
    const batch = await fleet.ended(id)
    expect(statuses(batch)).toEqual(['c-1 succeeded', 'c-2 succeeded', 'c-3 succeeded'])
    expect(batch.runs[0]?.['session_id']).toBe(session)
    expect(fleet.begun).toEqual(['c-1', 'c-2', 'c-3'])
    const again = await exec(fleet, id)
    expect([again.status, again.body['code']]).toEqual([409, 'batch-wrong-state'])
  })

  it('may be forced by who may for each of them', async () => {
    await using fleet = await start()
    const { id, review } = await asked(fleet)
    const cid = await decide(fleet, 'cid', review, 'APPROVED', { force_review: true })
    expect(cid.body['code']).toBe('not-eligible')
    expect((await decide(fleet, 'eve', review, 'APPROVED', { force_review: true })).body['status']).toBe(
      'APPROVED',
    )
    expect((await exec(fleet, id)).status).toBe(202)
    await fleet.ended(id)
  })

  it('that is refused leaves all of them alone, and says why', async () => {
    await using fleet = await start()
    const { id, review } = await asked(fleet)
    await decide(fleet, 'bea', review, 'REJECTED', { rejection_reason: 'not on a Friday' })
    expect(await fleet.batch(id)).toMatchObject({
      status: 'stopped',
      stop: { reason: 'rejected', message: 'its approval was rejected: not on a Friday' },
      counts: { not_begun: 3 },
    })
    expect((await exec(fleet, id)).body['code']).toBe('batch-wrong-state')
  })

  it('is withdrawn when the batch is stopped', async () => {
    await using fleet = await start()
    const { id, review } = await asked(fleet)
    await fleet.gateway.request('POST', `/api/batches/${id}/stop`, {}, as('ann'))
    expect(await fleet.batch(id)).toMatchObject({ status: 'stopped', stop: { reason: 'user' } })
    const { body } = await fleet.gateway.request('GET', `/api/reviews/${review}`)
    expect(body).toMatchObject({ status: 'REJECTED', rejection_reason: 'ann stopped the batch' })
  })

  it('is not needed by who needs none anywhere', async () => {
    await using fleet = await start()
    const id = await fleet.begin({}, as('hal'))
    expect((await fleet.ended(id))['review']).toBeNull()
  })

  it('does not count for other connections than those that were approved', async () => {
    await using fleet = await start()
    const { id, review } = await asked(fleet)
    await decide(fleet, 'eve', review, 'APPROVED', { force_review: true })
    const state = path.join(path.dirname(fleet.gateway.repository), 'state')
    const { db } = openFile(path.join(state, 'history.sqlite'), undefined)
    db.exec(`UPDATE batch_runs SET record = replace(record, 'c-3', 'bash')`)
    closeFile(db)
    const { status, body } = await exec(fleet, id)
    expect([status, body['message']]).toEqual([
      403,
      'nothing has run: the connections of the batch differ from the approved connections; request the batch again',
    ])
    expect(fleet.begun).toEqual([])
  })

  it('lets a runbook set its own variables where callers may bring none', async () => {
    const closed = ', access: { exec: false }, review: { groups: [dba] }'
    await using fleet = await Fleet.start(
      2,
      () => ({ code: 0 }),
      { users },
      () => closed,
    )
    fleet.gateway.commit({ 'ops/plain.sh': 'echo {{ .some | default "1" | asenv "SOME" }}' })
    const { id, review } = await asked(fleet)
    await decide(fleet, 'bea', review, 'APPROVED')
    expect((await exec(fleet, id)).status).toBe(202)
    expect((await fleet.ended(id)).counts).toMatchObject({ succeeded: 2 })
  })
})

describe('issues of Jira', () => {
  const prompts = 'prompt_types: { items: [{ label: Squad, jira_field: customfield_2, required: true }] }'

  it('are asked for before each run, also before the one that waits', async () => {
    await using server = await JiraServer.start()
    const connections = `\njira: ${server.settings(`{ ${TEMPLATE} ${prompts} }`)}`
    await using fleet = await Fleet.start(
      2,
      undefined,
      { connections, users },
      (name) => `, jira: t${REVIEWS[name] ?? ''}`,
    )
    const missing = await fleet.create()
    expect([missing.status, missing.body['code']]).toEqual([422, 'batch-refused'])
    expect((missing.body['refusals'] as object[])[0]).toMatchObject({ code: 'invalid-jira-fields' })

    const { id, review, session } = await asked(fleet, { jira_fields: { customfield_2: 'blue' } })
    const waiting = await fleet.gateway.request('GET', `/api/sessions/${session}`)
    expect(waiting.body['integrations_metadata']).toMatchObject({
      jira_issue_key: expect.any(String) as string,
    })
    await decide(fleet, 'eve', review, 'APPROVED', { force_review: true })
    await exec(fleet, id)
    const { runs } = await fleet.ended(id)
    const keys = await Promise.all(
      runs.map(async ({ session_id: sid }) => {
        const { body } = await fleet.gateway.request('GET', `/api/sessions/${String(sid)}`)
        return (body['integrations_metadata'] as Record<string, unknown>)['jira_issue_key']
      }),
    )
    expect(new Set(keys).size).toBe(2)
  })
})

describe('a batch that is to run when it is approved', () => {
  it('runs once on each, by nobody who looks on', async () => {
    await using fleet = await start()
    const { id, review } = await asked(fleet, { when_approved: true })
    await decide(fleet, 'bea', review, 'APPROVED')
    expect(fleet.begun).toEqual([])
    await Promise.all([decide(fleet, 'cid', review, 'APPROVED'), decide(fleet, 'cid', review, 'APPROVED')])
    const batch = await fleet.ended(id)
    expect(statuses(batch)).toEqual(['c-1 succeeded', 'c-2 succeeded', 'c-3 succeeded'])
    expect(batch['review']).toMatchObject({ when_approved: true })
    expect(fleet.begun).toEqual(['c-1', 'c-2', 'c-3'])
    expect((await exec(fleet, id)).body['code']).toBe('batch-wrong-state')
  })

  it('runs nowhere, then or later, where one connection is lost, and says which', async () => {
    await using fleet = await start()
    const { id, review } = await asked(fleet, { when_approved: true })
    await decide(fleet, 'bea', review, 'APPROVED')
    fleet.gateway.configure({ users })
    expect((await fleet.gateway.request('POST', '/api/reload')).status).toBe(200)
    await decide(fleet, 'cid', review, 'APPROVED')
    const { stop } = await fleet.ended(id)
    expect(stop).toMatchObject({ reason: 'rejected' })
    expect(stop?.message).toMatch(/^approved, but not run: 3 of 3 connections refuse: c-1: ann has no access/)
    expect(fleet.begun).toEqual([])
  })
})
