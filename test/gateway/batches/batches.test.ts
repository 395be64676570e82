import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { Fleet, statuses } from './fleet.ts'

const numberOf = (connection: string) => Number(connection.slice(2))
const asOther = { authorization: `Bearer ${otherToken}` }

describe('a batch', () => {
  it('runs a runbook on each of its connections, once, with one batch id', async () => {
    await using fleet = await Fleet.start(3, () => ({ code: 0, output: 'same\n' }))
    const answer = await fleet.create({ connections: ['c-3', 'c-1'], tags: {}, metadata: { why: 'test' } })
    expect([answer.status, answer.body['waves'], answer.body['threshold']]).toEqual([201, [1, 1], 1])
    const batch = await fleet.ended(String(answer.body['id']))
    expect(batch).toMatchObject({
      ...{
        status: 'done',
        owner: 'admin',
        file_name: 'ops/plain.sh',
        runbook_title: 'Greet plainly',
        repository: expect.any(String) as string,
      },
      ...{ metadata: { why: 'test' }, stop: null, review: null },
      counts: { total: 2, succeeded: 2, failed: 0, running: 0, not_begun: 0 },
      groups: [{ exit_code: 0, count: 2, connections: ['c-3', 'c-1'] }],
    })
    expect(fleet.begun).toEqual(['c-3', 'c-1'])
    const { body } = await fleet.gateway.request('GET', `/api/sessions?batch_id=${batch.id}`)
    const sessions = body['data'] as Record<string, unknown>[]
    expect(sessions.map(({ connection }) => connection)).toEqual(['c-1', 'c-3'])
    expect(sessions.map(({ id }) => id)).toEqual(batch.runs.map(({ session_id: id }) => id).reverse())
    expect(sessions[0]).toMatchObject({ session_batch_id: batch.id, labels: { runbookFile: 'ops/plain.sh' } })
  })

  it('of 200 connections stops in the wave in which so many have failed', async () => {
    await using fleet = await Fleet.start(200, (name) => ({ code: numberOf(name) % 10 === 0 ? 3 : 0 }))
    const id = await fleet.begin({ waves: '1,9,50,rest', stop_after: 5, parallel: 10 })
    const batch = await fleet.ended(id)
    expect([batch.status, batch.stop?.reason, batch.counts['failed']]).toEqual(['stopped', 'threshold', 5])
    // The fifth failure is c-50, of the third wave: what ran beside it has gone on to its end.
    const begun = batch.runs.filter(({ status }) => status !== 'not-begun')
    expect(begun.every(({ wave }) => Number(wave) <= 3)).toBe(true)
    expect(begun.length).toBe(fleet.begun.length)
    expect(new Set(fleet.begun).size).toBe(fleet.begun.length)
    expect(begun.length).toBeGreaterThanOrEqual(50)
    expect(begun.length).toBeLessThan(60)
    expect(batch.counts).toMatchObject({ total: 200, running: 0, not_begun: 200 - begun.length })
    expect(batch.runs.filter(({ wave }) => wave === 4).every(({ session_id: sid }) => sid === null)).toBe(
      true,
    )
  })

  it('begins a wave when the one before has ended, with so many at once', async () => {
    await using fleet = await Fleet.start(6, () => 'wait')
    const id = await fleet.begin({ waves: [1, 'rest'], parallel: 2 })
    await fleet.end('c-1')
    await waitFor(() => fleet.begun.length === 3)
    expect((await fleet.batch(id)).counts).toMatchObject({ succeeded: 1, running: 2, not_begun: 3 })
    for (const name of ['c-3', 'c-2', 'c-4', 'c-5', 'c-6']) await fleet.end(name)
    expect((await fleet.ended(id)).status).toBe('done')
    expect(fleet.begun.slice(0, 4)).toEqual(['c-1', 'c-2', 'c-3', 'c-4'])
  })

  it('that is stopped lets what runs go on, and begins nothing', async () => {
    await using fleet = await Fleet.start(4, () => 'wait')
    const id = await fleet.begin({ waves: '2,rest', parallel: 2 })
    await waitFor(() => fleet.begun.length === 2)
    const stopped = await fleet.gateway.request('POST', `/api/batches/${id}/stop`)
    expect(stopped.body).toMatchObject({ status: 'running', stop: { reason: 'user' } })
    await fleet.end('c-1')
    await fleet.end('c-2', 7)
    const batch = await fleet.ended(id)
    expect(statuses(batch)).toEqual(['c-1 succeeded', 'c-2 failed', 'c-3 not-begun', 'c-4 not-begun'])
    expect(batch.stop?.message).toBe('admin stopped the batch')
    expect(fleet.begun).toEqual(['c-1', 'c-2'])
    const again = await fleet.gateway.request('POST', `/api/batches/${id}/stop`, {})
    expect([again.status, again.body['status']]).toEqual([200, 'stopped'])
  })

  it('that is killed ends what runs, too', async () => {
    await using fleet = await Fleet.start(2, () => 'wait')
    const id = await fleet.begin()
    await waitFor(() => fleet.begun.length === 1)
    await fleet.gateway.request('POST', `/api/batches/${id}/stop`, { kill: true })
    const batch = await fleet.ended(id)
    expect(batch.runs[0]).toMatchObject({ status: 'stopped', exit_code: null, code: 'session-killed' })
    expect(batch.runs[1]).toMatchObject({ status: 'not-begun', session_id: null })
  })

  it('counts a run that somebody stopped for itself, and begins nothing after it', async () => {
    await using fleet = await Fleet.start(3, (name) => (name === 'c-2' ? 'wait' : { code: 0 }))
    const id = await fleet.begin({ waves: '1,1,rest' })
    await waitFor(() => fleet.begun.length === 2)
    const { runs } = await fleet.batch(id)
    await fleet.gateway.request('POST', `/api/sessions/${String(runs[1]?.['session_id'])}/kill`)
    const batch = await fleet.ended(id)
    expect(statuses(batch)).toEqual(['c-1 succeeded', 'c-2 stopped', 'c-3 not-begun'])
    expect(batch).toMatchObject({
      counts: { total: 3, succeeded: 1, failed: 0, stopped: 1, running: 0, not_begun: 1 },
      stop: { reason: 'threshold', message: '1 of the runs failed or were stopped' },
    })
  })

  it('goes by the settings of the moment in which each run begins: nothing of what was taken away meanwhile', async () => {
    const connection = (name: string, more = '') =>
      `\n  - { name: ${name}, agent: local, command: [bash], tags: { of: fleet }, runbooks: { repository: rb, path: ops/ }${more} }`
    await using fleet = await Fleet.start(6, (name) => (name === 'c-1' ? 'wait' : { code: 0 }))
    const id = await fleet.begin({ stop_after: '100%' })
    await waitFor(() => fleet.begun.length === 1)
    fleet.gateway.configure({
      connections: [
        connection('c-1'),
        connection('c-3', ', review: { groups: [dba] }'),
        connection('c-4', ', access: { groups: [others] }'),
        connection('c-5', ', access: { runbooks: false }'),
        connection('c-6'),
      ].join(''),
    })
    expect(await fleet.gateway.request('POST', '/api/reload')).toMatchObject({ status: 200 })
    await fleet.end('c-1')
    const { runs, status } = await fleet.ended(id)
    expect(status).toBe('done')
    expect(
      runs.map(({ connection: name, status: end, code, session_id: sid }) => [name, end, code, sid === null]),
    ).toEqual([
      ['c-1', 'succeeded', undefined, false],
      ['c-2', 'failed', 'connection-not-found', true],
      ['c-3', 'failed', 'not-permitted', true],
      ['c-4', 'failed', 'connection-not-found', true],
      ['c-5', 'failed', 'not-permitted', true],
      ['c-6', 'succeeded', undefined, false],
    ])
    expect(fleet.begun).toEqual(['c-1', 'c-6'])
  })

  it.each<[string, ...[method: 'PUT' | 'DELETE' | 'POST', path: string, body?: object][]]>([
    ['was deactivated', ['PUT', '/api/users/ann', { status: 'inactive' }]],
    ['is an auditor now', ['PUT', '/api/users/ann', { groups: ['auditor'] }]],
    [
      'is the name of another user now',
      ['DELETE', '/api/users/ann'],
      ['POST', '/api/users', { email: 'ann', take_over: true }],
    ],
  ])('stops where its owner %s', async (why, ...changes) => {
    await using fleet = await Fleet.start(3, (name) => (name === 'c-1' ? 'wait' : { code: 0 }))
    await fleet.gateway.request('POST', '/api/users', { email: 'ann' })
    const { body } = await fleet.gateway.request('POST', '/api/tokens', { name: 't', user: 'ann' })
    const id = await fleet.begin({ stop_after: '100%' }, { authorization: `Bearer ${String(body['token'])}` })
    await waitFor(() => fleet.begun.length === 1)
    for (const change of changes) expect((await fleet.gateway.request(...change)).status).toBeLessThan(300)
    await fleet.end('c-1')
    const { status, stop, counts } = await fleet.ended(id)
    expect([status, stop?.reason, stop?.message]).toEqual([
      'stopped',
      'not-permitted',
      expect.stringContaining(`ann ${why}`),
    ])
    expect(counts).toMatchObject({ succeeded: 1, not_begun: 2 })
    expect(fleet.begun).toEqual(['c-1'])
  })

  it('has the guardrails of each connection', async () => {
    const runbooks = 'runbooks: { repository: rb, path: ops/ }'
    const guarded = ['free', 'guarded'].map(
      (name) =>
        `\n  - { name: ${name}, agent: local, command: [bash], ${runbooks}${name === 'free' ? '' : ', guardrails: [no-drops]'} }`,
    )
    await using gateway = await RunningGateway.start(
      { 'ops/drop.sh': 'echo DROP TABLE t' },
      {
        connections: guarded.join(''),
        more: 'guardrails: [{ name: no-drops, input: [{ type: deny_words_list, words: [DROP TABLE] }] }]',
      },
    )
    await using agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
    const asked = { file_name: 'ops/drop.sh', connections: ['free', 'guarded'], stop_after: '100%' }
    const { body } = await gateway.request('POST', '/api/batches', asked)
    const place = `/api/batches/${String(body['id'])}`
    await waitFor(async () => (await gateway.request('GET', place)).body['status'] === 'done')
    const { runs } = (await gateway.request('GET', place)).body as { runs: Record<string, unknown>[] }
    expect(runs.map(({ status, exit_code: code }) => [status, code])).toEqual([
      ['succeeded', 0],
      ['failed', 254],
    ])
    const { body: session } = await gateway.request('GET', `/api/sessions/${String(runs[1]?.['session_id'])}`)
    expect(session['guardrails_info']).toMatchObject([{ rule_name: 'no-drops' }])
  })

  it('counts an agent that goes away as a failure', async () => {
    await using fleet = await Fleet.start(3, () => 'wait', { limits: '{ agent-wait: 0s }' })
    const id = await fleet.begin({ waves: 'rest', parallel: 1, stop_after: 2 })
    await waitFor(() => fleet.begun.length === 1)
    await fleet.agent[Symbol.asyncDispose]()
    const batch = await fleet.ended(id)
    expect(batch.runs.map(({ status, code }) => [status, code])).toEqual([
      ['failed', 'agent-lost'],
      ['failed', 'agent-offline'],
      ['not-begun', undefined],
    ])
  })

  it('is for its owner and admins, and as missing as any other for the rest', async () => {
    await using fleet = await Fleet.start(1)
    const [mine, theirs] = [await fleet.begin(), await fleet.begin({}, asOther)]
    await fleet.ended(theirs)
    const ids = async (headers = {}) => {
      const { body } = await fleet.gateway.request('GET', '/api/batches', undefined, headers)
      return (body as unknown as { id: string }[]).map(({ id }) => id)
    }
    expect([await ids(), await ids(asOther)]).toEqual([[theirs, mine], [theirs]])
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/diff'],
      ['POST', '/stop'],
      ['POST', '/exec'],
    ] as const) {
      const url = `/api/batches/${mine}${path}`
      const { status, body } = await fleet.gateway.request(method, url, undefined, asOther)
      expect([status, body['code']]).toEqual([404, 'batch-not-found'])
    }
    const done = await fleet.gateway.request('POST', `/api/batches/${mine}/exec`)
    expect([done.status, done.body['code']]).toEqual([409, 'batch-wrong-state'])
  })
})

describe('the difference', () => {
  it('is shown beside what most have written', async () => {
    const outputs: Record<string, string> = { 'c-4': 'one\ntwo\n', 'c-5': 'one\n2\nthree\n' }
    await using fleet = await Fleet.start(6, (name) =>
      name === 'c-6'
        ? { code: 9, output: 'one\ntwo\nthree\n' }
        : { code: 0, output: outputs[name] ?? 'one\ntwo\nthree\n' },
    )
    const id = await fleet.begin({ stop_after: '100%' })
    await fleet.ended(id)
    const { body } = await fleet.gateway.request('GET', `/api/batches/${id}/diff`)
    expect(body).toMatchObject({
      ...{ same: 3, differ: 3, more_groups: 0 },
      usual: { exit_code: 0, count: 3, connections: ['c-1', 'c-2', 'c-3'] },
    })
    const differences = body['differences'] as {
      connections: string[]
      diff: string | null
      note: string | null
    }[]
    expect(differences.map(({ connections }) => connections)).toEqual([['c-4'], ['c-5'], ['c-6']])
    expect(differences[0]?.diff).toContain('--- c-1\n+++ c-4\n@@ -1,3 +1,2 @@\n one\n two\n-three\n')
    expect(differences[1]?.diff).toContain('-two\n+2\n')
    expect([differences[2]?.diff, differences[2]?.note]).toEqual([
      null,
      expect.stringContaining('the output is the same'),
    ])
  })
})

describe('the comparison of a batch', () => {
  it('has the last lines of stderr of each failed run, and of nothing else', async () => {
    const errors = `first\n\nsecond\r\n${'x'.repeat(400)}\nlast\n`
    await using fleet = await Fleet.start(3, (name) =>
      name === 'c-1' ? { code: 0, errors } : { code: 7, output: 'told\n', ...(name === 'c-2' && { errors }) },
    )
    const id = await fleet.begin({ stop_after: '100%' })
    await fleet.ended(id)
    const { body } = await fleet.gateway.request('GET', `/api/batches/${id}/diff`)
    expect(body['failures']).toEqual([
      { connection: 'c-2', lines: ['second', `${'x'.repeat(299)}…`, 'last'] },
      { connection: 'c-3', lines: [] },
    ])
  })
})

/** The same lines of one digit each, which begin at another place. */
function rotated(by: number): string {
  let state = 1
  const digits = Array.from({ length: 16_000 }, () => (state = (state * 48271) % 2147483647) % 10)
  return [...digits.slice(by), ...digits.slice(0, by)].join('\n')
}

describe('the difference of outputs that have little in common', () => {
  it('is given up after some changed lines, and lets other requests be answered meanwhile', async () => {
    await using fleet = await Fleet.start(7, (name) => ({
      code: 0,
      output: rotated(Number(name.slice(2)) * 2000),
    }))
    const id = await fleet.begin({})
    await fleet.ended(id)
    const order: string[] = []
    const ask = async (path: string) => {
      const { body } = await fleet.gateway.request('GET', path)
      order.push(path)
      return body
    }
    const [body] = await Promise.all([ask(`/api/batches/${id}/diff`), ask('/api/connections')])
    expect(order).toEqual(['/api/connections', `/api/batches/${id}/diff`])
    const notes = (body['differences'] as { note: string | null; connections: string[] }[]).map(
      ({ note, connections }) => [connections[0], note],
    )
    const given = 'more than 500 lines differ'
    const left = 'not compared: the groups above differ in too many lines already'
    expect(notes).toEqual([
      ...[2, 3, 4].map((at) => [`c-${at}`, given]),
      ...[5, 6, 7].map((at) => [`c-${at}`, left]),
    ])
  })
})

describe('the check of a batch', () => {
  it('tells all refusals before anything has run', async () => {
    await using fleet = await Fleet.start(2, undefined, {
      connections: `
  - { name: closed, agent: local, command: [bash], tags: { of: fleet }, runbooks: { repository: rb }, access: { runbooks: false } }
  - { name: elsewhere, agent: local, command: [bash], tags: { of: fleet }, runbooks: { repository: rb, path: other/ } }
  - { name: without, agent: local, command: [bash], tags: { of: fleet } }`,
    })
    const { status, body } = await fleet.create({ connections: ['c-1', 'without', 'elsewhere', 'closed'] })
    expect([status, body['code']]).toEqual([422, 'batch-refused'])
    expect(
      (body['refusals'] as { connection: string; code: string }[]).map((one) => [one.connection, one.code]),
    ).toEqual([
      ['without', 'runbooks-not-configured'],
      ['elsewhere', 'runbook-not-found'],
    ])
    expect(body['message']).toMatch(/^nothing has run, 2 of 4 connections refuse: without: /)
    const closed = await fleet.create({ connections: ['c-1', 'closed'] })
    expect((closed.body['refusals'] as object[])[0]).toMatchObject({
      connection: 'closed',
      code: 'not-permitted',
    })
    const unknown = await fleet.create({ connections: ['c-1', 'nope', 'bash'] })
    expect((unknown.body['refusals'] as object[])[0]).toMatchObject({
      connection: 'nope',
      code: 'connection-not-found',
    })
    expect((unknown.body['refusals'] as object[])[1]).toMatchObject({
      connection: 'bash',
      message: 'the connection does not have these tags',
    })
    expect(fleet.begun).toEqual([])
    expect((await fleet.gateway.request('GET', '/api/batches')).body).toEqual([])
  })

  let fleet: Fleet
  beforeAll(async () => {
    fleet = await Fleet.start(1)
    // The repository's git process starts with the first read and stays.
    await fleet.ended(await fleet.begin())
    fleet.begun.length = 0
    fleet.gateway.commit({ 'ops/needs.sh': 'echo {{ .x | required "x is needed" }}' })
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  it.each([
    [{ tags: {} }, 400, 'invalid-request'],
    [{ tags: { of: 'nothing' } }, 404, 'connection-not-found'],
    [{ tags: { 'a,b': 'c' } }, 400, 'invalid-request'],
    [{ file_name: 'ops/none.sh' }, 404, 'runbook-not-found'],
    [{ file_name: 'ops/needs.sh' }, 400, 'invalid-parameters'],
    [{ repository: 'nope' }, 422, 'batch-refused'],
    [{ waves: '1,x' }, 400, 'invalid-request'],
    [{ waves: '' }, 400, 'invalid-request'],
    [{ stop_after: '0' }, 400, 'invalid-request'],
    [{ stop_after: '101%' }, 400, 'invalid-request'],
    [{ parallel: 51 }, 400, 'invalid-request'],
    [{ connections: 'c-1' }, 400, 'invalid-request'],
  ])('refuses %j', async (body, status, code) => {
    const answer = await fleet.create(body)
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    expect(fleet.begun).toEqual([])
  })
})
