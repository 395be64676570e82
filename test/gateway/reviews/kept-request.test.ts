import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { closeFile, openFile } from '../../../src/gateway/store/sqlite.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway, type Answer } from '../../support/sites/running-gateway.ts'
import { refusal } from './site.ts'

// What is kept of a request that waits for its reviewers, and for how long.

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const NOT_APPROVED = [403, 'review not approved or already executed']
/** A request of several pages of the history's file. */
const ARGUMENT = 'argument-that-the-run-needs'.repeat(2000)
const connections = `
  - { name: one, agent: local, command: [bash], env: { OWN_TOKEN: connection-secret-4711 }, review: { groups: [dba], expires: 12h } }`

let state: string
beforeEach(() => {
  state = mkdtempSync(path.join(tmpdir(), 'kept-'))
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(state, { recursive: true })
})

const start = () => RunningGateway.start({}, { connections, state })

async function ask(gateway: RunningGateway, client_args: readonly string[] = []): Promise<string> {
  const { body } = await gateway.script('cat; echo "$1"', { connection: 'one', client_args })
  expect(body['has_review']).toBe(true)
  return String(body['session_id'])
}

const decide = (gateway: RunningGateway, sid: string, status: string): Promise<Answer> =>
  gateway.request(
    'PUT',
    `/api/reviews/${sid}`,
    { status },
    { authorization: 'Bearer another-token-for-tests-0123' },
  )
const run = (gateway: RunningGateway, sid: string) => gateway.request('POST', `/api/sessions/${sid}/exec`)
const reviewOf = async (gateway: RunningGateway, sid: string) =>
  (await gateway.request('GET', `/api/reviews/${sid}`)).body

/** The sealed request as it is in the history's file. */
function sealed(): Buffer | null {
  const { db } = openFile(path.join(state, 'history.sqlite'), undefined)
  try {
    return (db.prepare('SELECT request FROM reviews').raw().get([]) as [Buffer | null])[0]
  } finally {
    closeFile(db)
  }
}

function filesWith(bytes: Buffer): string[] {
  return readdirSync(state).filter((name) => {
    const file = path.join(state, name)
    return statSync(file).isFile() && readFileSync(file).includes(bytes)
  })
}

it('an approved script that nobody has run in time ends, is revoked and cannot run; one that is in time can', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
  const asked: string[] = []
  {
    await using gateway = await start()
    for (let count = 0; count < 2; count++) asked.push(await ask(gateway))
    await decide(gateway, asked[0] ?? '', 'APPROVED')
  }
  vi.setSystemTime(Date.now() + 11 * HOUR_MS)
  {
    await using gateway = await start()
    vi.advanceTimersByTime(MINUTE_MS)
    expect((await reviewOf(gateway, asked[0] ?? ''))['status']).toBe('APPROVED')
    asked.push(await ask(gateway))
    await decide(gateway, asked[2] ?? '', 'APPROVED')
  }
  vi.setSystemTime(Date.now() + HOUR_MS)
  await using gateway = await start()
  vi.advanceTimersByTime(MINUTE_MS)
  const [approved = '', undecided = '', later = ''] = asked
  expect(await reviewOf(gateway, approved)).toMatchObject({
    status: 'REVOKED',
    rejection_reason: 'the request was approved, but not run in time',
  })
  expect(await reviewOf(gateway, undecided)).toMatchObject({ status: 'REJECTED' })
  for (const sid of [approved, undecided]) {
    expect(refusal(await run(gateway, sid))).toEqual(NOT_APPROVED)
    expect((await gateway.request('GET', `/api/sessions/${sid}`)).body).toMatchObject({
      ...{ status: 'done', exit_code: 254 },
    })
  }
  await using agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  expect((await run(gateway, later)).body).toMatchObject({ exit_code: 0 })
})

it('an approved script does not run at the moment after it has expired, though nothing has tidied up yet', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
  await using gateway = await start()
  await using agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  const sid = await ask(gateway)
  await decide(gateway, sid, 'APPROVED')
  vi.setSystemTime(Date.now() + 12 * HOUR_MS + 1000)
  expect(await run(gateway, sid)).toMatchObject({ status: 403, body: { code: 'review-wrong-state' } })
  expect((await reviewOf(gateway, sid))['status']).toBe('APPROVED')
})

it('a request is not approved at the moment after it has expired, though nothing has tidied up yet', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
  await using gateway = await start()
  const sid = await ask(gateway)
  vi.setSystemTime(Date.now() + 12 * HOUR_MS + 1000)
  expect(await decide(gateway, sid, 'APPROVED')).toMatchObject({
    ...{ status: 400, body: { code: 'review-wrong-state' } },
  })
  expect((await decide(gateway, sid, 'REJECTED')).status).toBe(200)
})

it('a script whose hash differs from the one that people were shown does not run', async () => {
  let sid: string
  {
    await using gateway = await start()
    sid = await ask(gateway)
    await decide(gateway, sid, 'APPROVED')
  }
  const { db } = openFile(path.join(state, 'history.sqlite'), undefined)
  db.prepare(`UPDATE reviews SET record = json_set(record, '$.shown.scriptDigest.hex', 'abcd')`).run([])
  closeFile(db)
  await using gateway = await start()
  const [status, text] = refusal(await run(gateway, sid))
  expect([status, text]).toEqual([
    403,
    expect.stringContaining('the script differs from the approved script'),
  ])
})

it.each([
  ['it has run', 'APPROVED', 'EXECUTED'],
  ['it was rejected', 'REJECTED', 'REJECTED'],
  ['its approval was revoked', 'REVOKED', 'REVOKED'],
  ['it was killed', 'killed', 'REJECTED'],
])('the sealed request leaves the disk when %s', async (_, verdict, status) => {
  let bytes: Buffer
  {
    await using gateway = await start()
    await using agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
    const sid = await ask(gateway, ['-s', '--', ARGUMENT])
    bytes = sealed() ?? Buffer.alloc(0)
    expect(bytes.length).toBeGreaterThan(0)
    expect(filesWith(bytes.subarray(-64))).not.toEqual([])
    if (verdict === 'killed') await gateway.request('POST', `/api/sessions/${sid}/kill`)
    else if (verdict === 'REVOKED') await decide(gateway, sid, 'APPROVED')
    if (verdict !== 'killed') await decide(gateway, sid, verdict)
    if (verdict === 'APPROVED') expect((await run(gateway, sid)).body['output']).toBe(`${ARGUMENT}\n`)
    expect(await reviewOf(gateway, sid)).toMatchObject({ status })
    expect(sealed()).toBeNull()
  }
  expect(filesWith(bytes.subarray(-64))).toEqual([])
})

it('a reviewer sees arguments with the secrets of the connection and of the request replaced', async () => {
  await using gateway = await start()
  const { body } = await gateway.script('echo', {
    connection: 'one',
    client_args: ['-s', '--', '--password=connection-secret-4711', 'key:request-secret-0815', 'plain'],
    env_vars: { 'envvar:API_TOKEN': Buffer.from('request-secret-0815').toString('base64') },
  })
  const review = await reviewOf(gateway, String(body['session_id']))
  expect(review['client_args']).toEqual([
    ...['-s', '--'],
    expect.stringMatching(/^--password=(?!.*secret)/),
    expect.stringMatching(/^key:(?!.*secret)/),
    'plain',
  ])
  const { body: list } = await gateway.request('GET', '/api/reviews')
  expect(JSON.stringify([review, list])).not.toMatch(/secret-4711|secret-0815/)
})
