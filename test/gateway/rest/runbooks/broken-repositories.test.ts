import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'

// A repository that is away when the gateway starts, comes, and goes again.

let gateway: RunningGateway
let agent: RunningAgent
const isAway = (folder: string, away: boolean) => {
  const [from, to] = away ? ['rb', 'rb-away'] : ['rb-away', 'rb']
  renameSync(path.join(folder, from), path.join(folder, to))
}
const folder = () => path.dirname(gateway.repository)
const GIT_SAYS = 'does not appear to be a git repository'

beforeAll(async () => {
  gateway = await RunningGateway.start(
    { 'ops/hello.runbook.sh': 'echo hello', 'top.runbook.sh': 'echo top' },
    { prepare: (state) => isAway(path.dirname(state), true) },
  )
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

describe('a repository that cannot be read', () => {
  it('is said at the start, in one line, and the gateway starts all the same', async () => {
    const lines = gateway.log.filter((line) => line.startsWith('runbook repository cannot be read'))
    expect(lines).toEqual([expect.stringContaining(GIT_SAYS)])
    expect(lines[0]).toContain('"repository":"rb"')
    expect((await gateway.script('echo up')).body['output']).toBe('up\n')
  })

  it('is said in the list and refused in an execution, in the words of git', async () => {
    const { status, body } = await gateway.request('GET', '/api/runbooks')
    const errors = [expect.stringContaining(GIT_SAYS)]
    expect([status, body]).toMatchObject([200, { errors, repositories: [] }])
    expect(await gateway.exec({ file_name: 'ops/hello.runbook.sh' })).toMatchObject({
      status: 500,
      body: { code: 'repository-failed', message: expect.stringContaining(GIT_SAYS) as string },
    })
  })
})

describe('a repository that was read before', () => {
  const warning = expect.stringMatching(
    /^serving the copy of \d\d:\d\d \(UTC\): .*does not appear to be a git repository/,
  ) as string
  // The process of git that reads it starts now and stays: it is no leak of a test.
  beforeAll(async () => {
    isAway(folder(), false)
    expect((await gateway.exec({ file_name: 'ops/hello.runbook.sh' })).body['output']).toBe('hello\n')
  })

  it('is served from the copy when it is away, which the answer, the record and the list say', async () => {
    const good = await gateway.exec({ file_name: 'ops/hello.runbook.sh' })
    expect([good.status, good.body['output'], good.body['warning']]).toEqual([200, 'hello\n', undefined])
    isAway(folder(), true)
    const { status, body } = await gateway.exec({ file_name: 'ops/hello.runbook.sh' })
    expect([status, body['output'], body['warning']]).toEqual([200, 'hello\n', warning])
    const session = await gateway.request('GET', `/api/sessions/${String(body['session_id'])}`)
    expect(session.body['labels']).toMatchObject({ runbookWarning: warning })
    const list = await gateway.request('GET', '/api/runbooks')
    expect(list.body['errors']).toEqual([expect.stringMatching(/^repo .*: serving the copy of /)])
    const asked = { connection_name: 'bash', file_name: 'ops/hello.runbook.sh' }
    expect((await gateway.request('POST', '/api/runbooks/render', asked)).body).toMatchObject({ warning })
    isAway(folder(), false)
  })
})

describe('a file that is missing', () => {
  const message = async (file_name: string) => (await gateway.exec({ file_name })).body['message']

  it('is answered with the name that was probably meant, of those the connection runs', async () => {
    expect(await message('ops/helo.runbook.sh')).toBe(
      'runbook file ops/helo.runbook.sh not found on git repo: did you mean ops/hello.runbook.sh?',
    )
    expect(await message('ops/nothing-like-it.sh')).toBe(
      'runbook file ops/nothing-like-it.sh not found on git repo',
    )
    expect(await message('top.runbook.s')).toBe('runbook file top.runbook.s not found')
  })

  it('is said to be uncommitted when it is that', async () => {
    writeFileSync(path.join(gateway.repository, 'ops', 'new.runbook.sh'), 'echo new')
    expect(await message('ops/new.runbook.sh')).toBe(
      'runbook file ops/new.runbook.sh is not committed in rb; run git add and git commit',
    )
  })
})
