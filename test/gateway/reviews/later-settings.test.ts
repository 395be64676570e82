import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { closeFile, openFile } from '../../../src/gateway/store/sqlite.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway } from '../../support/sites/running-gateway.ts'

// What was approved, and what the settings or a killed gateway have become of it since.

const ann = { authorization: 'Bearer token-of-ann-0123456789' }
const users = (groups = 'dev') => `\n  - { name: ann, token: token-of-ann-0123456789, groups: [${groups}] }`
const one = (more = '') =>
  `\n  - { name: one, agent: local, command: [bash], review: { groups: [dba] }${more} }`
const books = (more = '') =>
  `\n  - { name: books, agent: local, command: [bash, -s], runbooks: { repository: rb }, review: { groups: [dba] }${more} }`
const usual = { users: users(), connections: one() + books() }

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  gateway = await RunningGateway.start({ 'ops/plain.sh': 'echo "ran $1"' }, usual)
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.exec({ file_name: 'ops/plain.sh' }, 'books')
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const approve = (sid: string, of = gateway) =>
  of.request('PUT', `/api/reviews/${sid}`, { status: 'APPROVED' }, { authorization: `Bearer ${otherToken}` })
const run = (sid: string, of = gateway) => of.request('POST', `/api/sessions/${sid}/exec`, undefined, ann)

/** @returns the session that is approved */
async function approved(url: string, body: object, of = gateway): Promise<string> {
  const asked = await of.request('POST', url, body, ann)
  const sid = String(asked.body['session_id'])
  expect((await approve(sid, of)).body['status']).toBe('APPROVED')
  return sid
}

const script = { connection: 'one', script: 'echo ran' }
const runbook = { file_name: 'ops/plain.sh', client_args: ['x'] }

it.each([
  ['its connection is gone', { connections: books() }, ann],
  ['its owner may not use it now', { connections: one(', access: { groups: [sre] }') + books() }, ann],
  ['scripts are off now', { connections: one(', access: { exec: false }') + books() }, ann],
])('an approved script does not run where %s, and runs when that is put right', async (_, changed, as) => {
  const sid = await approved('/api/sessions', script)
  gateway.configure({ ...usual, ...changed })
  expect((await gateway.request('POST', '/api/reload')).status).toBe(200)
  const refused = await gateway.request('POST', `/api/sessions/${sid}/exec`, undefined, as)
  expect([refused.status, refused.body['code']]).toEqual([403, 'not-permitted'])
  gateway.configure(usual)
  await gateway.request('POST', '/api/reload')
  expect((await run(sid)).body).toMatchObject({ output: 'ran\n', exit_code: 0 })
})

it('an approved runbook does not run with what its caller has brought where callers may bring nothing now', async () => {
  const url = '/api/plugins/runbooks/connections/books/exec'
  const brings = await approved(url, runbook)
  const brought = await approved(url, { file_name: 'ops/plain.sh', env_vars: { 'envvar:A': 'MQ==' } })
  const plain = await approved(url, { file_name: 'ops/plain.sh' })
  gateway.configure({ ...usual, connections: one() + books(', access: { exec: false }') })
  await gateway.request('POST', '/api/reload')
  for (const sid of [brings, brought]) {
    const refused = await run(sid)
    expect([refused.status, refused.body['code']]).toEqual([403, 'client-input-refused'])
  }
  expect((await run(plain)).body).toMatchObject({ output: 'ran \n' })
  gateway.configure(usual)
  await gateway.request('POST', '/api/reload')
  expect((await run(brings)).body).toMatchObject({ output: 'ran x\n' })
})

it('what a gateway had begun when it was killed has run, and one that it had not begun can be run', async () => {
  const state = mkdtempSync(path.join(tmpdir(), 'killed-'))
  const more = { ...usual, state }
  const sids: string[] = []
  {
    await using first = await RunningGateway.start({}, more)
    for (let count = 0; count < 2; count++) sids.push(await approved('/api/sessions', script, first))
  }
  const [begun = '', waits = ''] = sids
  const { db } = openFile(path.join(state, 'history.sqlite'), undefined)
  db.prepare(
    `UPDATE reviews SET status = 'PROCESSING', record = json_set(record, '$.status', 'PROCESSING')
     WHERE session = (SELECT key FROM sessions WHERE id = ?)`,
  ).run([begun])
  closeFile(db)
  {
    await using next = await RunningGateway.start({}, more)
    await using served = await RunningAgent.start(next.agentUrl)
    await served.serving()
    const { body } = await next.request('GET', `/api/reviews/${begun}`)
    expect(body['status']).toBe('EXECUTED')
    expect((await run(begun, next)).status).toBe(403)
    expect((await run(waits, next)).body).toMatchObject({ output: 'ran\n' })
  }
  rmSync(state, { recursive: true })
})

it('a hundred requests of a user may wait, of 128 MiB together, and one that ends makes room', async () => {
  await using full = await RunningGateway.start({}, usual)
  const ask = (text: string, as = ann) =>
    full.request('POST', '/api/sessions', { connection: 'one', script: text }, as)
  const sids: string[] = []
  for (let count = 0; count < 100; count++) sids.push(String((await ask('x')).body['session_id']))
  expect((await ask('x')).status).toBe(429)
  expect((await ask('x', { authorization: `Bearer ${otherToken}` })).body['has_review']).toBe(true)
  for (const sid of sids.slice(0, 20)) await full.request('POST', `/api/sessions/${sid}/kill`)
  const large = 'x'.repeat(15 * 1024 * 1024)
  let accepted = 0
  while ((await ask(large)).status === 200) accepted++
  // Stored as base64, they have 20 MiB each.
  expect(accepted).toBe(7)
})
