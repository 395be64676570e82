import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Fleet } from '../../gateway/batches/fleet.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { waitFor } from '../../support/wait.ts'
import { Program, runProgram } from '../../support/sites/program.ts'
import { userToken } from '../../support/sites/running-gateway.ts'
import { Workplace } from '../../support/sites/workplace.ts'

let fleet: Fleet
let place: Workplace
beforeAll(async () => {
  fleet = await Fleet.start(4, (name) =>
    name === 'c-3' ? { code: 3, output: 'one\n2\n' } : { code: 0, output: 'one\ntwo\n' },
  )
  place = new Workplace()
  // The repository's git process starts with the first read and stays.
  await fleet.ended(await fleet.begin())
})
afterAll(async () => {
  place[Symbol.dispose]()
  await fleet[Symbol.asyncDispose]()
})

/** Whether no signal of a process is pending any more. */
const isHandled = (pid: number) =>
  /^SigPnd:\s+0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) &&
  /^ShdPnd:\s+0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

const ask = (...words: readonly string[]) =>
  runProgram(place, words, { HOOP_APIURL: fleet.gateway.gateway.http, HOOP_TOKEN: userToken })

describe('run on several connections', () => {
  it('exits with 0 when all have succeeded, and tells each end', async () => {
    const { code, stdout, stderr } = await ask('run', 'ops/plain.sh', '--on', 'c-1,c-2')
    expect([code, stderr.match(/c-\d: succeeded with exit code 0/g)?.length]).toEqual([0, 2])
    expect(stderr).toContain('wave 2 of 2: 1 connection\n')
    expect(stdout).toContain('\n2 same, 0 differ\n  2 x exit code 0: c-1, c-2\n')
  })

  it('exits with 70 when one has failed, and says how it differs', async () => {
    const words = ['run', 'ops/plain.sh', '--tag', 'of=fleet', '--stop-after', '100%', '--json']
    const { code, stdout } = await ask(...words)
    const batch = JSON.parse(stdout) as { id: string; counts: object }
    expect([code, batch.counts]).toEqual([70, expect.objectContaining({ succeeded: 3, failed: 1 })])
    const diff = JSON.parse((await ask('batches', 'diff', batch.id.slice(0, 13))).stdout) as object
    expect(diff).toMatchObject({ same: 3, differ: 1, differences: [{ exit_code: 3, connections: ['c-3'] }] })
    const [newest] = JSON.parse((await ask('batches')).stdout) as object[]
    expect(newest).toMatchObject({ id: batch.id, status: 'done' })
    expect(JSON.parse((await ask('batches', 'show', batch.id)).stdout)).toEqual(batch)
  })

  it('stops at the first failure unless it is told otherwise', async () => {
    const { code, stderr } = await ask('run', 'ops/plain.sh', '--on', 'c-3,c-1', '--quiet', '--json')
    expect([code, stderr]).toEqual([70, ''])
    const { code: stopped, stderr: said } = await ask('run', 'ops/plain.sh', '--on', 'c-3,c-1')
    expect(stopped).toBe(70)
    expect(said).toContain('stopped, 1 of the runs failed: 1 run has not begun\n')
  })

  it.each([
    [['run', 'ops/plain.sh'], 'the name of the runbook is missing'],
    [['run', 'c-1', 'ops/plain.sh', '--on', 'c-2'], 'give only the runbook, no connection'],
    [['run', 'c-1', 'ops/plain.sh', '--waves', '1'], 'add --on a,b or --tag'],
    [['run', 'ops/plain.sh', '--tag', 'of=nothing'], 'no connection has these tags'],
    [['batches', 'show', 'ffff'], 'no batch has an id that begins with ffff'],
  ])('refuses %j', async (words, text) => {
    const { code, stderr } = await ask(...words)
    expect([code, stderr]).toEqual([64, expect.stringContaining(text)])
  })

  it('stops with Ctrl-C what has not begun, and lets what runs go on; a second one kills it', async () => {
    await using held = await Fleet.start(3, (name) => (name === 'c-1' ? 'wait' : { code: 0 }))
    const env = { HOOP_APIURL: held.gateway.gateway.http, HOOP_TOKEN: userToken }
    const words = ['run', 'ops/plain.sh', '--on', 'c-1,c-2,c-3']
    await using patient = new Program(place, words, env)
    await patient.says('stderr', /wave 1 of 2/)
    await waitFor(() => held.begun.length === 1)
    patient.signal('SIGINT')
    await patient.says('stderr', /stopping: no further runs start/)
    await held.end('c-1')
    expect(await patient.ended()).toEqual({ code: 70, signal: null })
    expect(patient.stderr).toContain('admin stopped the batch: 2 runs have not begun\n')
    expect(patient.stderr).toContain('c-1: succeeded with exit code 0 ')

    await using hasty = new Program(place, words, env)
    await waitFor(() => held.begun.length === 2)
    hasty.signal('SIGINT')
    await hasty.says('stderr', /stopping/)
    hasty.signal('SIGINT')
    expect(await hasty.ended()).toEqual({ code: 70, signal: null })
    expect(hasty.stderr).toMatch(/stopping the running sessions\n[^]*c-1: /)
    expect(held.begun).toEqual(['c-1', 'c-1'])
  })

  it('stops with a Ctrl-C that comes before the gateway has answered', async () => {
    await using rest = await ScriptedRest.start()
    const run = (status: string) => ({ connection: 'a', wave: 1, status, session_id: null })
    const batch = (status: string) => ({
      ...{ id: 'b-1', status, owner: 'ann', created_at: '2026-01-31T12:00:00Z', file_name: 'x.sh' },
      ...{ waves: [1], runs: [run('not-begun')], groups: [], stop: null, review: null },
      counts: { total: 1, succeeded: 0, failed: 0, running: 0, not_begun: 1 },
    })
    rest.on(
      'GET /api/runbooks',
      json(200, { errors: [], repositories: [{ repository: 'r', items: [{ name: 'x.sh' }] }] }),
    )
    await using asking = new Program(place, ['run', 'x.sh', '--on', 'a,b'], {
      ...{ HOOP_APIURL: rest.url, HOOP_TOKEN: userToken },
    })
    let answer: () => void = () => undefined
    rest.on('POST /api/batches', (...args) => (answer = () => json(201, batch('running'))(...args)))
    rest.on('POST /api/batches/b-1/stop', json(200, batch('stopped')))
    rest.on('GET /api/batches/b-1', json(200, batch('stopped')))
    await waitFor(() => rest.asked('POST /api/batches').length === 1)
    asking.signal('SIGINT')
    await waitFor(() => isHandled(asking.pid))
    answer()
    expect((await asking.ended()).code).toBe(70)
    expect(rest.asked('POST /api/batches/b-1/stop')).toHaveLength(1)
  })

  it('says what to do with a gateway that knows no batches', async () => {
    await using rest = await ScriptedRest.start()
    rest.on(
      'GET /api/runbooks?connection_name=a',
      json(200, { errors: [], repositories: [{ repository: 'r', items: [{ name: 'x.sh' }] }] }),
    )
    const { code, stderr } = await runProgram(place, ['run', 'x.sh', '--on', 'a,b'], {
      ...{ HOOP_APIURL: rest.url, HOOP_TOKEN: userToken },
    })
    expect([code, stderr]).toEqual([
      69,
      expect.stringContaining('does not support batches (POST /api/batches), so nothing has run'),
    ])
  })
})

describe('batches retry', () => {
  const on = (fleet: Fleet, ...words: readonly string[]) =>
    runProgram(place, words, { HOOP_APIURL: fleet.gateway.gateway.http, HOOP_TOKEN: userToken })

  it('runs again what failed or never began, says what it leaves out, and names the new batch to those who come later', async () => {
    const broken = new Set(['c-2'])
    await using own = await Fleet.start(4, (name) => ({ code: broken.has(name) ? 3 : 0 }))
    const id = await own.begin({ waves: '1,1,rest' })
    await own.ended(id)
    const shown = await on(own, 'batches', 'show', id)
    expect(JSON.parse(shown.stdout)).toMatchObject({ status: 'stopped', retried_by: null })
    broken.clear()
    const { code, stderr, stdout } = await on(own, 'batches', 'retry', id.slice(0, 8), '--json')
    const batch = JSON.parse(stdout) as { id: string }
    expect([code, batch]).toEqual([0, expect.objectContaining({ retry_of: id, waves: [1, 2] })])
    expect(stderr).toContain('runbook-agent: failed: c-2\nrunbook-agent: never began: c-3, c-4\n')
    expect(stderr).toContain('wave 2 of 2: 2 connections\n')
    expect(own.begun).toEqual(['c-1', 'c-2', 'c-2', 'c-3', 'c-4'])
    const again = await on(own, 'batches', 'retry', id)
    expect([again.code, again.stderr]).toEqual([
      69,
      expect.stringMatching(new RegExp(`as batch ${batch.id}; .* retry that batch\n$`)),
    ])
  })

  it('names the values to give again, and takes them', async () => {
    const broken = new Set(['c-1'])
    await using own = await Fleet.start(1, (name) => ({ code: broken.has(name) ? 3 : 0 }))
    own.gateway.commit({ 'ops/secret.sh': 'echo {{ .word | type "password" }}' })
    const env = { 'envvar:STAGE': 'dGVzdA==', 'filesystem:KEY': 'a2V5' }
    const id = await own.begin({
      ...{ file_name: 'ops/secret.sh', parameters: { word: 'open-sesame' }, env_vars: env },
      client_args: ['-x'],
    })
    await own.ended(id)
    const refused = await on(own, 'batches', 'retry', id, '-p', 'word=open-sesame')
    expect([refused.code, refused.stderr]).toEqual([
      64,
      expect.stringContaining('give them again: -e STAGE=..., -f KEY=..., the arguments after --\n'),
    ])
    broken.clear()
    place.write('key', 'key')
    const values = ['-p', 'word=open-sesame', '-e', 'STAGE=test', '-f', `KEY=${place.at('key')}`]
    const { code } = await on(own, 'batches', 'retry', id, ...values, '--quiet', '--', '-x')
    expect([code, own.begun]).toEqual([0, ['c-1', 'c-1']])
  })

  it('shows what the present commit changes when the commit of the batch is gone', async () => {
    await using rest = await ScriptedRest.start()
    const run = { connection: 'a', wave: 1, status: 'failed', session_id: null, retry_group: 'never-began' }
    const id = '5474d29f-0000-4000-8000-000000000000'
    const counts = { total: 1, succeeded: 0, failed: 1, running: 0, not_begun: 0 }
    rest.on(
      `GET /api/batches/${id}`,
      json(200, { id, status: 'done', counts, file_name: 'x.sh', runs: [run] }),
    )
    const present = { commit: 'abc', diff: '-one\n+two\n', note: null }
    rest.on(`POST /api/batches/${id}/retry`, json(409, { message: 'gone', code: 'commit-gone', present }))
    const { code, stderr } = await runProgram(place, ['batches', 'retry', id, '--commit', 'abd'], {
      ...{ HOOP_APIURL: rest.url, HOOP_TOKEN: userToken },
    })
    expect([code, stderr]).toEqual([69, expect.stringContaining(`-one\n+two\n`)])
    expect(rest.asked(`POST /api/batches/${id}/retry`)[0]?.body).toMatchObject({ commit: 'abd' })
  })

  it('says in one line that a gateway knows no batches', async () => {
    await using rest = await ScriptedRest.start()
    const { code, stderr } = await runProgram(
      place,
      ['batches', 'retry', '5474d29f-0000-4000-8000-000000000000'],
      { HOOP_APIURL: rest.url, HOOP_TOKEN: userToken },
    )
    expect([code, stderr]).toEqual([
      69,
      expect.stringMatching(/^runbook-agent: the gateway \S+ has no batches: [^\n]+\n$/),
    ])
  })
})

describe('run --again', () => {
  it('runs the runbook of a session again, with its values, and asks for the secret ones', async () => {
    fleet.gateway.commit({
      'ops/again.sh': 'echo {{ .who }} {{ .word | type "password" }}\necho {{ .more | default "none" }}',
    })
    const first = ['run', 'c-1', 'ops/again.sh', '-p', 'who=ann', '-p', 'word=open-sesame', '-p', 'more=some']
    expect((await ask(...first)).code).toBe(0)
    const newest = async () => {
      const [session] = JSON.parse((await ask('sessions', '--limit', '1')).stdout) as {
        id: string
        connection: string
        labels: Record<string, string>
      }[]
      return session
    }
    const session = await newest()
    const refused = await ask('run', '--again', session?.id ?? '')
    expect([refused.code, refused.stderr]).toEqual([
      64,
      expect.stringContaining('give them again: -p word=...'),
    ])
    const { code } = await ask('run', '--again', session?.id ?? '', '-p', 'word=other', '-p', 'who=bea')
    expect(code).toBe(0)
    const second = await newest()
    expect(second?.id).not.toBe(session?.id)
    expect(second?.connection).toBe('c-1')
    expect(JSON.parse(second?.labels['runbookParameters'] ?? '')).toEqual({
      ...{ who: 'bea', word: '[not recorded]', more: 'some' },
    })
  })

  it.each([
    [['c-1', '--again', 'x'], 'with --again give only the session'],
    [['--again', 'x', '--on', 'c-1'], 'with --again give only the session'],
    [[], 'the name of the connection is missing'],
  ])('refuses run %j', async (words, text) => {
    const { code, stderr } = await ask('run', ...words)
    expect([code, stderr]).toEqual([64, expect.stringContaining(text)])
  })
})
