import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeFile, openFile } from '../../../src/gateway/store/sqlite.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { Browsing } from '../rest/page/browsing.ts'
import { ReviewSite, type Name } from './site.ts'

// Scripts that the gateway itself runs once they are approved.

let site: ReviewSite
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'when-approved-'))
  site = await ReviewSite.start({
    connections: `
  - { name: away, agent: elsewhere, command: [bash], review: { groups: [dba] } }
  - { name: vault, agent: local, command: [bash], runbooks: { repository: rb }, review: { groups: [dba] } }`,
    agents: '{ name: elsewhere, key: xagt-another-key-0123456789 }',
  })
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const itself = { when_approved: true }
const CLOSED = { time_window: { configuration: { start_time: hours(2), end_time: hours(3) } } }

function hours(later: number): string {
  return new Date(Date.now() + later * 3_600_000).toISOString().slice(11, 16)
}

/** Each run adds a line to this file. */
function counted(name: string) {
  const file = path.join(folder, name)
  return {
    script: `echo ran >> '${file}'; echo done`,
    runs: () => {
      try {
        return readFileSync(file, 'utf8').split('\n').length - 1
      } catch {
        return 0
      }
    },
  }
}

async function ended(sid: string, of = site.gateway): Promise<Record<string, unknown>> {
  let session: Record<string, unknown> = {}
  await waitFor(async () => {
    session = (await of.request('GET', `/api/sessions/${sid}`)).body
    return session['status'] === 'done'
  })
  return session
}

interface Entry {
  readonly actor: string
  readonly outcome: boolean
  readonly error_message: string
  readonly resource_id: string
  readonly http_method: string
}

/** What the audit log says of runs of a session that nobody has asked for by REST. */
async function automatic(of: RunningGateway, sid: string): Promise<Entry[]> {
  const { body } = await of.request('GET', '/api/audit/logs?action=run')
  const entries = body['data'] as Entry[]
  return entries.filter(({ resource_id: id, http_method: method }) => id === sid && method === '')
}

describe('a script that is to run when it is approved', () => {
  it('runs once, by nobody who looks on, and the audit log says for whom', async () => {
    const { script, runs } = counted('plain')
    const { body } = await site.as('ann', 'POST', '/api/sessions', { connection: 'one', script, ...itself })
    expect(body).toMatchObject({ has_review: true, when_approved: true })
    const sid = String(body['session_id'])
    const said = await site.say('bea', sid, 'APPROVED')
    expect(said.body).toMatchObject({ status: 'APPROVED', when_approved: true })
    expect(await ended(sid)).toMatchObject({ exit_code: 0, state: { name: 'succeeded' } })
    await waitFor(
      async () => (await site.as('bea', 'GET', `/api/reviews/${sid}`)).body['status'] === 'EXECUTED',
    )
    expect((await site.run('ann', sid)).status).toBe(403)
    expect(runs()).toBe(1)
    expect(await automatic(site.gateway, sid)).toMatchObject([{ actor: 'ann', outcome: true }])
  })

  it('waits for its owner where that was not asked for', async () => {
    const { script, runs } = counted('by-hand')
    const sid = await site.ask(script)
    const { body } = await site.say('bea', sid, 'APPROVED')
    expect(body['when_approved']).toBeUndefined()
    const beside = await site.ask('echo beside', 'one', itself)
    await site.say('bea', beside, 'APPROVED')
    await ended(beside)
    expect([(await site.session(sid))['state'], runs()]).toMatchObject([{ name: 'approved' }, 0])
    await site.say('bea', sid, 'REVOKED')
  })

  it('runs once where two people approve it, and its owner chooses Run, at the same moment', async () => {
    const { script, runs } = counted('at-once')
    const sid = await site.ask(script, 'one', itself)
    const answers = await Promise.all([
      site.say('bea', sid, 'APPROVED'),
      site.say('cid', sid, 'APPROVED'),
      site.say('dan', sid, 'APPROVED'),
      site.run('ann', sid),
      site.run('admin', sid),
    ])
    expect(answers.filter(({ status }) => status >= 500)).toEqual([])
    expect((await ended(sid))['exit_code']).toBe(0)
    expect(runs()).toBe(1)
  })

  it('waits until all have approved', async () => {
    const sid = await site.ask('echo both', 'both', itself)
    await site.say('bea', sid, 'APPROVED')
    expect((await site.session(sid))['state']).toMatchObject({ name: 'waiting-for-approval' })
    await site.say('cid', sid, 'APPROVED')
    expect((await ended(sid))['exit_code']).toBe(0)
  })

  it('is held outside of its hours, and says why', async () => {
    const { script, runs } = counted('held')
    const sid = await site.ask(script, 'one', itself)
    await site.say('bea', sid, 'APPROVED', CLOSED)
    const review = async () => (await site.as('ann', 'GET', `/api/reviews/${sid}`)).body
    await waitFor(async () => (await review())['held'] !== undefined)
    expect(await review()).toMatchObject({ status: 'APPROVED', held: { code: 'outside-time-window' } })
    await site.say('bea', sid, 'REVOKED')
    expect([(await ended(sid))['state'], runs()]).toMatchObject([{ name: 'revoked', by: 'bea' }, 0])
  })

  it('ends as one that runs by hand where its agent is away', async () => {
    const sid = await site.ask('echo', 'away', itself)
    await site.say('bea', sid, 'APPROVED')
    expect((await ended(sid))['state']).toMatchObject({ name: 'agent-offline' })
  })

  it('is run by the gateway when its client has left, and by the client when it has not', async () => {
    const { script, runs } = counted('left')
    const client = () =>
      new ScriptedClient(site.gateway.gateway.grpc, {
        ...{ 'connection-name': 'one', verb: 'exec', 'when-approved': 'true' },
        authorization: `Bearer ${site.tokenOf('ann')}`,
      })
    const asked = async (exec: ScriptedClient, text: string) => {
      exec.open(text)
      const { spec } = await exec.packet('ClientSessionOpenWaitingApproval')
      return String(spec['gateway.session_id'])
    }
    await using stays = client()
    const watched = await asked(stays, 'echo watched')
    await site.say('bea', watched, 'APPROVED')
    await stays.packet('ClientSessionOpenApproveOK')
    expect(await stays.exec('echo watched')).toMatchObject({ stdout: 'watched\n', code: 0 })

    const leaves = client()
    const left = await asked(leaves, script)
    await leaves[Symbol.asyncDispose]()
    await site.say('bea', left, 'APPROVED')
    expect([(await ended(left))['exit_code'], runs()]).toEqual([0, 1])

    const after = counted('left-after')
    const late = client()
    const approved = await asked(late, after.script)
    await site.say('bea', approved, 'APPROVED')
    await late.packet('ClientSessionOpenApproveOK')
    await late[Symbol.asyncDispose]()
    expect([(await ended(approved))['exit_code'], after.runs()]).toEqual([0, 1])
  })
})

const ann = { authorization: 'Bearer token-of-ann-0123456789' }
const bea = { authorization: 'Bearer token-of-bea-0123456789' }
const people = (more = 'groups: [dev]') => `
  - { name: ann, token: token-of-ann-0123456789, ${more} }
  - { name: bea, token: token-of-bea-0123456789, groups: [dba] }`
const withoutAnn = people().replace(/.*name: ann.*/, '')
const one = (more = '') =>
  `\n  - { name: one, agent: local, command: [bash], review: { groups: [dba] }${more} }`
const usual = { users: people(), connections: one() }

async function asked(of: RunningGateway, script: string): Promise<string> {
  const { body } = await of.request('POST', '/api/sessions', { connection: 'one', script, ...itself }, ann)
  return String(body['session_id'])
}
const approve = (of: RunningGateway, sid: string, more: object = {}) =>
  of.request('PUT', `/api/reviews/${sid}`, { status: 'APPROVED', ...more }, bea)

describe('what has changed between request and approval', () => {
  let gateway: RunningGateway
  let agent: RunningAgent
  beforeAll(async () => {
    gateway = await RunningGateway.start({}, usual)
    agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
  })
  afterAll(async () => {
    await agent[Symbol.asyncDispose]()
    await gateway[Symbol.asyncDispose]()
  })
  const configure = async (settings: typeof usual) => {
    gateway.configure(settings)
    expect((await gateway.request('POST', '/api/reload')).status).toBe(200)
  }

  it.each([
    ['its owner was deleted', { users: withoutAnn }, 'ann was deleted'],
    ['its owner only reads now', { users: people('groups: [auditor]') }, 'ann is an auditor now'],
    [
      'its owner has lost the connection',
      { connections: one(', access: { groups: [sre] }') },
      'ann has no access',
    ],
    ['its connection is gone', { connections: '' }, 'connection one not found'],
    ['scripts are off', { connections: one(', access: { exec: false }') }, 'exec is disabled'],
  ])('%s: nothing runs, then or later, and everybody reads why', async (_, changed, reason) => {
    const { script, runs } = counted(reason)
    await configure(usual)
    const sid = await asked(gateway, script)
    await configure({ ...usual, ...changed })
    expect((await approve(gateway, sid)).status).toBe(200)
    expect((await ended(sid, gateway))['state']).toMatchObject({ name: 'refused' })
    await configure(usual)
    const { body } = await gateway.request('GET', `/api/reviews/${sid}`, undefined, ann)
    expect(body['status']).toBe('REVOKED')
    expect(body['rejection_reason']).toContain('approved, but not run: ')
    expect(body['rejection_reason']).toContain(reason)
    const refused = await gateway.request('POST', `/api/sessions/${sid}/exec`, undefined, ann)
    expect([refused.status, runs()]).toEqual([403, 0])
    const [entry, ...others] = await automatic(gateway, sid)
    expect([entry?.actor, entry?.outcome, others]).toEqual(['ann', false, []])
    expect(entry?.error_message).toContain(reason)
  })

  it('its token in gateway.yaml has another text: nothing runs before a person chooses Run', async () => {
    const { script, runs } = counted('replaced')
    await configure(usual)
    const sid = await asked(gateway, script)
    await configure({ ...usual, users: people().replace('token-of-ann', 'token-of-other-ann') })
    await approve(gateway, sid)
    const review = async () => (await gateway.request('GET', `/api/reviews/${sid}`, undefined, bea)).body
    await waitFor(async () => (await review())['held'] !== undefined)
    expect([await review(), runs()]).toMatchObject([{ held: { code: 'token-ended' } }, 0])
    await gateway.request('PUT', `/api/reviews/${sid}`, { status: 'REVOKED' }, bea)
  })

  it.each(['by itself', 'by hand'])(
    'its owner has the name of somebody who left: nothing runs %s',
    async (how) => {
      const { script, runs } = counted(how)
      await configure(usual)
      const add = async () => {
        await gateway.request('POST', '/api/users', { email: 'zoe', take_over: true })
        const { body } = await gateway.request('POST', '/api/tokens', { name: 'own', user: 'zoe' })
        return { authorization: `Bearer ${String(body['token'])}` }
      }
      const former = await add()
      const request = { connection: 'one', script, when_approved: how === 'by itself' }
      const { body } = await gateway.request('POST', '/api/sessions', request, former)
      const sid = String(body['session_id'])
      await gateway.request('DELETE', '/api/users/zoe')
      const zoe = await add()
      await approve(gateway, sid)
      const exec = () => gateway.request('POST', `/api/sessions/${sid}/exec`, undefined, zoe)
      const text = 'the name zoe belongs to another user now'
      if (how === 'by hand') expect((await exec()).body['message']).toContain(text)
      else expect((await ended(sid, gateway))['state']).toMatchObject({ name: 'refused' })
      expect([(await exec()).status, runs()]).toEqual([403, 0])
      await gateway.request('DELETE', '/api/users/zoe')
    },
  )
})

/** Signed in by something that ends while the request waits. */
describe('the token of the request', () => {
  const held = async (sid: string) => {
    const { body } = await site.as('bea', 'GET', `/api/reviews/${sid}`)
    return body['held']
  }
  const askAs = async (name: string) => {
    const made = await site.as('admin', 'POST', '/api/tokens', { name, user: 'ann' })
    const browsing = await Browsing.signedIn(site.gateway.gateway.http, String(made.body['token']))
    const asked = async (script: string) =>
      String(
        (await browsing.ask('POST', '/api/sessions', { connection: 'one', script, ...itself })).body[
          'session_id'
        ],
      )
    const revoke = () => site.as('admin', 'DELETE', `/api/tokens/${String(made.body['id'])}`)
    return { browsing, asked, revoke }
  }

  it('was revoked: the run is held, says why, and goes on when a person chooses Run', async () => {
    const { script, runs } = counted('revoked')
    const { asked, revoke } = await askAs('lost')
    const sid = await asked(script)
    await revoke()
    await site.say('bea', sid, 'APPROVED')
    await waitFor(async () => (await held(sid)) !== undefined)
    expect(await held(sid)).toMatchObject({
      code: 'token-ended',
      message: expect.stringMatching(
        /^nothing has run: the token was revoked after the request; ann has to start the run/,
      ) as string,
    })
    const beside = await site.ask('echo beside', 'one', itself)
    await site.say('bea', beside, 'APPROVED')
    await ended(beside)
    expect(runs()).toBe(0)
    expect((await site.run('ann', sid)).body).toMatchObject({ exit_code: 0 })
    expect(runs()).toBe(1)
  })

  it('ended with the sign-out of a browser: that takes nothing back', async () => {
    const { script, runs } = counted('signed-out')
    const { browsing, asked } = await askAs('shared-desk')
    const sid = await asked(script)
    expect((await browsing.ask('POST', '/api/page/sign-out')).body).toEqual({ ended: true })
    await site.say('bea', sid, 'APPROVED')
    expect([(await ended(sid))['exit_code'], runs()]).toEqual([0, 1])
  })
})

describe('a gateway that stops', () => {
  /** What a gateway that was killed has left, with the approval on the disk and no run yet. */
  function change(state: string, sid: string, fields: Readonly<Record<string, string>>): void {
    const { db } = openFile(path.join(state, 'history.sqlite'), undefined)
    const [status] = db
      .prepare('SELECT status FROM reviews WHERE session = (SELECT key FROM sessions WHERE id = ?)')
      .raw()
      .get([sid]) as [string]
    const paths = Object.entries(fields).flatMap(([name, value]) => [`$.${name}`, value])
    const set = paths.map(() => '?').join(', ')
    db.prepare(
      `UPDATE reviews SET status = ?, record = json_set(record, ${set})
       WHERE session = (SELECT key FROM sessions WHERE id = ?)`,
    ).run([fields['status'] ?? status, ...paths, sid])
    closeFile(db)
  }

  it('between approval and run leaves the run to the next one, and its beginning to nobody', async () => {
    const state = mkdtempSync(path.join(folder, 'state-'))
    const [waits, begun, held] = [counted('waits'), counted('begun'), counted('held-over')]
    const sids: string[] = []
    {
      await using first = await RunningGateway.start({}, { ...usual, state })
      for (const { script } of [waits, begun, held]) sids.push(await asked(first, script))
      await approve(first, sids[2] ?? '', CLOSED)
    }
    const [waiting = '', running = '', later = ''] = sids
    change(state, waiting, { status: 'APPROVED' })
    change(state, running, { status: 'PROCESSING' })
    change(state, later, { 'timeWindow.start': '00:00', 'timeWindow.end': '23:59' })
    await using next = await RunningGateway.start({}, { ...usual, state })
    await using agent = await RunningAgent.start(next.agentUrl)
    await agent.serving()
    for (const sid of [waiting, later]) expect((await ended(sid, next))['exit_code']).toBe(0)
    expect((await ended(running, next))['state']).toMatchObject({ name: 'gateway-lost' })
    expect([waits.runs(), begun.runs(), held.runs()]).toEqual([1, 0, 1])
  })

  it('leaves no run behind a thousand that are held', async () => {
    const state = mkdtempSync(path.join(folder, 'state-'))
    const { script, runs } = counted('behind-a-thousand')
    const start = () => RunningGateway.start({}, { ...usual, state })
    {
      await using first = await start()
      await approve(first, await asked(first, 'echo held'), CLOSED)
    }
    const { db } = openFile(path.join(state, 'history.sqlite'), undefined)
    const columns = (table: string) =>
      (db.prepare(`SELECT name FROM pragma_table_info('${table}')`).raw().all([]) as [string][]).map(
        ([name]) => name,
      )
    const copied = (table: string, changed: Readonly<Record<string, string>>) =>
      db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)
        INSERT INTO ${table} (${columns(table).join()})
        SELECT ${columns(table)
          .map((name) => changed[name] ?? name)
          .join()} FROM ${table}, n`)
    copied('sessions', { key: 'key + i', id: "id || '-' || i" })
    const held = `json_set(record, '$.id', id || '-' || i, '$.sessionId', (SELECT id FROM sessions WHERE key = session + i),
      '$.held', json('{"code":"outside-time-window","message":"later"}'))`
    copied('reviews', { session: 'session + i', id: "id || '-' || i", owner: "'gus'", record: held })
    closeFile(db)
    let sid: string
    {
      await using second = await start()
      sid = await asked(second, script)
    }
    change(state, sid, { status: 'APPROVED' })
    await using next = await start()
    await using agent = await RunningAgent.start(next.agentUrl)
    await agent.serving()
    expect([(await ended(sid, next))['exit_code'], runs()]).toEqual([0, 1])
  })

  it('begins nothing in a gateway that cannot start, so that the next one runs it', async () => {
    const state = mkdtempSync(path.join(folder, 'state-'))
    const { script, runs } = counted('cannot-start')
    let sid: string
    {
      await using first = await RunningGateway.start({}, { ...usual, state })
      sid = await asked(first, script)
    }
    change(state, sid, { status: 'APPROVED' })
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const http = `127.0.0.1:${(taken.address() as AddressInfo).port}`
    try {
      await expect(RunningGateway.start({}, { ...usual, state, http })).rejects.toThrow('EADDRINUSE')
    } finally {
      taken.close()
    }
    await using next = await RunningGateway.start({}, { ...usual, state })
    await using agent = await RunningAgent.start(next.agentUrl)
    await agent.serving()
    expect([(await ended(sid, next))['exit_code'], runs()]).toEqual([0, 1])
  })
})

describe('what an approver is shown and says', () => {
  const run = (table: string) => ({
    ...{ file_name: 'ops/danger/drop.runbook.sh', parameters: { pw: 'a-secret-word', table } },
  })
  const path = (connection: string) => `/api/plugins/runbooks/connections/${connection}/exec`
  const ask = async (table: string, connection = 'books') =>
    String((await site.as('ann', 'POST', path(connection), { ...run(table), ...itself })).body['session_id'])
  const previous = async (sid: string, name: Name = 'cid') =>
    site.as(name, 'GET', `/api/reviews/${sid}/previous`)

  it('is the last approved run of the same runbook, and a comment with the approval', async () => {
    const first = await ask('one')
    expect((await previous(first)).body).toBeNull()
    expect(await site.session(first)).toMatchObject({ runbook_title: 'Drop a table' })
    expect((await site.session(first))['labels']).not.toHaveProperty('runbookTitle')
    const said = await site.say('cid', first, 'APPROVED', { comment: 'as agreed' })
    expect(said.body).toMatchObject({
      review_groups_data: [{ comment: 'as agreed' }],
      runbook: { file: 'ops/danger/drop.runbook.sh', title: 'Drop a table' },
    })
    await ended(first)
    const second = await ask('two')
    expect((await previous(second)).body).toMatchObject({ session: first, owner: 'ann', connection: 'books' })
    expect((await previous(second, 'bea')).status).toBe(404)
    await site.say('cid', second, 'REJECTED')
    const waits = await ask('three')
    expect((await previous(waits)).body).toMatchObject({ session: first, is_last: true })
    const later = await ask('four')
    await site.say('cid', later, 'APPROVED')
    await ended(later)
    expect((await previous(waits)).body).toMatchObject({ session: later })
    expect((await previous(await site.ask('echo a script'))).body).toBeNull()
  })
  it('is no run that the approver may not see', async () => {
    const seen = (await previous(await ask('before'))).body as { session?: string } | null
    const hidden = await ask('hidden', 'vault')
    await site.say('bea', hidden, 'APPROVED')
    await ended(hidden)
    const next = await ask('next')
    expect((await previous(next)).body).toEqual({ ...seen, is_last: false })
    for (const name of ['ann', 'dan', 'admin'] as const)
      expect((await previous(next, name)).body).toMatchObject({ session: hidden })
    expect((await site.as('cid', 'GET', `/api/sessions/${hidden}`)).status).toBe(404)
  })
})
