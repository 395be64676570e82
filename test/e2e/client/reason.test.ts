import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'

const FILE = 'ops/hello.runbook.sh'

describe('a reason on the command line', () => {
  let site: Site

  beforeAll(async () => {
    site = await Site.start({
      connections: [{ name: 'strict', command: ['bash'], reason: 'required' }],
      runbooks: { [FILE]: 'echo hello' },
    })
  }, 60_000)

  afterAll(async () => {
    await site[Symbol.asyncDispose]()
  })

  const env = () => ({
    ...{ HOOP_APIURL: `http://${site.address}`, HOOP_GRPCURL: site.grpc, HOOP_TOKEN: site.token },
  })
  const client = (...args: readonly string[]) => runProgram(site.place, args, env())
  const reasons = async () => {
    const { stdout } = await client('sessions', 'list', '--format', 'json')
    const sessions = JSON.parse(stdout) as readonly { reason?: string }[]
    return sessions.map(({ reason }) => reason)
  }

  it('is sent by run, run --on, exec and connect --run, and stays with the session', async () => {
    const ways = [
      ['run', 'strict', FILE, '--reason', 'by run'],
      ['run', FILE, '--on', 'strict', '--yes', '--reason', 'by batch'],
      ['exec', 'strict', '-i', 'echo hello', '--reason', 'größer: by exec'],
    ]
    const ends = []
    for (const way of ways) ends.push((await client(...way)).code)
    expect(ends).toEqual([0, 0, 0])
    expect(await reasons()).toEqual(['größer: by exec', 'by batch', 'by run'])
  })

  it('is missing with 64, and nothing has run', async () => {
    const before = (await reasons()).length
    const ways = [
      ['run', 'strict', FILE],
      ['run', FILE, '--on', 'strict', '--yes'],
      ['exec', 'strict', '-i', 'echo hello'],
      ['connect', 'strict', '--run', 'true'],
    ]
    for (const way of ways) {
      const { code, stderr } = await client(...way)
      expect([way[0], code, stderr]).toEqual([way[0], 64, expect.stringContaining('--reason')])
    }
    expect((await reasons()).length).toBe(before)
  })

  it('is refused with --local, which records nothing', async () => {
    const { code } = await client('exec', '--local', 'strict', '-i', 'true', '--reason', 'x')
    expect(code).toBe(64)
  })

  it.skipIf(!hasTmux)('is asked for by run on a terminal (tmux)', async () => {
    using screen = new Tmux(site.place, { ...env(), N: process.execPath, A: main })
    screen.enter(`"$N" "$A" run strict ${FILE}`)
    await screen.shows(/reason for this request/)
    screen.enter('')
    await screen.shows(/the reason may not be empty/)
    screen.enter('typed')
    await screen.shows(/^hello/m)
    expect((await reasons())[0]).toBe('typed')
  })
})
