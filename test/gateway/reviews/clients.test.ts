import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { encodeClientMessage } from '../../../src/wire/messages/from-client.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'
import { ReviewSite, type Name } from './site.ts'

// Command lines that wait for people: hoop's packets, real gRPC, an agent with real commands.

let site: ReviewSite
beforeAll(async () => {
  site = await ReviewSite.start({
    connections: `
  - { name: shells, agent: local, command: [bash, --norc, --noprofile], type: command-line, review: { groups: [dba], access-max-duration: 1h } }
  - { name: brief, agent: local, command: [bash, --norc, --noprofile], type: command-line, review: { groups: [dba] } }
  - { name: late, agent: local, command: [bash, --norc, --noprofile], type: command-line, review: { groups: [dba] } }`,
  })
})
afterAll(() => site[Symbol.asyncDispose]())
afterEach(() => vi.restoreAllMocks())

function client(verb: 'exec' | 'connect', connection: string, name: Name = 'ann'): ScriptedClient {
  const authorization = `Bearer ${site.tokenOf(name)}`
  return new ScriptedClient(site.gateway.gateway.grpc, { 'connection-name': connection, verb, authorization })
}

/** The session of a client that waits. */
async function waiting(waits: ScriptedClient, { gateway } = site.gateway): Promise<string> {
  const { spec, payload } = await waits.packet('ClientSessionOpenWaitingApproval')
  const sid = String(spec['gateway.session_id'])
  expect(String(payload)).toBe(`${gateway.http}/sessions/${sid}`)
  return sid
}

/** The session of an `exec` whose client has gone before anybody has decided. */
async function left(script: string, clientArgs: readonly string[] = []): Promise<string> {
  const exec = client('exec', 'one')
  exec.open(script, { clientArgs })
  const sid = await waiting(exec)
  await exec[Symbol.asyncDispose]()
  return sid
}

async function review(sid: string): Promise<Record<string, unknown>> {
  return (await site.session(sid))['review'] as Record<string, unknown>
}

describe('exec', () => {
  it('waits, and runs under the same id when it is approved and opened again', async () => {
    await using exec = client('exec', 'one')
    exec.open('echo approved; exit 6')
    const sid = await waiting(exec)
    expect(await site.session(sid)).toMatchObject({
      status: 'open',
      script: { data: 'echo approved; exit 6' },
    })
    exec.sendPacket({ type: 'GatewayKeepAlive', spec: {}, payload: Buffer.alloc(0) })
    await site.say('bea', sid, 'APPROVED')
    const { spec } = await exec.packet('ClientSessionOpenApproveOK')
    expect(String(spec['gateway.session_id'])).toBe(sid)
    expect(await exec.exec('echo approved; exit 6')).toMatchObject({ stdout: 'approved\n', code: 6 })
    await waitFor(async () => (await review(sid))['status'] === 'EXECUTED')
    expect(await site.session(sid)).toMatchObject({ status: 'done', exit_code: 6 })
  })

  it('is told who has rejected it, and why', async () => {
    await using exec = client('exec', 'one')
    exec.open('echo no')
    const sid = await waiting(exec)
    await site.say('cid', sid, 'REJECTED', { rejection_reason: 'not now' })
    expect(await exec.ended()).toMatchObject({
      ...{ code: 254, stdout: '' },
      message: 'Access to connection has been denied\n  Reason: not now\n  Rejected by cid',
    })
  })

  it('is ended when somebody kills it', async () => {
    await using exec = client('exec', 'one')
    exec.open('echo no')
    const sid = await waiting(exec)
    expect((await site.as('ann', 'POST', `/api/sessions/${sid}/kill`)).status).toBe(204)
    expect((await exec.ended()).message).toContain('session killed by the user')
  })

  it('may leave while it waits: it is run later, as by exec --session of hoop', async () => {
    const exec = client('exec', 'one')
    exec.open('echo later')
    const sid = await waiting(exec)
    await exec[Symbol.asyncDispose]()
    await site.say('bea', sid, 'APPROVED')
    expect((await site.run('ann', sid)).body).toMatchObject({ output: 'later\n', exit_code: 0 })
  })

  it('that has left waits on: it is shown, run once by whoever may, and by nobody else', async () => {
    const sid = await left('echo "ran $1"', ['-s', '--', 'as-asked'])
    expect(await site.session(sid)).toMatchObject({
      ...{ status: 'open', end_date: null, exit_code: null },
      review: { status: 'PENDING', client_args: ['-s', '--', 'as-asked'] },
    })
    expect((await site.run('ann', sid)).body['message']).toBe('review not approved or already executed')
    await site.say('bea', sid, 'APPROVED')
    expect(await site.session(sid)).toMatchObject({ status: 'ready', review: { status: 'APPROVED' } })
    expect((await site.run('gus', sid)).body['message']).toBe('unable to execute session')
    const answers = await Promise.all(Array.from({ length: 10 }, () => site.run('ann', sid)))
    const ran = answers.filter(({ status }) => status === 200)
    expect(ran.map(({ body }) => [body['output'], body['session_id']])).toEqual([['ran as-asked\n', sid]])
    expect((await site.run('ann', sid)).status).toBe(403)
    expect(await site.session(sid)).toMatchObject({ status: 'done', exit_code: 0, origin: 'client' })
  })

  it('that has left can be withdrawn, and runs only in its window', async () => {
    const withdrawn = await left('echo no')
    expect((await site.as('ann', 'POST', `/api/sessions/${withdrawn}/kill`)).status).toBe(204)
    expect(await site.session(withdrawn)).toMatchObject({
      ...{ status: 'done', exit_code: 254 },
      review: { status: 'REJECTED' },
    })
    const late = await left('echo no')
    const minute = (at: number) => new Date(at).toISOString().slice(11, 16)
    const [start_time, end_time] = [7_200_000, 7_260_000].map((ms) => minute(Date.now() + ms))
    const time_window = { type: 'time_range', configuration: { start_time, end_time } }
    await site.say('bea', late, 'APPROVED', { time_window })
    expect((await site.run('ann', late)).body).toMatchObject({ code: 'outside-time-window' })
    expect(await site.session(late)).toMatchObject({ status: 'ready' })
  })

  it('that has left is still there after a restart, and expires as any other', async () => {
    const state = mkdtempSync(path.join(tmpdir(), 'left-'))
    const connections = `\n  - { name: asks, agent: local, command: [bash], review: { groups: [dba], expires: 1h } }`
    const start = () => RunningGateway.start({}, { connections, state })
    let sid = ''
    {
      await using gateway = await start()
      const exec = new ScriptedClient(gateway.gateway.grpc, { 'connection-name': 'asks', verb: 'exec' })
      exec.open('echo no')
      sid = await waiting(exec, gateway)
      await exec[Symbol.asyncDispose]()
    }
    const shown = async (gateway: RunningGateway) =>
      (await gateway.request('GET', `/api/sessions/${sid}`)).body
    {
      await using gateway = await start()
      expect(await shown(gateway)).toMatchObject({ status: 'open', review: { status: 'PENDING' } })
    }
    const now = Date.now()
    vi.spyOn(Date, 'now').mockImplementation(() => now + 2 * 3_600_000)
    {
      await using gateway = await start()
      const rejected = { status: 'REJECTED', rejection_reason: 'nobody has decided in time' }
      expect(await shown(gateway)).toMatchObject({ status: 'done', exit_code: 254, review: rejected })
      expect((await gateway.request('POST', `/api/sessions/${sid}/exec`)).status).toBe(403)
    }
    rmSync(state, { recursive: true })
  })

  it('runs nothing when somebody else has run it meanwhile', async () => {
    await using exec = client('exec', 'one')
    exec.open('echo once')
    const sid = await waiting(exec)
    await site.say('bea', sid, 'APPROVED')
    await exec.packet('ClientSessionOpenApproveOK')
    expect((await site.run('ann', sid)).body).toMatchObject({ output: 'once\n' })
    exec.open('echo once')
    expect(await exec.over()).toMatchObject({ details: 'review not approved or already executed' })
  })

  it('runs the script that was approved, and refuses another one', async () => {
    await using exec = client('exec', 'one')
    exec.open('echo approved')
    await site.say('bea', await waiting(exec), 'APPROVED')
    await exec.packet('ClientSessionOpenApproveOK')
    exec.open('echo other')
    await exec.packet('ClientSessionOpenOK')
    exec.send({ kind: 'exec', stdin: Buffer.from('echo other') })
    expect(await exec.over()).toMatchObject({
      details: 'the script differs from the script with which the session was opened',
    })
  })

  it('is refused when it sends something before it is approved', async () => {
    await using exec = client('exec', 'one')
    exec.open('echo')
    await waiting(exec)
    exec.send({ kind: 'exec', stdin: Buffer.from('echo') })
    expect(await exec.over()).toMatchObject({
      details: 'AgentExecWriteStdin was received before the session was approved',
    })
  })

  it('does not wait where no review is needed', async () => {
    await using exec = client('exec', 'one', 'hal')
    expect(await exec.exec('echo free')).toMatchObject({ stdout: 'free\n', code: 0 })
  })

  it('twenty of one user may wait, and one that leaves makes room', async () => {
    const crowd = Array.from({ length: 20 }, () => client('exec', 'one', 'gus'))
    for (const exec of crowd) exec.open('echo')
    const sids = await Promise.all(crowd.map((exec) => waiting(exec)))
    await using late = client('exec', 'one', 'gus')
    late.open('echo')
    expect((await late.over()).details).toContain('at most 100, and 20 per user')
    await Promise.all(crowd.map((exec) => exec[Symbol.asyncDispose]()))
    await waitFor(async () => {
      await using next = client('exec', 'one', 'gus')
      next.open('echo')
      await waitFor(() => next.received.length > 0 || next.status !== undefined)
      return next.received.length > 0
    })
    for (const sid of sids) await site.as('gus', 'POST', `/api/sessions/${sid}/kill`)
  })
})

describe('connect', () => {
  const open = encodeClientMessage

  async function terminal(connection: string, name: Name, accessDuration?: string): Promise<ScriptedClient> {
    const shell = client('connect', connection, name)
    shell.sendPacket(
      open({
        kind: 'open',
        input: Buffer.alloc(0),
        clientArgs: [],
        clientEnvVars: new Map(),
        ...(accessDuration !== undefined && { accessDuration }),
      }),
    )
    return Promise.resolve(shell)
  }

  it('waits, opens when it is approved, and later ones need no review until it is revoked', async () => {
    await using shell = await terminal('shells', 'ann')
    const sid = await waiting(shell)
    expect(await review(sid)).toMatchObject({ type: 'jit', access_duration: 900e9, revoke_at: null })
    expect((await site.run('ann', sid)).status).toBe(404)
    await site.say('bea', sid, 'APPROVED')
    await shell.packet('ClientSessionOpenApproveOK')
    await shell.connect()
    shell.type('echo $((40 + 2))\n')
    await shell.shows('42')
    const { revoke_at: until } = await review(sid)
    expect(Date.parse(String(until)) - Date.now()).toBeGreaterThan(890_000)
    expect(await site.session(sid)).toMatchObject({ status: 'open' })

    await using second = client('connect', 'shells')
    await second.connect()
    expect(await site.session(await second.sid())).toMatchObject({ status: 'open', review: null })
    await site.say('bea', sid, 'REVOKED')
    for (const revoked of [shell, second])
      expect((await revoked.over()).details).toContain('Access to connection has been denied')
    await using third = await terminal('shells', 'ann')
    const again = await waiting(third)
    expect(await review(again)).toMatchObject({ status: 'PENDING' })
    await site.say('bea', again, 'REJECTED')
    expect((await third.ended()).message).toContain('Rejected by bea')
  })

  it.each([
    ['revoked', (sid: string) => site.say('bea', sid, 'REVOKED')],
    ['killed', (sid: string) => site.as('admin', 'POST', `/api/sessions/${sid}/kill`)],
  ])('does not open when it was %s between its approval and its opening', async (_, end) => {
    await using shell = await terminal('late', 'cid')
    const sid = await waiting(shell)
    await site.say('bea', sid, 'APPROVED')
    await shell.packet('ClientSessionOpenApproveOK')
    await end(sid)
    shell.open()
    expect((await shell.over()).details).toBe('review not approved or already executed')
    expect(await site.session(sid)).toMatchObject({ status: 'done', exit_code: 254 })
  })

  it('is cut when its time is over, and so are the others of the same approval', async () => {
    await using shell = await terminal('brief', 'gus', '1500ms')
    const sid = await waiting(shell)
    expect(await review(sid)).toMatchObject({ access_duration: 1.5e9 })
    await site.say('bea', sid, 'APPROVED')
    await shell.packet('ClientSessionOpenApproveOK')
    await shell.connect()
    expect(await shell.over()).toMatchObject({
      code: 10,
      details: 'session ended, reached connection duration',
    })
    await using late = await terminal('brief', 'gus')
    await waiting(late)
  })

  it('that leaves while it waits ends its session, but not its review: by that it opens later', async () => {
    const shell = await terminal('shells', 'hal')
    const sid = await waiting(shell)
    await shell[Symbol.asyncDispose]()
    await waitFor(async () => (await site.session(sid))['status'] === 'done')
    expect((await site.session(sid))['state']).toMatchObject({ name: 'closed', text: 'closed', by: null })
    expect(await review(sid)).toMatchObject({ status: 'PENDING' })
    await site.say('bea', sid, 'APPROVED')
    await using second = client('connect', 'shells', 'hal')
    await second.connect()
    expect(await site.session(await second.sid())).toMatchObject({ review: null })
  })

  it('does not believe an approval that lies in the future: the clock was set back', async () => {
    const shell = await terminal('shells', 'eve')
    const sid = await waiting(shell)
    await site.say('bea', sid, 'APPROVED')
    await shell[Symbol.asyncDispose]()
    const now = Date.now()
    vi.spyOn(Date, 'now').mockReturnValue(now - 3_600_000)
    await using second = await terminal('shells', 'eve')
    await waiting(second)
  })

  it.each([
    ['soon', 'invalid access time duration, got=soon'],
    ['-5m', 'invalid access time duration, got=-5m'],
    ['49h', 'jit access input must not be greater than 48 hours'],
    ['2h', 'jit access input exceeds connection max duration of 3600s'],
  ])('is refused for %s', async (duration, text) => {
    await using shell = await terminal('shells', 'ann', duration)
    expect((await shell.over()).details).toBe(text)
  })
})
