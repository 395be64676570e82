import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { variables } from '../../support/scripted/rest.ts'
import { Site } from '../../support/sites/site.ts'
import { SmallDisk } from '../../support/machine/small-disk.ts'
import { waitFor } from '../../support/wait.ts'

const entriesOf = (folder: string): Record<string, unknown>[] =>
  readFileSync(`${folder}/journal.jsonl`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('the journal', () => {
  it('tells what ran, for whom and how it ended, over a restart of the agent, and no value of anything', async () => {
    await using site = await Site.start()
    const folder = site.place.at('agent-state')
    const env_vars = variables({ 'envvar:TOKEN': 'value-of-a-variable', 'filesystem:F': 'value-of-a-file' })
    const body = { env_vars, client_args: ['-s', '--', 'value-of-an-argument'] }
    const answer = await site.rest.script('bash', 'echo "$TOKEN" value-of-a-script; exit 3', body)
    const sid = answer.body.session_id
    await waitFor(() => entriesOf(folder).some(({ event }) => event === 'confirmed'))
    await site.agent.stop()
    await site.startAgent()
    expect(entriesOf(folder)).toMatchObject([
      { event: 'agent', state: 'started', agent: 'local' },
      { event: 'opened', sid, connection: 'bash' },
      { event: 'starting', sid },
      { event: 'started', sid, program: 'bash' },
      { event: 'ended', sid, outcome: 'exited', exitCode: 3, closeSent: true },
      { event: 'confirmed', sid },
      { event: 'agent', state: 'stopped' },
      { event: 'agent', state: 'started' },
    ])
    expect(readFileSync(`${folder}/journal.jsonl`, 'utf8')).not.toContain('value-of')
    expect((statSync(`${folder}/journal.jsonl`).mode & 0o777).toString(8)).toBe('600')
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('700')
  })

  it.skipIf(!SmallDisk.permitted())(
    'costs no execution when its disk is full, and the log says so (needs the right to mount)',
    async () => {
      using disk = new SmallDisk('64k')
      await using site = await Site.start({ env: { RUNBOOK_AGENT_STATE_DIR: disk.path } })
      writeFileSync(`${disk.path}/filler`, Buffer.alloc(32_000))
      for (let i = 0; i < 100; i++) {
        const { body } = await site.rest.script('bash', `echo ${i}; exit ${i}`)
        expect([body.output, body.exit_code]).toEqual([`${i}\n`, i])
      }
      await site.agent.says('stderr', /cannot write the journal/)
    },
  )
})
