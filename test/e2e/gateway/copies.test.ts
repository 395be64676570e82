import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Program, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

const REFUSED_BY_AGENT = /this agent has met a newer gateway of this state.*"agent refused"/
const REFUSED_BY_GATEWAY = /agent refused: this gateway runs on an older copy of its state/

/** Starts a gateway with the settings of the site and another state folder, on the site's ports. */
async function startOn(site: Site, state: string): Promise<Program> {
  const settings = JSON.parse(readFileSync(site.place.at('gateway.yaml'), 'utf8')) as object
  const listen = { http: site.address, grpc: new URL(site.grpc).host }
  site.place.write(`${state}.yaml`, JSON.stringify({ ...settings, listen, state: `./${state}` }))
  const gateway = new Program(site.place, ['gateway', '--json', '--config', `${state}.yaml`])
  await gateway.says('stdout', /^\{.*\}$/m)
  return gateway
}

const copyState = (site: Site, to: string) =>
  cpSync(site.place.at('state'), site.place.at(to), { recursive: true })

const served = (agent: Program) => agent.stderr.match(/agent serving/g)?.length ?? 0

async function servesAgain(site: Site, times: number): Promise<void> {
  await site.agent.says('stderr', new RegExp(`(agent serving[^]*){${times}}`))
  expect((await site.rest.script('bash', 'echo here')).body).toMatchObject({ output: 'here\n', exit_code: 0 })
}

it('an old primary that comes back is refused by agents that have met the newer gateway, until it is taken over', async () => {
  await using site = await Site.start()
  await site.gateway.stop()
  copyState(site, 'standby')
  {
    await using standby = await startOn(site, 'standby')
    await servesAgain(site, 2)
    await standby.stop()
  }

  await site.startGateway()
  await site.agent.says('stderr', REFUSED_BY_AGENT)
  await site.gateway.says('stderr', REFUSED_BY_GATEWAY)
  expect(served(site.agent)).toBe(2)
  // Another start of the old primary makes it no newer, and a restart of the agent forgets nothing.
  await site.gateway.stop()
  await site.agent.stop()
  await site.startGateway()
  const again = {
    RUNBOOK_AGENT_KEY_FILE: 'agent.credential',
    RUNBOOK_AGENT_RUNTIME_DIR: site.place.at('runtime'),
  }
  {
    await using agent = new Program(site.place, ['start'], again)
    await agent.says('stderr', REFUSED_BY_AGENT)
    expect(served(agent)).toBe(0)
  }

  const takeOver = () => runProgram(site.place, ['history', 'take-over', '--config', 'gateway.yaml'])
  expect(await takeOver()).toMatchObject({ code: 78, stderr: /another gateway is using it/ })
  await site.gateway.stop()
  expect(await takeOver()).toMatchObject({ code: 0, stdout: /is now the valid copy/ })
  await site.startGateway()
  await site.startAgent()
  await servesAgain(site, 1)
  await site.gateway.stop()
  await using standby = await startOn(site, 'standby')
  await site.agent.says('stderr', REFUSED_BY_AGENT)
  await standby.says('stderr', REFUSED_BY_GATEWAY)
})

it('a restored backup is accepted by agents that have met a later start of its gateway, and then they refuse that gateway', async () => {
  await using site = await Site.start()
  const env = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
  expect(await runProgram(site.place, ['backup', 'made.backup'], env)).toMatchObject({ code: 0 })
  await site.gateway.stop()
  await site.startGateway()
  await servesAgain(site, 2)
  await site.gateway.stop()
  const restored = await runProgram(site.place, [
    'restore',
    'made.backup',
    '--state',
    site.place.at('restored'),
  ])
  expect(restored).toMatchObject({ code: 0, stderr: '' })
  {
    await using gateway = await startOn(site, 'restored')
    await servesAgain(site, 3)
    await gateway.stop()
  }
  await site.startGateway()
  await site.agent.says('stderr', REFUSED_BY_AGENT)
})

it('a copy without reviews.key runs nothing that was approved or waits for approval, and says so', async () => {
  const reviewed = {
    name: 'reviewed',
    command: ['bash'],
    review: { groups: ['admin'], 'self-approval': true },
  }
  await using site = await Site.start({ connections: [reviewed] })
  const asked = async () => (await site.rest.script('reviewed', `echo ran >> '${site.place.at('ran')}'`)).body
  const [{ session_id: approved }, { session_id: waiting }] = [await asked(), await asked()]
  await site.rest.review(approved, 'APPROVED')
  await site.gateway.stop()
  copyState(site, 'standby')
  rmSync(site.place.at('standby', 'reviews.key'))
  await using standby = await startOn(site, 'standby')
  await site.agent.says('stderr', /agent serving[^]*agent serving/)
  await site.rest.review(waiting, 'APPROVED')
  for (const sid of [approved, waiting])
    expect(await site.rest.runApproved(sid)).toMatchObject({
      status: 403,
      body: { message: expect.stringMatching(/reviews\.key is missing; request the run again/) as string },
    })
  expect(existsSync(site.place.at('ran'))).toBe(false)
  await standby.stop()
})
