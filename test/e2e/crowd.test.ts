import { expect, it } from 'vitest'
import { Gate } from '../support/gate.ts'
import { childrenOf, descriptorsOf, isAlive } from '../support/machine/processes.ts'
import { variables } from '../support/scripted/rest.ts'
import { Site } from '../support/sites/site.ts'
import { waitFor } from '../support/wait.ts'

const CROWD = 100

it('a hundred executions at once each get their own output, secret and code, and leave nothing behind', async () => {
  await using site = await Site.start({ env: { RUNBOOK_AGENT_REDACT: 'off' } })
  using gate = new Gate(site.place)
  const { agent, rest } = site
  await rest.script('bash', 'true', { env_vars: variables({ 'filesystem:SECRET': 'the first' }) })
  const before = { descriptors: descriptorsOf(agent.pid), children: childrenOf(agent.pid) }

  const replies = Array.from({ length: CROWD }, (_, number) =>
    rest.script('bash', script(gate, number), {
      env_vars: variables({ 'filesystem:SECRET': `secret ${number}`, 'envvar:NUMBER': String(number) }),
    }),
  )
  const waiting = await gate.reached(CROWD)
  expect(childrenOf(agent.pid)).toHaveLength(CROWD)
  expect(waiting.every(({ pid }) => isAlive(pid))).toBe(true)
  gate.open(CROWD)

  const answers = (await Promise.all(replies)).map(({ status, body }) => [
    status,
    body.exit_code,
    body.output,
  ])
  expect(answers).toEqual(
    answers.map((_, number) => [200, number, `begin ${number}\nsecret ${number}\nend ${number}\n`]),
  )
  expect(site.secretFiles()).toEqual([])
  const after = () => ({ descriptors: descriptorsOf(agent.pid), children: childrenOf(agent.pid) })
  await waitFor(() => after().descriptors <= before.descriptors && after().children.length === 0)
  expect(after()).toEqual(before)
})

function script(gate: Gate, number: number): string {
  return `echo "begin $NUMBER"; ${gate.script} cat "$SECRET"; printf '\\nend ${number}\\n'; exit ${number}`
}
