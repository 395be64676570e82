import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, type Answer } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

// Values that have to be in a live list, by each entrance of the REST interface.

const folder = mkdtempSync(path.join(tmpdir(), 'choices-'))
const at = (name: string) => path.join(folder, name)
const tenants = (text: string) => writeFileSync(at('tenants'), text)
const remove = (value: string) =>
  tenants(`acme\tAcme Ltd\teu\nzeta\tZeta\tus\n`.replace(`${value}\t`, `not-${value}\t`))

const LISTED = (list: string, more = '') =>
  `{{/* options-from tenant ops/lists/${list}.runbook.sh${more} */}}\necho {{ .tenant | shellquote }}{{ .region | default "eu" | asenv "REGION" }} >> ${at('ran')}\n`
const FILES = {
  'ops/tenant.runbook.sh': LISTED('tenants', ' of region'),
  'ops/plain.runbook.sh': LISTED('tenants'),
  'ops/gated.runbook.sh': LISTED('tenants'),
  'ops/lists/tenants.runbook.sh': `echo "$CONNECTION" >> ${at('reads')}; cat ${at('tenants')}`,
  'ops/lists/hangs.runbook.sh': `cat ${at('gate')}`,
  'ops/lists/floods.runbook.sh': 'yes "a value"',
  'ops/lists/fails.runbook.sh': 'echo acme; exit 3',
  'ops/lists/lies.runbook.sh': String.raw`printf 'acme\0\n'`,
  'ops/lists/asks.runbook.sh': 'echo {{ .x | default "acme" }}',
  'ops/lists/gated.runbook.sh': 'echo acme',
  'ops/waits.runbook.sh': `${LISTED('tenants')}read -r _ < ${at('gate')}\n`,
  'ops/holds.runbook.sh': `cat ${at('gate')}`,
  'ops/lists/slow.runbook.sh': `echo "$CONNECTION" >> ${at('reads')}; read -r _ < ${at('gate')}; echo "$CONNECTION"`,
  'ops/slow.runbook.sh': LISTED('slow'),
  'ops/hangs.runbook.sh': LISTED('hangs'),
  'ops/floods.runbook.sh': LISTED('floods'),
  'ops/fails.runbook.sh': LISTED('fails'),
  'ops/lies.runbook.sh': LISTED('lies'),
  'ops/asks.runbook.sh': LISTED('asks'),
  'ops/missing.runbook.sh': LISTED('missing'),
  'ops/needs-approval.runbook.sh': LISTED('gated'),
  'ops/outside.runbook.sh': '{{/* options-from tenant lists/t.runbook.sh */}}{{ .tenant }}',
  'lists/t.runbook.sh': 'echo acme',
}
const RB = 'repository: rb, path: ops/'
const GATED = `review: [{ path: 'ops/gated.*', groups: [dba] }, { path: 'ops/lists/gated.*', groups: [dba] }]`
const CONNECTIONS = ['live', 'second', 'third']
  .map(
    (name) =>
      `\n  - { name: ${name}, agent: local, command: [bash, --norc], env: { CONNECTION: ${name} }, access: { exec: false, connect: false }, runbooks: { ${RB}, ${GATED} } }`,
  )
  .join('')
const MORE = (hook: string) => `
webhooks: [{ name: all, url: '${hook}', secret: whsec_${Buffer.alloc(32).toString('base64')}, events: [session.finished, session.failed] }]
locks: [{ name: one, runbooks: ['**'] }]
schedules:
  - { name: nightly, cron: '0 3 * * *', connection: live, runbook: ops/plain.runbook.sh, as: admin, parameters: { tenant: acme } }
  - { name: asks, cron: '0 3 * * *', connection: live, runbook: ops/gated.runbook.sh, as: admin, parameters: { tenant: acme } }`

let gateway: RunningGateway
let agent: RunningAgent
let hooks: Server
const told: string[] = []
beforeAll(async () => {
  execFileSync('mkfifo', [at('gate')])
  vi.spyOn(performance, 'now').mockImplementation(() => (stopped ?? elapsed()) + ahead)
  hooks = createServer((request, response) => {
    void request.toArray().then((pieces) => {
      told.push(Buffer.concat(pieces as Buffer[]).toString())
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await waitFor(() => hooks.listening)
  const { port } = hooks.address() as AddressInfo
  gateway = await RunningGateway.start(FILES, {
    connections: CONNECTIONS,
    more: MORE(`http://127.0.0.1:${port}/`),
  })
  agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
  await agent.serving()
  tenants('')
  // The repository's git process starts with the first read and stays.
  await gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: '1' } })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  hooks.closeAllConnections()
  hooks.close()
  rmSync(folder, { recursive: true })
})

const coded = ({ status, body }: Answer) => ({ status, code: body['code'] })
const gone = { status: 409, code: 'choice-gone' }
const sessions = async (query = '') =>
  (await gateway.request('GET', `/api/sessions?limit=100${query}`)).body['data'] as Record<string, unknown>[]
const lines = (name: string) => (existsSync(at(name)) ? readLines(name) : [])
const run = (file: string, parameters: object, connection = 'live') =>
  gateway.exec({ file_name: `ops/${file}.runbook.sh`, parameters }, connection)
const choices = (file: string, more = '', headers = {}) =>
  gateway.request(
    'GET',
    `/api/runbooks/choices?connection_name=live&file_name=ops/${file}.runbook.sh&parameter=tenant${more}`,
    undefined,
    headers,
  )

function readLines(name: string): string[] {
  return readFileSync(at(name), 'utf8').split('\n').filter(Boolean)
}

const elapsed = performance.now.bind(performance)
let ahead = 0
let stopped: number | undefined
/** Lets no time pass while the requests of a test take theirs. */
const stopClock = () => void (stopped = elapsed())
/** Makes the copies of lists older: the gateway runs in this process. */
const age = (ms: number) => void (ahead += ms)

/** Each test has a commit of its own, so that no copy of an earlier test is used. */
beforeEach(() => {
  stopped = undefined
  gateway.commit({ 'counter.txt': String(performance.now()) })
  for (const name of ['ran', 'reads']) rmSync(at(name), { force: true })
  tenants('acme\tAcme Ltd\teu\nzeta\tZeta\tus\n')
})

describe('a value that has to be in a live list', () => {
  it('is accepted while the list has it, for the value of the other parameter', async () => {
    expect((await run('tenant', { tenant: 'acme', region: 'eu' })).body).toMatchObject({ exit_code: 0 })
    expect((await run('tenant', { tenant: 'zeta', region: 'us' })).body).toMatchObject({ exit_code: 0 })
    expect(lines('ran')).toEqual(['acme', 'zeta'])
    expect(coded(await run('tenant', { tenant: 'acme', region: 'us' }))).toEqual(gone)
    expect(coded(await run('tenant', { tenant: 'zeta' }))).toEqual(gone)
    expect(lines('reads')).toEqual(['live'])
  })

  it('is refused with the near values and the session of the list, and without the value', async () => {
    const answer = await run('plain', { tenant: 'acmee' })
    expect(coded(answer)).toEqual(gone)
    expect(answer.body['message']).toMatch(/parameter tenant .* did you mean acme\?/)
    expect(answer.body['message']).not.toContain('acmee')
    const [list] = await sessions('&kind=list')
    expect(list).toMatchObject({ id: answer.body['session_id'], user: 'admin', connection: 'live' })
  })

  it('is refused by REST, batches, schedules and approved runs with one code, after it was removed', async () => {
    const body = { file_name: 'ops/gated.runbook.sh', parameters: { tenant: 'acme' } }
    const approve = (id: unknown) =>
      gateway.request(
        'PUT',
        `/api/reviews/${String(id)}`,
        { status: 'APPROVED' },
        { authorization: `Bearer ${otherToken}` },
      )
    const waiting = (await gateway.exec(body, 'live')).body['session_id']
    const automatic = (await gateway.exec({ ...body, when_approved: true }, 'live')).body['session_id']
    const batch = (
      await gateway.request('POST', '/api/batches', { ...body, connections: ['live', 'second'] })
    ).body
    const scheduled = (await gateway.request('POST', '/api/schedules/asks/run')).body
    expect(lines('ran')).toEqual([])

    remove('acme')
    gateway.commit({ 'counter.txt': 'another commit, whose list was not read yet' })
    expect(coded(await run('plain', { tenant: 'acme' }))).toEqual(gone)
    const other = {
      file_name: 'ops/plain.runbook.sh',
      connection_name: 'live',
      repository: 'rb',
      parameters: { tenant: 'acme' },
    }
    expect(coded(await gateway.request('POST', '/api/runbooks/exec', other))).toEqual(gone)
    const refused = await gateway.request('POST', '/api/batches', {
      ...other,
      connections: ['live', 'second', 'third'],
    })
    expect(coded(refused)).toEqual(gone)
    expect(refused.body['refusals']).toMatchObject(
      ['live', 'second', 'third'].map((connection) => ({ connection, code: 'choice-gone' })),
    )
    expect((await gateway.request('POST', '/api/schedules/nightly/run')).body).toMatchObject({
      code: 'choice-gone',
    })
    age(5001)
    for (const id of [waiting, automatic, scheduled['session_id'], (batch['review'] as { id: string }).id])
      expect((await approve(id)).status).toBe(200)
    expect(coded(await gateway.request('POST', `/api/sessions/${String(waiting)}/exec`))).toEqual(gone)
    expect(coded(await gateway.request('POST', `/api/batches/${String(batch['id'])}/exec`))).toEqual(gone)
    await waitFor(async () => {
      const { body: shown } = await gateway.request('GET', `/api/sessions/${String(automatic)}`)
      return shown['status'] === 'done'
    })
    await waitFor(() =>
      gateway.log.some((line) => line.startsWith('approved run refused') && line.includes('choice-gone')),
    )
    await waitFor(() =>
      gateway.log.some(
        (line) => line.includes('session approved, but not run yet') && line.includes('not in the list'),
      ),
    )
    expect(lines('ran')).toEqual([])
    // The gateway would ask the list of the approved run again after a minute.
    await gateway.request('POST', `/api/sessions/${String(scheduled['session_id'])}/kill`)
  })
})

describe('a batch', () => {
  it('asks each connection again before its run', async () => {
    const body = { file_name: 'ops/waits.runbook.sh', parameters: { tenant: 'acme' }, waves: '1,rest' }
    const { body: batch } = await gateway.request('POST', '/api/batches', {
      ...body,
      connections: ['live', 'second'],
    })
    await waitFor(() => lines('ran').length === 1)
    expect(lines('reads').toSorted()).toEqual(['live', 'second'])
    remove('acme')
    age(5001)
    const gate = openSync(at('gate'), constants.O_RDWR | constants.O_NONBLOCK)
    writeSync(gate, '\n')
    const shown = async () => (await gateway.request('GET', `/api/batches/${String(batch['id'])}`)).body
    await waitFor(async () => (await shown())['status'] !== 'running')
    closeSync(gate)
    expect((await shown())['runs']).toMatchObject([
      { connection: 'live', status: 'succeeded' },
      { connection: 'second', status: 'failed', code: 'choice-gone', session_id: null },
    ])
    expect(lines('reads')).toHaveLength(3)
  })
})

describe('a list of choices', () => {
  it('runs once for a hundred forms at once, and a run asks it anew when its copy is older than 5 s', async () => {
    stopClock()
    const forms = await Promise.all(Array.from({ length: 100 }, () => choices('plain')))
    expect(new Set(forms.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(forms.map(({ body }) => body['session_id'])).size).toBe(1)
    expect(forms[0]?.body).toMatchObject({
      list: 'ops/lists/tenants.runbook.sh',
      choices: [
        { value: 'acme', label: 'Acme Ltd', of: 'eu' },
        { value: 'zeta', label: 'Zeta', of: 'us' },
      ],
    })
    remove('acme')
    age(4000)
    expect((await run('plain', { tenant: 'acme' })).status).toBe(200)
    expect(lines('reads')).toHaveLength(1)
    age(1001)
    expect((await choices('plain')).body['choices']).toHaveLength(2)
    expect(coded(await run('plain', { tenant: 'acme' }))).toEqual(gone)
    expect(lines('reads')).toHaveLength(2)
    expect((await choices('plain')).body['choices']).toMatchObject([{ value: 'not-acme' }, { value: 'zeta' }])
    age(60_001)
    await choices('plain')
    expect(lines('reads')).toHaveLength(3)
  })

  it('runs again for the connection of a reload, also while it runs for the connection before', async () => {
    const reload = async (connections: string) => {
      const { port } = hooks.address() as AddressInfo
      gateway.configure({ connections, more: MORE(`http://127.0.0.1:${port}/`) })
      expect((await gateway.request('POST', '/api/reload')).status).toBe(200)
    }
    const gate = openSync(at('gate'), constants.O_RDWR | constants.O_NONBLOCK)
    const before = choices('slow')
    await waitFor(() => lines('reads').length === 1)
    await reload(CONNECTIONS.replace('CONNECTION: live', 'CONNECTION: moved'))
    const after = choices('slow')
    await choices('tenant')
    writeSync(gate, '\n\n')
    expect((await before).body['choices']).toMatchObject([{ value: 'live' }])
    expect((await after).body['choices']).toMatchObject([{ value: 'moved' }])
    closeSync(gate)
    await reload(CONNECTIONS)
  })

  it('gives completion only what was read before', async () => {
    expect((await choices('plain', '&cached=true')).body).toMatchObject({ session_id: null, choices: [] })
    expect(lines('reads')).toEqual([])
    await choices('plain')
    expect((await choices('plain', '&cached=true')).body['choices']).toHaveLength(2)
    expect(lines('reads')).toHaveLength(1)
  })

  it('gives only the values for a value of the other parameter', async () => {
    expect((await choices('tenant', '&of=us')).body).toMatchObject({
      of: 'region',
      choices: [{ value: 'zeta' }],
    })
    expect((await choices('tenant', '&of=')).body['choices']).toEqual([])
    expect((await choices('tenant')).body['choices']).toHaveLength(2)
  })

  it('runs as the requester, so each user has a copy of their own', async () => {
    const other = { authorization: `Bearer ${otherToken}` }
    const [mine, theirs] = [await choices('plain'), await choices('plain', '', other)]
    expect(theirs.body['session_id']).not.toBe(mine.body['session_id'])
    const { body } = await gateway.request('GET', `/api/sessions/${String(theirs.body['session_id'])}`)
    expect(body).toMatchObject({ user: 'other', labels: { runbookFile: 'ops/lists/tenants.runbook.sh' } })
  })

  it('is a recorded session that lists hide, that needs no lock, and that no webhook tells of', async () => {
    told.length = 0
    const { body } = await choices('plain')
    const id = body['session_id']
    expect((await sessions('&kind=list')).map((one) => one['id'])).toContain(id)
    expect((await sessions()).map((one) => one['id'])).not.toContain(id)
    expect((await sessions('&kind=runbook')).map((one) => one['id'])).not.toContain(id)
    const output = await gateway.request(
      'GET',
      `/api/sessions/${String(id)}?expand=event_stream&event_stream=utf8`,
    )
    expect(JSON.stringify(output.body['event_stream'])).toContain('Acme Ltd')
    const ran = (await run('plain', { tenant: 'acme' })).body['session_id']
    await waitFor(() => told.some((one) => one.includes(String(ran))))
    expect(told.filter((one) => one.includes(String(id)))).toEqual([])
  })

  it('does not wait for a lock that another session has', async () => {
    const holder = await gateway.request(
      'POST',
      '/api/plugins/runbooks/connections/live/exec',
      { file_name: 'ops/holds.runbook.sh' },
      { prefer: 'respond-async' },
    )
    expect(holder.status).toBe(202)
    expect((await choices('plain')).status).toBe(200)
    await gateway.request('POST', `/api/sessions/${String(holder.body['session_id'])}/kill`)
  })

  it.each([
    ['floods', /more than 5000 lines or 256 KiB/],
    ['fails', /exit code 3/],
    ['lies', /line 1 has a control character/],
  ])('lets nothing run if it %s, and names its session', async (file, reason) => {
    for (const answer of [await run(file, { tenant: 'acme' }), await choices(file)]) {
      expect(coded(answer)).toEqual({ status: 422, code: 'choices-failed' })
      expect(answer.body['message']).toMatch(reason)
      const { body } = await gateway.request('GET', `/api/sessions/${String(answer.body['session_id'])}`)
      expect(body['status']).toBe('done')
    }
    expect(lines('ran')).toEqual([])
  })

  it.each([
    ['asks', /must not have parameters/],
    ['missing', /ops\/lists\/missing.runbook.sh/],
    ['needs-approval', /need approval .* groups: \[\]/],
  ])('begins no session for a runbook that %s', async (file, reason) => {
    const answer = await run(file, { tenant: 'acme' })
    expect(coded(answer)).toEqual({ status: 422, code: 'choices-failed' })
    expect(answer.body['message']).toMatch(reason)
    expect(answer.body['session_id']).toBeUndefined()
    expect(lines('ran')).toEqual([])
  })

  it('is ended after 5 s', async () => {
    const answer = await run('hangs', { tenant: 'acme' })
    expect(coded(answer)).toEqual({ status: 422, code: 'choices-failed' })
    expect(answer.body['message']).toMatch(/did not end within 5 s/)
  })

  it('is outside the folder of the connection only for other connections', async () => {
    expect(coded(await run('outside', { tenant: 'acme' }))).toEqual({ status: 422, code: 'choices-failed' })
  })
})
