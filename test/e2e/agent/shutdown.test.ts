import { afterAll, beforeAll, expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { isAlive } from '../../support/machine/processes.ts'
import { variables } from '../../support/scripted/rest.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

/** A gateway for all tests; each has agents of its own. */
let site: Site
let gates = 0
beforeAll(async () => {
  site = await Site.start()
  await site.agent.stop()
})
afterAll(() => site[Symbol.asyncDispose]())

async function starts(settings: Readonly<Record<string, string>> = {}): Promise<AsyncDisposable> {
  await site.startAgent(settings)
  // Whichever is the agent by then.
  return { [Symbol.asyncDispose]: () => site.agent[Symbol.asyncDispose]() }
}
const newGate = () => new Gate(site.place, `gate-${(gates += 1)}`)

const secret = { env_vars: variables({ 'filesystem:SECRET': 'x' }) }

it('an agent that is told to stop lets the running execution finish, and new ones wait for the next agent', async () => {
  await using _agent = await starts()
  using gate = newGate()
  const reply = site.rest.script('bash', `${gate.script} echo finished`, secret)
  await gate.reached()
  await using old = site.agent
  old.signal('SIGTERM')
  await old.says('stderr', /agent draining/)
  const next = site.rest.script('bash', 'echo next')
  // With the same key, while the old one still has its execution.
  await site.startAgent()
  expect((await next).body).toMatchObject({ exit_code: 0, output: 'next\n' })
  gate.open()
  expect((await reply).body).toMatchObject({
    ...{ exit_code: 0, output_status: 'success', output: 'finished\n' },
  })
  expect(await old.ended()).toEqual({ code: 0, signal: null })
  await site.agent.stop()
  expect(site.secretFiles()).toEqual([])
})

it('two agents that are restarted in turn under load fail no request', async () => {
  await using _agent = await starts()
  const answers: string[] = []
  let isOver = false
  const client = async () => {
    while (!isOver) {
      const { body } = await site.rest.script('bash', 'echo hi')
      answers.push(`${body.output_status} ${body.output}`)
    }
  }
  const clients = Array.from({ length: 4 }, client)
  for (let round = 0; round < 4; round++) {
    const before = answers.length
    await waitFor(() => answers.length > before + 8)
    await using old = site.agent
    old.signal('SIGTERM')
    // Now the next one begins before the last is gone, now after it.
    if (round % 2 === 0) await old.says('stderr', /agent draining/)
    else await old.ended()
    await site.startAgent()
    expect(await old.ended()).toEqual({ code: 0, signal: null })
  }
  isOver = true
  await Promise.all(clients)
  expect(answers.filter((answer) => answer !== 'success hi\n')).toEqual([])
})

it('a second signal ends the running execution with 143 and the reason, and the agent still exits with 0', async () => {
  await using _agent = await starts()
  using gate = newGate()
  const reply = site.rest.script('bash', gate.script, secret)
  const [{ pid }] = await gate.reached()
  site.agent.signal('SIGTERM')
  await site.agent.says('stderr', /agent draining/)
  site.agent.signal('SIGTERM')
  expect((await reply).body).toMatchObject({
    ...{ exit_code: 143, output_status: 'failed' },
    output: 'ended by the agent: the agent is stopping',
  })
  expect(await site.agent.ended()).toEqual({ code: 0, signal: null })
  expect(isAlive(pid)).toBe(false)
  expect(site.secretFiles()).toEqual([])
})

it('an execution that outlives the drain is ended as well', async () => {
  await using _agent = await starts({ RUNBOOK_AGENT_DRAIN: '100ms' })
  using gate = newGate()
  const reply = site.rest.script('bash', gate.script)
  await gate.reached()
  expect(await site.agent.stop()).toEqual({ code: 0, signal: null })
  expect((await reply).body).toMatchObject({ exit_code: 143, output_status: 'failed' })
})

it('a third signal ends the agent at once with 1, and what it leaves the next one ends', async () => {
  await using _agent = await starts({ RUNBOOK_AGENT_KILL_GRACE: '2s' })
  using gate = newGate()
  const reply = site.rest.script('bash', `trap '' TERM; ${gate.script} while :; do sleep 1; done`, secret)
  const [{ pid }] = await gate.reached()
  site.agent.signal('SIGTERM')
  await site.agent.says('stderr', /agent draining/)
  // Two of one kind that come together are one.
  site.agent.signal('SIGTERM')
  site.agent.signal('SIGINT')
  expect(await site.agent.ended()).toEqual({ code: 1, signal: null })
  await reply
  expect(isAlive(pid)).toBe(true)
  await site.startAgent()
  expect(isAlive(pid)).toBe(false)
  expect(site.secretFiles()).toEqual([])
})

it('a gateway that gets SIGHUP reads its settings again, and what runs goes on', async () => {
  await using _agent = await starts()
  using gate = newGate()
  const reply = site.rest.script('bash', gate.script)
  await gate.reached()
  site.gateway.signal('SIGHUP')
  await site.gateway.says('stderr', /settings reloaded/)
  gate.open()
  expect((await reply).body).toMatchObject({ exit_code: 0, output_status: 'success' })
})
