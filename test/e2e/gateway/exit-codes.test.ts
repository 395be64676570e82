import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

const runbooks = { 'exit.runbook.sh': 'echo before; echo {{ .how | required "how?" }} >&2; {{ .how }}\n' }

describe('the answer', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.start({
      runbooks,
      files: { 'home/not-executable': 'text' },
      connections: [
        { name: 'missing', command: ['no-such-program-here'] },
        { name: 'missing-path', command: ['/no/such/folder/program'] },
        { name: 'not-executable', command: ['./not-executable'] },
        { name: 'folder', command: ['/etc'] },
      ],
    })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  it('has the code of the command, its output and success only for 0', async () => {
    const cases = [
      ['exit 0', 0, 'success', 'before\nexit 0\n'],
      ['exit 3', 3, 'failed', 'before\nexit 3\n'],
      ['exit 255', 255, 'failed', 'before\nexit 255\n'],
    ] as const
    for (const [how, exit_code, output_status, output] of cases) {
      const reply = await site.rest.runbook('bash', 'exit.runbook.sh', { parameters: { how } })
      expect(reply.status).toBe(200)
      expect({ ...reply.body, output: lines(reply.body.output) }).toMatchObject({
        ...{ exit_code, output_status, output: lines(output), truncated: false, has_review: false },
      })
    }
  })

  it('has 128+n for a command that a signal ended, and says which one', async () => {
    for (const [name, number] of [
      ['TERM', 15],
      ['KILL', 9],
      ['SEGV', 11],
    ] as const) {
      const how = `kill -${name} $$`
      const { body } = await site.rest.runbook('bash', 'exit.runbook.sh', { parameters: { how } })
      expect([body.exit_code, body.output_status]).toEqual([128 + number, 'failed'])
      expect(body.output).toMatch(new RegExp(`^killed by signal ${number} \\(SIG${name}\\)$`, 'm'))
    }
  })

  it('has 127 for a command that does not exist and 126 for one that cannot be executed, with the reason', async () => {
    const cases = [
      ['missing', 127, 'exec: "no-such-program-here": executable file not found in $PATH (agent local)'],
      ['missing-path', 127, 'exec: "/no/such/folder/program": no such file'],
      ['not-executable', 126, 'exec: "./not-executable": permission denied'],
      ['folder', 126, 'exec: "/etc": permission denied'],
    ] as const
    for (const [connection, exit_code, reason] of cases) {
      const parameters = { how: 'true' }
      const { status, body } = await site.rest.runbook(connection, 'exit.runbook.sh', { parameters })
      expect([status, body.exit_code, body.output_status]).toEqual([200, exit_code, 'failed'])
      expect(body.output).toContain(reason)
    }
  })

  it('comes at once, and says so, when the agent is killed in the middle of an execution, and then that it is offline', async () => {
    await using site = await Site.start({ limits: { 'agent-wait': '100ms' } })
    using gate = new Gate(site.place)
    const reply = site.rest.script('bash', `echo begun; ${gate.script} echo never`)
    const [{ session }] = await gate.reached()
    const output = async () => (await site.rest.session(session)).event_stream?.join('')
    await waitFor(async () => (await output()) === 'begun\n')
    site.agent.signal('SIGKILL')
    // The command still waits at the gate, and limits.wait is 50 s: an answer now is no late one.
    expect((await reply).body).toMatchObject({
      exit_code: -2,
      output_status: 'failed',
      output: 'begun\nrpc error: code = Unknown desc = agent has disconnected',
    })
    expect(await site.rest.session(session)).toMatchObject({ status: 'done', exit_code: 254 })
    const { status, body } = await site.rest.script('bash', 'true')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      exit_code: -2,
      output_status: 'failed',
      output: 'rpc error: code = FailedPrecondition desc = agent is offline',
    })
  })
})

/** stdout and stderr come in either order. */
function lines(output: string): string[] {
  return output.split('\n').sort()
}
