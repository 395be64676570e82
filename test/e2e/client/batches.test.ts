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
