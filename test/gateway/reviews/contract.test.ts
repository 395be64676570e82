import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { base64 } from '../../support/scripted/open.ts'
import { refusal, ReviewSite, type Name } from './site.ts'

// One gateway and one agent for the whole file: reviews as callers and reviewers see them, by HTTP.

let site: ReviewSite
beforeAll(async () => {
  site = await ReviewSite.start()
})
afterAll(() => site[Symbol.asyncDispose]())

const id = expect.stringMatching(/^[0-9a-f-]{36}$/) as string
const date = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string
const NOBODY = '00000000-0000-4000-8000-000000000000'

describe('a request for approval', () => {
  it('answers with the url of the review, and nothing reaches the agent', async () => {
    const { status, body } = await site.as('ann', 'POST', '/api/sessions', {
      connection: 'one',
      script: 'echo hi',
    })
    expect(status).toBe(200)
    expect(body).toEqual({
      has_review: true,
      session_id: id,
      output: `${site.gateway.gateway.http}/sessions/${String(body['session_id'])}`,
      output_status: 'success',
      truncated: false,
      execution_time: expect.any(Number) as number,
      exit_code: 0,
      ai_analysis: null,
    })
    expect(JSON.stringify(site.agent.entries)).not.toContain(body['session_id'])
    expect(await site.session(String(body['session_id']))).toMatchObject({
      ...{ status: 'open', exit_code: null, end_date: null, user: 'ann' },
      review: { status: 'PENDING' },
    })
  })

  it('shows the review as hoop does, with the hash of the script', async () => {
    const sid = await site.ask('echo "shape"', 'one', {
      client_args: ['-s'],
      env_vars: { 'envvar:A': base64('1') },
    })
    const { status, body } = await site.as('bea', 'GET', `/api/reviews/${sid}`)
    expect(status).toBe(200)
    const group = (name: string) => ({
      ...{ id, group: name, status: 'PENDING', reviewed_by: null, review_date: null, forced_review: false },
    })
    const review = {
      id,
      type: 'onetime',
      access_duration: 0,
      status: 'PENDING',
      revoke_at: null,
      created_at: date,
      review_groups_data: [group('dba'), group('sre')],
      time_window: null,
      access_request_rule_name: null,
      min_approvals: 1,
      force_approval_groups: ['boss'],
      connection: 'one',
      owner: 'ann',
      expires_at: date,
      script_sha256: createHash('sha256').update('echo "shape"').digest('hex'),
      client_args: ['-s'],
      env_vars: ['envvar:A'],
    }
    const can = { approve: true, force: false, reject: true, revoke: false, withdraw: false }
    // facts.test.ts has the facts for a decision.
    const facts = {
      summary: { first_line: 'echo "shape"', lines: 1 },
      brings_input: true,
      facts: { is_first_by_requester: expect.any(Boolean) as boolean },
      rule: [{ groups: ['dba', 'sre'], minimum: 1 }],
      missing: [{ groups: ['dba', 'sre'], minimum: 1 }],
      your_approval: { groups: ['dba'], missing: [] },
      approvers: expect.any(Array) as unknown[],
      outcomes: { requester: expect.any(Array) as unknown[] },
    }
    expect(body).toEqual({ ...review, session: sid, can, ...facts })
    expect((await site.session(sid))['review']).toEqual(review)
    expect((await site.as('bea', 'GET', `/api/reviews/${String(body['id'])}`)).body).toEqual(body)
  })

  it('is made for runbooks by the first rule that matches the file, else by that of the connection', async () => {
    const run = (file_name: string) =>
      site.as('ann', 'POST', '/api/plugins/runbooks/connections/books/exec', {
        ...{ file_name, parameters: { pw: 'sesame-42', table: 't' } },
      })
    expect((await run('ops/free.sh')).body).toMatchObject({ has_review: false, output: 'free\n' })
    const groupsOf = async (file: string) => {
      const { body } = await run(file)
      const review = await site.as('admin', 'GET', `/api/reviews/${String(body['session_id'])}`)
      const groups = review.body['review_groups_data'] as { group: string }[]
      return [groups.map(({ group }) => group), review.body['access_request_rule_name']]
    }
    expect(await groupsOf('ops/danger/drop.runbook.sh')).toEqual([['sre'], 'ops/danger/*'])
    expect(await groupsOf('ops/danger/deep/drop.sh')).toEqual([['dba'], null])
    expect(await groupsOf('ops/plain.sh')).toEqual([['dba'], null])
  })

  it('is made by the second runbook interface, too', async () => {
    const { body } = await site.as('ann', 'POST', '/api/runbooks/exec', {
      ...{ connection_name: 'books', repository: 'rb', file_name: 'ops/plain.sh' },
    })
    expect(body).toMatchObject({ has_review: true, exit_code: 0 })
  })

  it('is not needed by members of a group that skips it', async () => {
    const { body } = await site.as('hal', 'POST', '/api/sessions', {
      connection: 'one',
      script: 'echo skipped',
    })
    expect(body).toMatchObject({ has_review: false, output: 'skipped\n' })
  })

  it('is not made for a disabled connection', async () => {
    const { body } = await site.as('ann', 'POST', '/api/sessions', { connection: 'closed', script: 'echo' })
    expect(body).toMatchObject({ has_review: false, exit_code: -2, code: 'not-permitted' })
  })

  it('refuses arguments that nobody could read', async () => {
    const body = { connection: 'one', script: '', client_args: ['x'.repeat(65_537)] }
    expect(refusal(await site.as('ann', 'POST', '/api/sessions', body))).toEqual([
      422,
      'client_args that need an approval may have at most 64 KiB',
    ])
  })

  it('keeps secrets until the run, and nobody can read them', async () => {
    const { body } = await site.as('ann', 'POST', '/api/plugins/runbooks/connections/books/exec', {
      ...{ file_name: 'ops/danger/drop.runbook.sh', parameters: { pw: 'sesame-4242', table: 'people' } },
      ...{ env_vars: { 'envvar:API_TOKEN': base64('open-barley-77') }, client_args: ['-s'] },
    })
    const sid = String(body['session_id'])
    const review = await site.as('cid', 'GET', `/api/reviews/${sid}`)
    expect(review.body).toMatchObject({
      script_hmac_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    })
    const session = await site.session(sid, 'cid')
    const seen = JSON.stringify([review.body, session])
    expect(seen).toContain('people')
    expect(seen).not.toMatch(/sesame|barley/)
    const state = path.join(path.dirname(site.gateway.repository), 'state')
    for (const file of readdirSync(state).filter((name) => statSync(path.join(state, name)).isFile())) {
      const bytes = readFileSync(path.join(state, file)).toString('latin1')
      for (const secret of ['sesame-4242', base64('open-barley-77'), base64('sesame-4242')])
        expect([file, bytes.includes(secret)]).toEqual([file, false])
    }
    expect(statSync(path.join(state, 'reviews.key')).mode & 0o777).toBe(0o600)
    await site.say('cid', sid, 'APPROVED')
    expect((await site.run('ann', sid)).body).toMatchObject({ output: 'sesame-4242 people\n', exit_code: 0 })
  })
})

describe('a decision', () => {
  it('approves with one of the groups, and the session is ready', async () => {
    const sid = await site.ask('echo')
    const { status, body } = await site.say('bea', sid, 'approved')
    expect(status).toBe(200)
    expect(body).toMatchObject({ status: 'APPROVED', session: sid, revoke_at: date })
    expect(body['review_groups_data']).toMatchObject([
      {
        group: 'dba',
        status: 'APPROVED',
        reviewed_by: { id: 'bea', name: 'bea', email: 'bea', slack_id: '' },
        review_date: date,
      },
      { group: 'sre', status: 'PENDING', reviewed_by: null },
    ])
    expect(await site.session(sid)).toMatchObject({ status: 'ready', exit_code: null })
  })

  it('approves when a reviewer is in two groups and one is enough', async () => {
    const sid = await site.ask('echo')
    expect((await site.say('dan', sid, 'APPROVED')).body).toMatchObject({
      status: 'APPROVED',
      review_groups_data: [{ status: 'APPROVED' }, { status: 'APPROVED' }],
    })
  })

  it('waits for all groups where all have to approve', async () => {
    const sid = await site.ask('echo', 'both')
    expect((await site.say('bea', sid, 'APPROVED')).body['status']).toBe('PENDING')
    expect((await site.say('cid', sid, 'APPROVED')).body).toMatchObject({
      status: 'APPROVED',
      min_approvals: 2,
    })
  })

  it('answers at the path of the session, too', async () => {
    const sid = await site.ask('echo')
    const { status, body } = await site.as('bea', 'PUT', `/api/sessions/${sid}/review`, {
      status: 'APPROVED',
    })
    expect([status, body['status']]).toEqual([200, 'APPROVED'])
  })

  it('rejects with a reason: the session is done, with 254, and says why', async () => {
    const sid = await site.ask('echo')
    const { body } = await site.say('cid', sid, 'REJECTED', { rejection_reason: 'not on\nFriday' })
    expect(body).toMatchObject({ status: 'REJECTED', rejection_reason: 'not on\nFriday' })
    expect(await site.session(sid)).toMatchObject({ status: 'done', exit_code: 254, end_date: date })
    const { body: record } = await site.as(
      'ann',
      'GET',
      `/api/sessions/${sid}?expand=event_stream&event_stream=utf8`,
    )
    expect(record['event_stream']).toEqual([
      'Access to connection has been denied\n  Reason: not on Friday\n  Rejected by cid',
    ])
  })

  it('revokes what was approved, once and for all, and rejects and approves it no more', async () => {
    const sid = await site.ask('echo')
    await site.say('bea', sid, 'APPROVED')
    const late = [400, 'review is in wrong state']
    for (const name of ['cid', 'bea', 'admin'] as const) {
      expect(refusal(await site.say(name, sid, 'REJECTED'))).toEqual(late)
      expect(refusal(await site.say(name, sid, 'APPROVED'))).toEqual(late)
    }
    expect(refusal(await site.say('eve', sid, 'REJECTED', { force_review: true }))).toEqual(late)
    expect((await site.say('cid', sid, 'REVOKED')).body['status']).toBe('REVOKED')
    expect(await site.session(sid)).toMatchObject({ status: 'done', exit_code: 254 })
    expect(refusal(await site.run('ann', sid))).toEqual([403, 'review not approved or already executed'])
    expect(refusal(await site.say('bea', sid, 'APPROVED'))).toEqual(late)
  })

  it('lets owners and admins reject without being reviewers, and adds an entry for them', async () => {
    const own = await site.ask('echo')
    const { body } = await site.say('ann', own, 'REJECTED')
    expect((body['review_groups_data'] as object[])[2]).toMatchObject({ group: 'dev', status: 'REJECTED' })
    const sid = await site.ask('echo')
    const byAdmin = await site.say('admin', sid, 'REJECTED')
    expect((byAdmin.body['review_groups_data'] as object[])[2]).toMatchObject({ group: 'admin' })
  })

  it('refuses the approval of an admin who is no reviewer', async () => {
    const sid = await site.ask('echo')
    expect(refusal(await site.say('admin', sid, 'APPROVED'))).toEqual([400, 'not eligible for review'])
  })

  it('lets members of a force group approve alone', async () => {
    const sid = await site.ask('echo')
    expect((await site.say('eve', sid, 'APPROVED', { force_review: true })).body).toMatchObject({
      status: 'APPROVED',
      review_groups_data: [{}, {}, { group: 'boss', status: 'APPROVED', forced_review: true }],
    })
  })

  it.each<[string, Name, object, [number, string]]>([
    ['no status', 'bea', {}, [400, 'status: is required']],
    [
      'a word that is no status',
      'bea',
      { status: 'LATER' },
      [400, 'failed updating review status: unknown status'],
    ],
    [
      'half a time window',
      'bea',
      { status: 'APPROVED', time_window: { configuration: { start_time: '01:00' } } },
      [400, 'both from and to time must be provided'],
    ],
    [
      'a start that is no time',
      'bea',
      { status: 'APPROVED', time_window: { configuration: { start_time: '1:00', end_time: '02:00' } } },
      [400, 'invalid start_time format, expected HH:MM in 24-hour format'],
    ],
    [
      'an end that is no time',
      'bea',
      { status: 'APPROVED', time_window: { configuration: { start_time: '01:00', end_time: '24:00' } } },
      [400, 'invalid end_time format, expected HH:MM in 24-hour format'],
    ],
    [
      'force without a force group',
      'bea',
      { status: 'APPROVED', force_review: true },
      [400, 'not eligible for review'],
    ],
    ['the owner', 'ann', { status: 'APPROVED' }, [400, 'unable to self approve review']],
    ['somebody else', 'gus', { status: 'APPROVED' }, [400, 'not eligible for review']],
    ['somebody else who rejects', 'gus', { status: 'REJECTED' }, [400, 'not eligible for review']],
    ['an auditor', 'fay', { status: 'APPROVED' }, [403, 'access denied']],
    ['revoking what is not approved', 'bea', { status: 'REVOKED' }, [400, 'review is in wrong state']],
  ])('refuses %s', async (_, name, body, expected) => {
    const sid = await site.ask('echo')
    expect(refusal(await site.as(name, 'PUT', `/api/reviews/${sid}`, body))).toEqual(expected)
    expect((await site.session(sid))['review']).toMatchObject({ status: 'PENDING' })
  })

  it('takes a time window once', async () => {
    const sid = await site.ask('echo', 'both')
    const time_window = { type: 'time_range', configuration: { start_time: '01:00', end_time: '02:00' } }
    expect((await site.say('bea', sid, 'APPROVED', { time_window })).body).toMatchObject({ time_window })
    expect(refusal(await site.say('cid', sid, 'APPROVED', { time_window }))).toEqual([
      400,
      'failed updating review status: time window can only be set once',
    ])
  })

  it('lets owners approve where a setting says so', async () => {
    const sid = await site.ask('echo', 'own', {}, 'bea')
    expect((await site.say('bea', sid, 'APPROVED')).body['status']).toBe('APPROVED')
    const other = await site.ask('echo', 'one', {}, 'bea')
    expect(refusal(await site.say('bea', other, 'APPROVED'))).toEqual([400, 'unable to self approve review'])
  })

  it.each(['nope', NOBODY, '%00', '..%2f'])('answers 404 for the id %s', async (unknown) => {
    expect(refusal(await site.say('bea', unknown, 'APPROVED'))).toEqual([404, 'review not found'])
    expect(refusal(await site.as('bea', 'GET', `/api/reviews/${unknown}`))).toEqual([
      404,
      'resource not found',
    ])
    expect(refusal(await site.run('bea', unknown))).toEqual([404, 'reviewed session not found'])
  })
})

describe('the run of an approved script', () => {
  it('runs the stored script under the same id, once', async () => {
    const sid = await site.ask('echo "$0 $A $1"; exit 3', 'one', {
      ...{ client_args: ['-s', '--', 'argument'], env_vars: { 'envvar:A': base64('variable') } },
    })
    expect(refusal(await site.run('ann', sid))).toEqual([403, 'review not approved or already executed'])
    await site.say('bea', sid, 'APPROVED')
    const { status, body } = await site.run('ann', sid)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      ...{ has_review: false, session_id: sid, output: 'bash variable argument\n', exit_code: 3 },
      ...{ output_status: 'failed' },
    })
    expect(await site.session(sid)).toMatchObject({
      ...{ status: 'done', exit_code: 3, review: { status: 'EXECUTED' } },
    })
    expect(refusal(await site.run('ann', sid))).toEqual([403, 'review not approved or already executed'])
    expect(refusal(await site.say('bea', sid, 'REJECTED'))).toEqual([400, 'review is in wrong state'])
  })

  it('is for owners and admins', async () => {
    const sid = await site.ask('echo')
    await site.say('bea', sid, 'APPROVED')
    expect(refusal(await site.run('bea', sid))).toEqual([403, 'unable to execute session'])
    expect(refusal(await site.run('gus', sid))).toEqual([403, 'unable to execute session'])
    expect(refusal(await site.run('fay', sid))).toEqual([403, 'access denied'])
    expect((await site.run('admin', sid)).body).toMatchObject({ exit_code: 0 })
  })

  it('runs once when twenty ask at the same moment', async () => {
    const sid = await site.ask('echo ran; sleep 0.5')
    await site.say('bea', sid, 'APPROVED')
    const answers = await Promise.all(Array.from({ length: 20 }, () => site.run('ann', sid)))
    const refused = answers.filter(({ status }) => status !== 200)
    expect(refused).toHaveLength(19)
    for (const answer of refused)
      expect([
        [409, `the session ${sid} is already being processed`],
        [403, 'review not approved or already executed'],
      ]).toContainEqual(refusal(answer))
    expect(refused.map(({ status }) => status)).toContain(409)
    expect(answers.find(({ status }) => status === 200)?.body).toMatchObject({ output: 'ran\n' })
  })

  it('refuses a time outside the window, and burns nothing', async () => {
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16)
    const sid = await site.ask('echo in time', 'own', {}, 'ann')
    const [start_time, end_time] = [at(120), at(180)]
    await site.say('bea', sid, 'APPROVED', { time_window: { configuration: { start_time, end_time } } })
    expect(refusal(await site.run('ann', sid))).toEqual([
      403,
      `execution not allowed outside the time window ${start_time} to ${end_time} UTC`,
    ])
    expect(await site.session(sid)).toMatchObject({ status: 'ready', review: { status: 'APPROVED' } })
    const other = await site.ask('echo in time', 'own', {}, 'ann')
    const window = { start_time: at(-60), end_time: at(60) }
    await site.say('bea', other, 'APPROVED', { time_window: { configuration: window } })
    expect((await site.run('ann', other)).body).toMatchObject({ output: 'in time\n' })
  })

  it('ends a session that is killed while it waits', async () => {
    for (const isApproved of [false, true]) {
      const sid = await site.ask('echo')
      if (isApproved) await site.say('bea', sid, 'APPROVED')
      expect(refusal(await site.as('bea', 'POST', `/api/sessions/${sid}/kill`))).toEqual([
        404,
        'session not found',
      ])
      expect((await site.as('ann', 'POST', `/api/sessions/${sid}/kill`)).status).toBe(204)
      expect(await site.session(sid)).toMatchObject({
        ...{ status: 'done', exit_code: 254, state: { name: 'withdrawn', text: 'withdrawn by ann' } },
        review: {
          status: isApproved ? 'REVOKED' : 'REJECTED',
          rejection_reason: 'session killed by the user',
          withdrawn_by: 'ann',
        },
      })
      expect(refusal(await site.run('ann', sid))).toEqual([403, 'review not approved or already executed'])
    }
  })
})

describe('the REST interface', () => {
  it('shows sessions that wait to their reviewers, without what they write', async () => {
    const sid = await site.ask('echo visible')
    await site.say('bea', sid, 'APPROVED')
    await site.run('ann', sid)
    const url = `/api/sessions/${sid}`
    expect(await site.session(sid, 'cid')).toMatchObject({
      script: { data: 'echo visible' },
      may_read_output: false,
    })
    expect((await site.as('cid', 'GET', `${url}?expand=event_stream`)).body).not.toHaveProperty(
      'event_stream',
    )
    for (const part of ['result/stream', 'stream', 'output', 'statements'])
      expect([part, ...refusal(await site.as('cid', 'GET', `${url}/${part}`))]).toEqual([
        ...[part, 403, 'user is not allowed to stream this session'],
      ])
    expect(refusal(await site.as('gus', 'GET', url))).toEqual([404, 'not found'])
    expect((await site.as('fay', 'GET', `${url}?expand=event_stream&event_stream=utf8`)).body).toMatchObject({
      may_read_output: true,
      event_stream: ['visible\n'],
    })
  })

  it('lists reviews and sessions that concern one', async () => {
    const sid = await site.ask('echo', 'books')
    const reviewsOf = async (name: Name) => {
      const { body } = await site.as(name, 'GET', '/api/reviews')
      return (body as unknown as { session: string }[]).some(({ session }) => session === sid)
    }
    const sessionsOf = async (name: Name, query = '') => {
      const { body } = await site.as(name, 'GET', `/api/sessions?connection=books&limit=100${query}`)
      return (body['data'] as { id: string }[]).some((session) => session.id === sid)
    }
    for (const [name, sees] of [
      ['ann', true],
      ['bea', true],
      ['cid', false],
      ['fay', true],
      ['admin', true],
      ['gus', false],
    ] as const)
      expect([name, await reviewsOf(name), await sessionsOf(name)]).toEqual([name, sees, sees])
    expect(await sessionsOf('admin', '&review.status=PENDING')).toBe(true)
    expect(await sessionsOf('admin', '&review.status=APPROVED')).toBe(false)
    expect(await sessionsOf('admin', '&review.status=')).toBe(false)
    expect(await sessionsOf('admin', '&review.status=%25')).toBe(true)
    expect(await sessionsOf('admin', '&review.status=P%25ING')).toBe(true)
    expect(await sessionsOf('admin', '&review.approver=bea')).toBe(true)
    expect(await sessionsOf('admin', '&review.approver=cid')).toBe(false)
    expect(await sessionsOf('admin', '&review.approver=nobody')).toBe(false)
    expect(await sessionsOf('bea', '&review.approver=bea')).toBe(true)
    // Who is in which group is told to admins and auditors.
    expect(await sessionsOf('fay', '&review.approver=bea')).toBe(true)
    expect(await sessionsOf('ann', '&review.approver=bea')).toBe(false)
    expect(await sessionsOf('eve', '&review.approver=bea')).toBe(false)
    expect(refusal(await site.as('cid', 'GET', `/api/reviews/${sid}`))).toEqual([404, 'resource not found'])
  })
})
