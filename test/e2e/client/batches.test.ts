import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Fleet } from '../../gateway/batches/fleet.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { runProgram } from '../../support/sites/program.ts'
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

const ask = (...words: readonly string[]) =>
  runProgram(place, words, { HOOP_APIURL: fleet.gateway.gateway.http, HOOP_TOKEN: userToken })

describe('run on several connections', () => {
  it('exits with 0 when all have succeeded, and tells each end', async () => {
    const { code, stdout, stderr } = await ask('run', 'ops/plain.sh', '--on', 'c-1,c-2')
    expect([code, stderr.match(/c-\d: succeeded with exit code 0/g)?.length]).toEqual([0, 2])
    expect(stderr).toContain('wave 2 of 2: 1 connections\n')
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
    expect(said).toContain('stopped, 1 of its runs have failed: 1 have not begun\n')
  })

  it.each([
    [['run', 'ops/plain.sh'], 'the runbook is missing'],
    [['run', 'c-1', 'ops/plain.sh', '--on', 'c-2'], 'there is one word, the runbook'],
    [['run', 'c-1', 'ops/plain.sh', '--waves', '1'], 'for several connections: --on a,b or --tag'],
    [['run', 'ops/plain.sh', '--tag', 'of=nothing'], 'no connection has these tags'],
    [['batches', 'show', 'ffff'], 'no batch begins with ffff'],
  ])('refuses %j', async (words, text) => {
    const { code, stderr } = await ask(...words)
    expect([code, stderr]).toEqual([64, expect.stringContaining(text)])
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
      expect.stringContaining('knows no batches (POST /api/batches), nothing has run'),
    ])
  })
})
