import { expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { SocketFolder } from '../../support/machine/temporary-folder.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

const json = async (site: Site, path: string) =>
  JSON.parse((await site.rest.send('GET', path)).body) as unknown
const draining = /gateway draining/
/** Both outputs, so that a failure shows why there is no status. */
async function status({ place }: Site, env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout, stderr } = await runProgram(place, ['status'], env)
  return stdout + stderr
}

it('a gateway that is told to stop refuses new work, tells its agent until when, and a running job ends with its own exit code', async () => {
  using sockets = new SocketFolder()
  const settings = { RUNBOOK_AGENT_RUNTIME_DIR: sockets.path }
  const runbook = 'ops/never.runbook.sh'
  await using site = await Site.start({
    ...{ stopTimeout: '1h', env: settings, runbooks: { [runbook]: 'echo never' } },
    connections: [{ name: 'other', command: ['bash'] }],
  })
  using gate = new Gate(site.place)
  const reply = site.rest.script('bash', `${gate.script} echo finished; exit 7`)
  await gate.reached()
  site.gateway.signal('SIGTERM')
  await site.gateway.says('stderr', draining)
  const refused = await fetch(`http://${site.address}/api/sessions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${site.token}`,
      connection: 'close',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ connection: 'bash', script: 'echo never' }),
  })
  expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
    ...[503, '5'],
    { code: 'gateway-draining', message: expect.stringContaining('nothing has run') as string },
  ])
  const ready = await site.rest.send('GET', '/readyz')
  expect([ready.status, JSON.parse(ready.body)]).toEqual([
    503,
    { status: 'stopping', reason: expect.stringContaining('running sessions continue until') as string },
  ])

  // A command line is told that nothing has run, so that it can ask again.
  const env = { HOOP_APIURL: `http://${site.address}`, HOOP_GRPCURL: site.grpc, HOOP_TOKEN: site.token }
  for (const words of [
    ['exec', 'bash', '-i', 'echo never'],
    ['run', 'bash', runbook],
    ['run', runbook, '--on', 'bash,other'],
  ]) {
    const { code, stdout, stderr } = await runProgram(site.place, words, env)
    expect([words[0], code, stdout, stderr]).toEqual([
      words[0],
      69,
      '',
      expect.stringMatching(/nothing has run/),
    ])
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/[Tt]ry again when (it|the gateway) is back$/)
  }
  expect(await json(site, '/api/sessions')).toMatchObject({ total: 1 })

  const [, until = ''] = await site.agent.says(
    'stderr',
    /the gateway is stopping: running commands can finish until ([0-9TZ:.-]+)/,
  )
  expect(await status(site, settings)).toContain(
    `the gateway is stopping: running commands can finish until ${until}`,
  )
  expect(Date.parse(until) - Date.now()).toBeGreaterThan(3_000_000)
  gate.open()
  expect((await reply).body).toMatchObject({ exit_code: 7, output: 'finished\n' })
  expect(await site.gateway.ended()).toEqual({ code: 0, signal: null })

  await site.startGateway()
  await site.agent.says('stderr', /agent serving[^]*agent serving/)
  expect((await site.rest.script('bash', 'exit 5')).body).toMatchObject({ exit_code: 5 })
  expect(await status(site, settings)).not.toMatch(/stopping|no agent/)
})

it('a job that outlives stop-timeout is ended, and its record says why', async () => {
  await using site = await Site.start({ stopTimeout: '100ms' })
  using gate = new Gate(site.place)
  const reply = site.rest.script('bash', gate.script)
  await gate.reached()
  expect(await site.gateway.stop()).toEqual({ code: 0, signal: null })
  expect((await reply).body).toMatchObject({
    ...{ output_status: 'failed', code: 'gateway-stopped' },
    output: expect.stringContaining('gateway shutdown: stop-timeout was over') as string,
  })
})

it('a second signal ends the running job at once', async () => {
  await using site = await Site.start({ stopTimeout: '1h' })
  using gate = new Gate(site.place)
  const reply = site.rest.script('bash', gate.script)
  await gate.reached()
  site.gateway.signal('SIGTERM')
  await site.gateway.says('stderr', draining)
  site.gateway.signal('SIGTERM')
  expect(await site.gateway.ended()).toEqual({ code: 0, signal: null })
  expect((await reply).body).toMatchObject({ output_status: 'failed', code: 'gateway-stopped' })
})

it('what waits for approval waits for the next start, and runs then', async () => {
  const connections = [
    { name: 'reviewed', command: ['bash'], review: { groups: ['admin'], 'self-approval': true } },
  ]
  await using site = await Site.start({ connections })
  const { session_id: id } = (await site.rest.script('reviewed', 'echo later')).body
  expect(await site.gateway.stop()).toEqual({ code: 0, signal: null })
  await site.startGateway()
  await site.agent.says('stderr', /agent serving[^]*agent serving/)
  expect(await site.rest.review(id, 'approved')).toBe(200)
  expect((await site.rest.runApproved(id)).body).toMatchObject({ exit_code: 0, output: 'later\n' })
})

it('the answer of a job that ends meanwhile is sent whole, however long it is', async () => {
  await using site = await Site.start()
  using gate = new Gate(site.place)
  const reply = site.rest.script('bash', `${gate.script} head -c 9000000 /dev/zero | tr '\\0' x`)
  await gate.reached()
  site.gateway.signal('SIGTERM')
  await site.gateway.says('stderr', draining)
  gate.open()
  expect((await reply).body.output.length).toBe(9_000_000)
  expect(await site.gateway.ended()).toEqual({ code: 0, signal: null })
})
