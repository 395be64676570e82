import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'

const settings = { files: { 'agent.yaml': '' }, env: { RUNBOOK_AGENT_CONFIG: 'agent.yaml' } }

it('SIGHUP has the agent read its log level again, and what cannot be used leaves the old settings', async () => {
  await using site = await Site.start(settings)
  site.place.write('agent.yaml', 'log.level: debug')
  site.agent.signal('SIGHUP')
  await site.agent.says('stderr', /settings reloaded.*debug|debug.*settings reloaded/)
  site.place.write('agent.yaml', 'log.levle: debug')
  site.agent.signal('SIGHUP')
  await site.agent.says('stderr', /log\.levle: unknown setting, did you mean log\.level\?/)
  expect((await site.rest.script('bash', 'echo still here')).body).toMatchObject({ output: 'still here\n' })
})

it('SIGHUP has an agent whose key is refused try a new one at once', async () => {
  await using site = await Site.start(settings)
  const right = readFileSync(site.place.at('agent.credential'), 'utf8')
  const wrong = right.replace(site.agentKey, `xagt-${'0'.repeat(48)}`)
  site.place.write('agent.credential', wrong)
  await site.gateway.stop()
  await site.startGateway()
  // Read anew before the attempt, without being told.
  await site.agent.says('stderr', /agent refused/)
  site.place.write('agent.credential', right)
  site.agent.signal('SIGHUP')
  // By itself it would wait for half a minute at least.
  await site.agent.says('stderr', /agent refused[\s\S]*agent serving/)
})

it('a variable that agent.yaml names since a SIGHUP is closed to connections, and stays so', async () => {
  const connections = [{ name: 'peek', command: ['bash'], env: { LATER: 'system.agent.envs' } }]
  const env = { ...settings.env, LATER: 'debug' }
  await using site = await Site.start({ ...settings, connections, env })
  const peek = async () => (await site.rest.script('peek', 'echo $LATER')).body
  expect(await peek()).toMatchObject({ output: 'debug\n' })
  const read = 'settings reloaded'
  for (const [level, said] of [
    ['env://LATER', read],
    ['info', `${read}[^]*${read}`],
  ] as const) {
    site.place.write('agent.yaml', `log.level: ${level}`)
    site.agent.signal('SIGHUP')
    await site.agent.says('stderr', new RegExp(said))
    const output: unknown = expect.stringContaining('cannot be used by connections')
    expect(await peek()).toMatchObject({ exit_code: 254, output })
  }
})

it("SIGHUP has the agent read the owner's rules again; those that cannot be used leave the old ones, and start no agent", async () => {
  const rules = (word: string) => `rules:\n  - type: deny_words_list\n    words: [${word}]\n`
  const policy = 'policy: { input-rules: rules.yaml, programs: [bash, sh] }\n'
  const files = { 'agent.yaml': policy, 'rules.yaml': rules('FIRST') }
  await using site = await Site.start({ ...settings, files })
  const stops = async (word: string) => {
    const { body } = await site.rest.script('bash', `echo ${word}`)
    return body.output_status === 'blocked' && body.output.includes('owner of the server, rules.yaml:2')
  }
  expect([await stops('FIRST'), await stops('SECOND')]).toEqual([true, false])
  site.place.write('rules.yaml', rules('SECOND'))
  site.agent.signal('SIGHUP')
  await site.agent.says('stderr', /settings reloaded/)
  expect([await stops('FIRST'), await stops('SECOND')]).toEqual([false, true])
  site.place.write('rules.yaml', 'rules:\n  - type: pattern_match\n    pattern_regex: (?!x)\n')
  site.agent.signal('SIGHUP')
  await site.agent.says('stderr', /rules\.yaml:2: this rule cannot be enforced.*keeps the old policy/)
  expect(await stops('SECOND')).toBe(true)
  const env = { ...settings.env, HOOP_KEY: `${site.grpc.replace('//', '//local:x@')}?mode=standard` }
  const start = await runProgram(site.place, ['start'], env)
  expect([start.code, start.stderr]).toEqual([
    78,
    expect.stringMatching(/^runbook-agent: \S+rules\.yaml:2: this rule cannot be enforced: .*\n$/),
  ])
})
