import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { isAlive } from '../../support/machine/processes.ts'
import { variables } from '../../support/scripted/rest.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

const runbooks = {
  'secret.runbook.sh': [
    'stat -c "%a %F" "$SECRET" "$(dirname "$SECRET")"',
    'cat "$SECRET"',
    'exit {{ .code | default "0" }}',
  ].join('\n'),
}
/** Here the content is to be seen. */
const env = { RUNBOOK_AGENT_REDACT: 'off' }
const secret = { env_vars: variables({ 'filesystem:SECRET': 'only for this session' }) }

const connections = [{ name: 'config', command: ['bash'], files: { SECRET: './app.conf' } }]

describe('a filesystem: secret', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.start({ runbooks, env, connections, files: { 'app.conf': 'from the connection' } })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  it('is a 0600 file in a 0700 folder while the runbook runs, and gone after its success and its failure', async () => {
    for (const code of [0, 3]) {
      const parameters = { code: String(code) }
      const { body } = await site.rest.runbook('bash', 'secret.runbook.sh', { ...secret, parameters })
      expect(body.output).toBe('600 regular file\n700 directory\nonly for this session')
      expect(body.exit_code).toBe(code)
      expect(site.secretFiles()).toEqual([])
    }
  })

  it('of the connection is one as well, and no client can put another one in its place', async () => {
    const { body } = await site.rest.runbook('config', 'secret.runbook.sh', secret)
    expect(body.output).toBe('600 regular file\n700 directory\nfrom the connection')
    expect(site.secretFiles()).toEqual([])
  })

  it('is gone after its session was killed, and so is the command', async () => {
    using gate = new Gate(site.place)
    const reply = site.rest.script('bash', gate.script, secret)
    const [{ pid, session }] = await gate.reached()
    expect(site.secretFiles()).toHaveLength(2)
    expect(await site.rest.kill(session)).toBe(204)
    expect((await reply).body).toMatchObject({ exit_code: -2, output_status: 'failed' })
    await waitFor(() => site.secretFiles().length === 0 && !isAlive(pid))
  })

  it('is left by an agent that is killed with SIGKILL, and removed by the next one when it starts', async () => {
    await using site = await Site.start({ env })
    using gate = new Gate(site.place)
    const reply = site.rest.script('bash', gate.script, secret)
    await gate.reached()
    site.agent.signal('SIGKILL')
    await site.agent.ended()
    await reply
    expect(site.secretFiles()).toHaveLength(2)
    await site.startAgent()
    expect(site.secretFiles()).toEqual([])
    const { body } = await site.rest.script('bash', 'cat "$SECRET"', secret)
    expect(body.output).toBe('only for this session')
  })
})
