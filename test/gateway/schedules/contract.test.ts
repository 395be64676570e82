import { afterAll, beforeAll, expect, it } from 'vitest'
import { runProgram } from '../../support/sites/program.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { waitFor } from '../../support/wait.ts'

// Nothing is due here for years: the tests ask for runs.

const BOT = 'token-of-bot-0123456789'
const CONNECTIONS = `
  - { name: reviewed, agent: local, command: [bash], runbooks: { repository: rb }, review: { groups: [dba] }, access: { groups: [jobs, admin] } }`
const often = "cron: '0 3 29 2 *', connection: bash, as: bot"
const MORE = `
locks: [{ name: reports, runbooks: [none] }]
schedules:
  - { name: report, ${often}, runbook: ops/a.runbook.sh, parameters: { x: hello }, lock: reports }
  - { name: broken, ${often}, runbook: ops/a.runbook.sh }
  - { name: waits, ${often}, connection: reviewed, runbook: ops/a.runbook.sh, parameters: { x: approved } }
  - { name: nobody, cron: '@yearly', connection: reviewed, runbook: ops/a.runbook.sh, as: gone }
`.replace('connection: bash, as: bot, connection: reviewed', 'as: bot, connection: reviewed')

let gateway: RunningGateway
let agent: RunningAgent
let place: Workplace
beforeAll(async () => {
  place = new Workplace()
  const users = `\n  - { name: bot, token: ${BOT}, groups: [jobs] }`
  gateway = await RunningGateway.start({}, { connections: CONNECTIONS, users, more: MORE })
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
  place[Symbol.dispose]()
})

const ask = async (method: string, path: string, token = userToken) =>
  gateway.request(method, `/api/schedules${path}`, undefined, { authorization: `Bearer ${token}` })
const lastRun = async (name: string) =>
  (await ask('GET', `/${name}`)).body['last_run'] as Record<string, unknown>

it('a run is a session of its user, with labels that say which schedule', async () => {
  const { status, body } = await ask('POST', '/report/run')
  expect([status, body['by'], body['due_at']]).toEqual([200, 'admin', null])
  await waitFor(async () => (await lastRun('report'))['status'] === 'success')
  const { body: session } = await gateway.request('GET', `/api/sessions/${String(body['session_id'])}`)
  expect(session).toMatchObject({
    user: 'bot',
    labels: { runbookSchedule: 'report', runbookFile: 'ops/a.runbook.sh' },
  })
})

it('what cannot run is said in the log at the start, in the list, and as a failed run', async () => {
  await waitFor(() => gateway.log.filter((line) => line.startsWith('schedule: cannot run')).length === 2)
  const problem = expect.stringContaining('the following inputs are missing') as string
  const { body } = await ask('GET', '')
  expect(body).toMatchObject([
    {
      name: 'report',
      problem: null,
      parameters: ['x'],
      lock: 'reports',
      next_run: '2028-02-29T03:00:00.000Z',
    },
    { name: 'broken', problem },
    { name: 'waits', problem: null },
    { name: 'nobody', problem: 'user gone does not exist or was deactivated' },
  ])
  expect((await ask('POST', '/broken/run')).body).toMatchObject({
    ...{ status: 'failed', code: 'invalid-parameters', reason: problem, session_id: null },
  })
})

it('one that has to be approved waits for people, and runs by itself then', async () => {
  const { body } = await ask('POST', '/waits/run', BOT)
  expect(body).toMatchObject({ status: 'waiting', by: 'bot' })
  const again = await ask('POST', '/waits/run')
  expect([again.status, again.body['code']]).toEqual([409, 'schedule-busy'])
  const sid = String(body['session_id'])
  expect(again.body['message']).toContain(`session ${sid} waits for approval`)
  const headers = { authorization: `Bearer ${otherToken}` }
  await gateway.request('PUT', `/api/reviews/${sid}`, { status: 'APPROVED' }, headers)
  await waitFor(async () => (await lastRun('waits'))['status'] === 'success')
})

it('another user sees the schedules of their connections, and changes none', async () => {
  const { body } = await ask('GET', '', otherToken)
  expect((body as unknown as { name: string }[]).map(({ name }) => name)).toEqual(['report', 'broken'])
  expect((await ask('POST', '/report/run', otherToken)).status).toBe(403)
  expect((await ask('GET', '/waits', otherToken)).body['code']).toBe('schedule-not-found')
})

it('the command line lists, runs, pauses and resumes', async () => {
  const client = async (...words: string[]) => {
    const env = { HOOP_APIURL: gateway.gateway.http, HOOP_TOKEN: BOT }
    return runProgram(place, ['schedules', ...words], env)
  }
  const listed = await client()
  expect(JSON.parse(listed.stdout)).toHaveLength(4)
  const run = await client('run', 'report')
  expect([run.code, run.stderr]).toEqual([
    0,
    `runbook-agent: to see the output: runbook-agent sessions follow ${run.stdout}`,
  ])
  expect((await client('run', 'broken')).stderr).toContain(
    'schedule broken could not run: the following inputs',
  )
  expect((await client('pause', 'report')).stderr).toBe('runbook-agent: report: no next run is planned\n')
  expect(JSON.parse((await client('show', 'report')).stdout)).toMatchObject({
    paused_by: 'bot',
    next_run: null,
  })
  expect((await client('resume', 'report')).stderr).toContain('the next run is at 2028-02-29')
  expect((await client('show', 'nothing')).code).toBe(64)
})
