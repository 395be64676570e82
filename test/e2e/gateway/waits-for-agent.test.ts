import { expect, it } from 'vitest'
import { Program, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

it('run and the list of sessions say for which agent a session waits, and it runs once the agent is there', async () => {
  await using site = await Site.start({
    limits: { 'agent-wait': '1h' },
    runbooks: { 'hello.runbook.sh': 'echo hello' },
  })
  await site.agent.stop()
  const account = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
  await using run = new Program(site.place, ['run', 'bash', 'hello.runbook.sh'], account)
  await run.says('stderr', /^(?:runbook-agent: )?waits for agent local, \d+ s left$/m)
  const list = ['sessions', 'list', '--limit', '1', '--format', 'table']
  const { stdout } = await runProgram(site.place, list, account)
  expect(stdout.split('\n')[1]).toMatch(/ bash .* waits for agent local/)
  await site.startAgent()
  expect(await run.ended()).toMatchObject({ code: 0 })
  expect(run.stdout).toBe('hello\n')
})
