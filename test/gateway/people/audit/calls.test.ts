import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ScriptedClient } from '../../../support/scripted/scripted-client.ts'
import { waitFor } from '../../../support/wait.ts'
import { otherToken, RunningGateway, userToken, type Answer } from '../../../support/sites/running-gateway.ts'

// What the audit log says of calls. No agent: sessions begin, and end without one.

const AUDITOR = 'token-of-auditor-0123456789'
const SECRET = 'gWx7Q-a-secret-of-a-body'
const connections = `
  - { name: asked, agent: local, command: [bash], review: { groups: [dba] } }`

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start(
    {},
    {
      connections,
      users: `\n  - { name: fay, token: ${AUDITOR}, groups: [auditor] }`,
      limits: '{ agent-wait: 0s }',
    },
  )
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: '1' } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const as = (token: string) => ({ authorization: `Bearer ${token}` })
const asOther = as(otherToken)
type Entry = Record<string, unknown>

async function logs(query = ''): Promise<Entry[]> {
  const { body } = await gateway.request(
    'GET',
    `/api/audit/logs?page_size=100&${query}`,
    undefined,
    as(AUDITOR),
  )
  return body['data'] as Entry[]
}

/** What came behind an entry, the oldest first, without looking at the log itself. */
async function since(head: number): Promise<Entry[]> {
  return (await logs(`after=${head}`)).filter((entry) => entry['resource_type'] !== 'audit')
}

async function head(): Promise<number> {
  return (await gateway.request('GET', '/api/audit/head', undefined, as(AUDITOR))).body['sequence'] as number
}

const told = ({ actor, action, http_status: status, outcome, stage }: Entry) => [
  ...[actor, action, status, outcome, stage],
]

async function asked(): Promise<string> {
  const { body } = await gateway.script(`echo ${SECRET}`, {
    connection: 'asked',
    metadata: { password: SECRET },
  })
  return String(body['session_id'])
}

describe('the audit log', () => {
  it('has a decision before it is made, and what became of it', async () => {
    const id = await asked()
    const before = await head()
    const decided = await gateway.request('PUT', `/api/reviews/${id}`, { status: 'REJECTED' }, asOther)
    expect(decided.status).toBe(200)
    const [ask, done] = await since(before)
    expect([ask, done].map((entry) => told(entry ?? {}))).toEqual([
      ['other', 'decide', 0, true, 'asked'],
      ['other', 'decide', 200, true, 'done'],
    ])
    expect(done).toMatchObject({
      ...{ asked: ask?.['sequence'], resource_type: 'reviews', resource_id: id, client_ip: '127.0.0.1' },
      ...{ http_method: 'PUT', http_path: `/api/reviews/${id}`, error_message: '' },
      request_payload_redacted: { status: 'REJECTED' },
      ...{ actor_subject: 'other', actor_email: 'other', actor_name: 'other' },
    })
  })

  it('shows a change once: with its end, where there is one', async () => {
    const id = await asked()
    await gateway.request('POST', `/api/sessions/${id}/kill`)
    const shown = await logs(`http_path=/api/sessions/${id}/kill`)
    expect(shown.map(told)).toEqual([['admin', 'kill', 204, true, 'done']])
  })

  it('has each session that begins, in words that give no secret away', async () => {
    const before = await head()
    const waiting = await asked()
    const ran = await gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: SECRET } })
    const entries = await since(before)
    expect(entries.map(told)).toEqual([
      ['admin', 'execute', 0, true, 'done'],
      ['admin', 'execute', 0, true, 'done'],
    ])
    expect(entries.map(({ resource_id: id, request_payload_redacted: payload }) => [id, payload])).toEqual([
      [waiting, { connection: 'asked', origin: 'client-api', verb: 'exec', waits_for_approval: true }],
      [
        ran.body['session_id'],
        expect.objectContaining({ connection: 'bash', runbook: 'ops/a.runbook.sh' }) as unknown,
      ],
    ])
    expect(JSON.stringify(await logs())).not.toContain(SECRET)
  })

  it('has executions and changes that were refused, with the reason and without their secrets', async () => {
    const before = await head()
    await gateway.script(SECRET, { connection: 'none', env_vars: { 'envvar:A': SECRET } })
    const metadata = { metadata: { api_key: SECRET, ticket: 7 } }
    await gateway.request('PATCH', '/api/sessions/none/metadata', metadata, asOther)
    const [refused, , patched] = await since(before)
    expect(told(refused ?? {})).toEqual(['admin', 'execute', 400, false, 'done'])
    expect(refused).toMatchObject({
      error_message: expect.stringContaining('none') as unknown,
      request_payload_redacted: { connection: 'none', script: '[REDACTED]', env_vars: '[REDACTED]' },
    })
    expect(told(patched ?? {})).toEqual(['other', 'update', 404, false, 'done'])
    expect(patched?.['request_payload_redacted']).toEqual({ metadata: { api_key: '[REDACTED]', ticket: 7 } })
  })

  it('has who saw and who downloaded a session, and says the same only once', async () => {
    const id = await asked()
    const before = await head()
    for (let i = 0; i < 3; i++) await gateway.request('GET', `/api/sessions/${id}`, undefined, asOther)
    await gateway.request('GET', `/api/sessions/${id}`, undefined, as(AUDITOR))
    const link = await gateway.request('GET', `/api/sessions/${id}?extension=txt`)
    const answer = await fetch(String(link.body['download_url']), { headers: { connection: 'close' } })
    await answer.arrayBuffer()
    const entries = await since(before)
    expect(entries.map(told)).toEqual([
      ['other', 'view', 200, true, 'done'],
      ['fay', 'view', 200, true, 'done'],
      ['admin', 'view', 200, true, 'done'],
      ['admin', 'download', 200, true, 'done'],
    ])
    expect(entries.at(-1)?.['http_path']).toBe(`/api/sessions/${id}/download`)
  })

  it('has each export with its filters, also of itself, and no text that was searched in parameters', async () => {
    const before = await head()
    const fetched = async (path: string) => {
      const headers = { ...as(AUDITOR), connection: 'close' }
      const answer = await fetch(`${gateway.gateway.http}${path}`, { headers })
      await answer.arrayBuffer()
      expect(answer.status).toBe(200)
    }
    for (const filters of ['', '', '?actor=other&format=csv']) await fetched(`/api/audit/export${filters}`)
    await fetched(`/api/sessions/export?user=other&parameter=${SECRET}&token=${SECRET}`)
    const exports = (await logs(`after=${before}`)).filter(({ action }) => action === 'download')
    expect(exports.map((entry) => [entry['http_path'], entry['request_payload_redacted']])).toEqual([
      ['/api/audit/export', null],
      ['/api/audit/export', null],
      ['/api/audit/export', { actor: 'other', format: 'csv' }],
      ['/api/sessions/export', { user: 'other', parameter: '[REDACTED]' }],
    ])
  })

  it('has who signed in, and only the first of many guesses', async () => {
    const before = await head()
    const signIn = (password: string): Promise<Answer> =>
      gateway.request('POST', '/api/localauth/login', { email: 'admin', password })
    await signIn(userToken)
    for (let i = 0; i < 5; i++) await signIn(`guess-${i}-of-somebody`)
    for (let i = 0; i < 5; i++) await gateway.request('GET', '/api/agents', undefined, as(`guess-${i}`))
    const entries = await since(before)
    expect(entries.map(told)).toEqual([
      ['admin', 'sign-in', 200, true, 'done'],
      ['', 'sign-in', 0, false, 'done'],
    ])
    expect(entries[1]?.['request_payload_redacted']).toEqual({ attempts: 1 })
    expect(JSON.stringify(entries)).not.toMatch(/guess|a-token/)
  })

  it('has nothing of what is asked for without a token, and one entry of sign-ins that fail in other ways', async () => {
    const before = await head()
    const nobody = { authorization: '' }
    for (let i = 0; i < 3; i++) await gateway.request('GET', `/api/sessions/s${i}`, undefined, nobody)
    for (let i = 0; i < 3; i++) {
      const body = { code: `code-${i}`, verifier: 'v' }
      await gateway.request('POST', '/api/login/token', body, { ...nobody, 'x-forwarded-for': '1.2.3.4' })
      await gateway.request('POST', '/api/localauth/login', { email: `admin${i}` }, nobody)
    }
    const entries = await since(before)
    expect(entries.filter(({ action }) => action !== 'sign-in')).toEqual([])
    expect(entries.length).toBeLessThanOrEqual(1)
  })

  it('has the token, and where it came from, with each session of a batch', async () => {
    const before = await head()
    const batch = { file_name: 'ops/a.runbook.sh', parameters: { x: '1' }, connections: ['bash'] }
    const { body } = await gateway.request('POST', '/api/batches', batch)
    await waitFor(async () => {
      const state = await gateway.request('GET', `/api/batches/${String(body['id'])}`)
      return ['done', 'stopped'].includes(String(state.body['status']))
    })
    const begun = (await since(before)).filter(({ action }) => action === 'execute')
    expect(begun).toMatchObject([
      { actor: 'admin', token_id: 'gateway.yaml:admin:token', token_name: 'token', client_ip: '127.0.0.1' },
    ])
  })

  it('has what a client is refused for on its stream, once, and by which token it came', async () => {
    const before = await head()
    for (let i = 0; i < 2; i++) {
      const metadata = { 'connection-name': 'none', verb: 'exec', authorization: `Bearer ${otherToken}` }
      await using client = new ScriptedClient(gateway.gateway.grpc, metadata)
      client.open('true')
      await client.over()
    }
    expect(await since(before)).toMatchObject([
      {
        ...{ actor: 'other', token_name: 'token', action: 'execute', outcome: false, client_ip: '127.0.0.1' },
        error_message: 'connection not found',
        request_payload_redacted: { connection: 'none', verb: 'exec', origin: 'client' },
      },
    ])
  })

  it('says what was done, and names what it was about, also if no request began it', async () => {
    const id = await asked()
    const { body: review } = await gateway.request('GET', `/api/reviews/${id}`, undefined, as(AUDITOR))
    await gateway.request('PUT', `/api/reviews/${String(review['id'])}`, { status: 'REJECTED' }, asOther)
    const run = { file_name: 'ops/a.runbook.sh', parameters: { x: '1' } }
    const ran = await gateway.exec(run)
    await gateway.request('GET', `/api/sessions/${String(ran.body['session_id'])}`, undefined, asOther)
    await gateway.script('true', { connection: 'gone' })
    await gateway.request('POST', '/api/serviceaccounts', { subject: 'bot' })
    await gateway.request('PUT', '/api/serviceaccounts/bot', { groups: [] })
    const made = await gateway.request('POST', '/api/tokens', { name: 'ci', user: 'bot' })
    await gateway.request('DELETE', `/api/tokens/${String(made.body['id'])}`)
    await gateway.request('GET', '/api/access/other/bash', undefined, as(AUDITOR))
    const page = await logs()
    const newest = (words: string) => {
      const found = page.find(({ did }) => did === words)
      return found && [found['actor'], found['object_name']]
    }
    expect(newest('asked to run a script')).toEqual(['admin', 'on asked'])
    expect(newest('rejected a request')).toEqual(['other', 'on asked'])
    expect(newest('ran a runbook')).toEqual(['admin', 'ops/a.runbook.sh on bash'])
    expect(newest('tried to look at a session')).toEqual(['other', 'ops/a.runbook.sh on bash'])
    expect(newest('tried to run a script')).toEqual(['admin', 'on gone'])
    expect(newest('created a machine')).toEqual(['admin', 'bot'])
    expect(newest('changed a machine')).toEqual(['admin', 'bot'])
    expect(newest('created a token')).toEqual(['admin', 'ci of bot'])
    expect(newest('revoked a token')).toEqual(['admin', 'ci of bot'])
    expect(newest('looked at what a user may do')).toEqual(['fay', 'other on bash'])
    expect(newest('started the gateway')).toEqual(['', ''])
    expect(new Set(page.map(({ did }) => typeof did))).toEqual(new Set(['string']))
  })

  it('has only what its chain has where it is read for a check', async () => {
    const entries = await logs('after=0')
    expect(entries.flatMap((entry) => [entry['did'], entry['object_name']])).toEqual(
      entries.flatMap(() => [undefined, undefined]),
    )
  })

  it('begins with the start of the gateway', async () => {
    const [first] = await logs('after=0')
    expect(first).toMatchObject({ sequence: 1, action: 'start', resource_type: 'gateway' })
  })
})

describe('GET /api/audit/logs', () => {
  it.each([
    ['page=0', 422, 'page must be >= 1'],
    ['page=x', 422, 'page must be >= 1'],
    ['page_size=0', 422, 'page_size must be between 1 and 100'],
    ['page_size=101', 422, 'page_size must be between 1 and 100'],
    ['http_status=x', 400, 'http_status must be a valid integer'],
    ['outcome=yes', 400, 'outcome must be true or false'],
    ['viewed=no', 400, 'viewed must be true or false'],
    ['created_after=yesterday', 400, 'created_after must be a time as in RFC 3339'],
  ])('refuses %s', async (query, status, message) => {
    const answer = await gateway.request('GET', `/api/audit/logs?${query}`)
    expect([answer.status, answer.body['message']]).toEqual([status, message])
  })

  it('has pages, the newest first, and filters', async () => {
    for (let i = 0; i < 5; i++) await asked()
    const page = async (number: number) => {
      const url = `/api/audit/logs?action=execute&outcome=true&actor_subject=admin&page_size=2&page=${number}`
      return (await gateway.request('GET', url)).body as { pages: object; data: Entry[] }
    }
    const [first, second] = [await page(1), await page(2)]
    const total = (await logs('action=execute&outcome=true&actor_email=admin')).length
    expect([first.pages, second.pages]).toEqual([
      { total, page: 1, size: 2 },
      { total, page: 2, size: 2 },
    ])
    const sequences = [...first.data, ...second.data].map(({ sequence }) => sequence as number)
    expect(sequences).toEqual([...sequences].sort((a, b) => b - a))
    expect(await logs('http_status=204&resource_type=sessions&http_method=PUT')).toEqual([])
    expect(await logs('created_before=2026-01-01T00:00:00Z')).toEqual([])
    expect(await logs('client_ip=127.0.0.9')).toEqual([])
  })

  it('leaves out views that succeeded, but never a view that was refused', async () => {
    const before = await head()
    // A view counts once in ten minutes, so the session is new.
    await gateway.request('GET', `/api/sessions/${await asked()}`, undefined, as(AUDITOR))
    await gateway.request('GET', '/api/audit/logs', undefined, asOther)
    const kinds = async (viewed: string) => {
      const found = (await logs(`viewed=${viewed}`)).filter(({ sequence }) => Number(sequence) > before)
      return found.map(({ action, outcome }) => `${String(action)} ${String(outcome)}`)
    }
    expect(await kinds('false')).toEqual(expect.arrayContaining(['execute true', 'view false']))
    expect(await kinds('false')).not.toContain('view true')
    expect([...new Set(await kinds('true'))]).toEqual(['view true'])
  })

  it('counts the views that only their filter leaves out', async () => {
    await gateway.request('GET', `/api/sessions/${await asked()}`, undefined, as(AUDITOR))
    const answer = async (query: string) =>
      (await gateway.request('GET', `/api/audit/logs?page_size=1&${query}`)).body as {
        readonly pages: { readonly total: number }
        readonly views_left_out: number | null
      }
    const shown = await answer('actor=fay')
    const folded = await answer('actor=fay&viewed=false')
    expect(shown.views_left_out).toBeNull()
    expect(folded.views_left_out).toBeGreaterThan(0)
    expect(folded.pages.total + (folded.views_left_out ?? 0)).toBe(shown.pages.total)
    expect((await answer('text=no-such-text-anywhere&viewed=false')).views_left_out).toBe(0)
  })

  it('finds a part of a name, and a text in what an entry is about and says of it', async () => {
    const id = await asked()
    const found = await logs(`text=${id.slice(0, 13).toUpperCase()}`)
    expect(found.map((entry) => entry['resource_id'])).toEqual([id])
    const ofAdmin = await logs('actor=ADM&action=execute')
    expect(ofAdmin.length).toBeGreaterThan(0)
    expect(new Set(ofAdmin.map(({ actor }) => actor))).toEqual(new Set(['admin']))
    const detail = encodeURIComponent('"waits_for_approval":true')
    expect((await logs(`text=${detail}&action=execute`)).length).toBeGreaterThan(0)
    // Names of fields, and what the list does not search, are no part of it.
    expect(await logs('text=previous_hash')).toEqual([])
    expect(await logs('actor=%25')).toEqual([])
  })
})

describe('GET /api/audit/chain', () => {
  const chain = (token: string, query = '') =>
    gateway.request('GET', `/api/audit/chain${query}`, undefined, as(token))

  it('says that the chain is whole, and up to where', async () => {
    const { status, body } = await chain(AUDITOR)
    expect([status, body['checking']]).toEqual([200, null])
    expect(body['verdict']).toMatchObject({ is_whole: true, first: 1, faults: [] })
    const again = (await chain(AUDITOR, '?again=true')).body['verdict'] as Entry
    expect(again['sequence']).toBeGreaterThanOrEqual((body['verdict'] as Entry)['sequence'] as number)
    const [checked] = await logs('actor=fay&text=audit/chain')
    expect(checked).toMatchObject({ did: 'checked the chain of the audit log', outcome: true })
  })

  it('is for those who may read the log', async () => {
    expect((await chain(otherToken)).status).toBe(403)
    expect((await chain(AUDITOR, '?again=yes')).body['message']).toBe('again must be true or false')
  })
})

describe('GET /api/audit/export', () => {
  const exported = async (query: string, token = AUDITOR) => {
    const headers = { ...as(token), connection: 'close' }
    const answer = await fetch(`${gateway.gateway.http}/api/audit/export?${query}`, { headers })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
  const entries = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry)

  it('has the entries of the list, the oldest first; without filters the whole chain', async () => {
    const whole = entries((await exported('')).text)
    expect(whole[0]).toMatchObject({ sequence: 1, action: 'start' })
    expect(whole.map(({ sequence }) => sequence)).toEqual(whole.map((_, at) => at + 1))
    const query = 'action=execute&actor=adm&text=asked'
    const listed = (await logs(query)).toReversed()
    const inChain = listed.map(({ did: _did, object_name: _name, ...entry }) => entry)
    expect(entries((await exported(query)).text)).toEqual(inChain)
    expect((await exported('text=there+is+no+such+thing')).text).toBe('')
  })

  it('is CSV that no spreadsheet calculates, as a file', async () => {
    await gateway.request('GET', `/api/sessions/${encodeURIComponent('=1+1,"x"')}`)
    const { headers, text } = await exported('format=csv&action=view')
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename=audit-log-[\d-]{10}\.csv$/)
    const [head = '', ...rows] = text.split('\r\n')
    expect(head.split(',').slice(0, 5)).toEqual(['entry', 'time', 'user', 'token', 'did'])
    expect(rows.some((row) => row.includes(',looked at a session,'))).toBe(true)
    expect(rows.filter((row) => row.includes(`,"'=1+1,""x""",`))).toHaveLength(1)
  })

  it.each([
    ['format=xml', AUDITOR, 400],
    ['outcome=yes', AUDITOR, 400],
    ['', otherToken, 403],
  ])('refuses %s', async (query, token, status) => {
    expect((await exported(query, token)).status).toBe(status)
  })
})
