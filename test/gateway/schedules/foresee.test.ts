import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

// What a schedule that is not there yet would do, and what one that is there does next and has done last.

const MORE = `
schedules:
  - { name: report, cron: '0 3 29 2 *', connection: bash, as: admin, runbook: ops/a.runbook.sh, parameters: { x: hello } }
`

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { more: MORE })
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const ask = (method: string, path: string, body?: object, token = userToken) =>
  gateway.request(method, `/api/schedules${path}`, body, { authorization: `Bearer ${token}` })
const draft = {
  ...{ name: 'yearly', cron: '0 3 29 2 *', timezone: 'Europe/Berlin', connection: 'bash' },
  ...{ runbook: 'ops/a.runbook.sh', as: 'admin', parameters: { x: 'hello' } },
}

describe('the REST interface of schedules', () => {
  it('foresees the runs of a draft, and gives the lines for it', async () => {
    const { status, body } = await ask('POST', '/foresee', draft)
    expect([status, body['problems']]).toEqual([200, []])
    expect(body['next_runs']).toEqual([
      '2028-02-29T02:00:00.000Z',
      '2032-02-29T02:00:00.000Z',
      '2036-02-29T02:00:00.000Z',
    ])
    expect(body['lines']).toContain('yearly')
  })

  it('lets nobody but admins draft for somebody else', async () => {
    const refused = await ask('POST', '/foresee', draft, otherToken)
    expect([refused.status, refused.body['message']]).toEqual([
      403,
      'only admins may draft a schedule that runs as another user',
    ])
    const { body: me } = await gateway.request('GET', '/api/userinfo', undefined, {
      authorization: `Bearer ${otherToken}`,
    })
    expect((await ask('POST', '/foresee', { ...draft, as: me['name'] }, otherToken)).status).toBe(200)
  })

  it('names the session of a run only to those who may see it', async () => {
    const { body } = await ask('POST', '/report/run')
    const { body: own } = await ask('GET', '/report')
    const { status, body: others } = await ask('GET', '/report', undefined, otherToken)
    expect(own['last_run']).toMatchObject({ id: body['id'], session_id: body['session_id'] })
    expect(status).toBe(200)
    expect(others['last_run']).toMatchObject({ id: body['id'], session_id: null })
    expect(JSON.stringify(others)).not.toContain(body['session_id'])
  })

  it('says of a schedule when it runs next, and which five runs were the last', async () => {
    const runs: unknown[] = []
    for (let run = 0; run < 6; run++) {
      const { body } = await ask('POST', '/report/run')
      runs.unshift(body['session_id'])
      await waitFor(async () => {
        const { last_run: last } = (await ask('GET', '/report')).body as {
          last_run: { session_id: string; status: string } | null
        }
        return last !== null && last.session_id === body['session_id'] && last.status === 'success'
      })
    }
    const [listed] = (await ask('GET', '')).body as unknown as [
      { next_run: string; next_runs: string[]; last_runs: { session_id: string; status: string }[] },
    ]
    expect(listed.next_runs).toHaveLength(3)
    expect(listed.next_runs[0]).toBe(listed.next_run)
    expect(listed.next_runs).toEqual(listed.next_runs.toSorted())
    expect(listed.last_runs.map((run) => run.session_id)).toEqual(runs.slice(0, 5))
    expect(new Set(listed.last_runs.map(({ status }) => status))).toEqual(new Set(['success']))
  })
})
