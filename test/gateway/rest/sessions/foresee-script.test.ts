import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { otherToken, RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'

const connections = `
  - { name: open, agent: local, command: [bash] }
  - { name: prod, agent: local, command: [bash], confirm: true, guardrails: [writes, secrets], masking: [mails],
      review: { groups: [dba], force-groups: [leads], self-approval: true } }
  - { name: off, agent: local, command: [bash], access: { exec: false } }
  - { name: admins, agent: local, command: [bash], access: { groups: [admin] } }
  - { name: away, agent: gone, command: [bash] }`
const users = `
  - { name: dora, token: a-token-of-dora-0123456789, groups: [dba, leads] }`
const more = `
masking: [{ name: mails, entities: [EMAIL_ADDRESS], custom: [{ name: ORDER, regex: 'O-[0-9]+' }] }]
guardrails:
  - name: writes
    input:
      - { type: deny_words_list, words: [DROP TABLE, TRUNCATE], message: no table may go }
      - { type: pattern_match, pattern_regex: '(?im)^delete from \\w+$' }
  - { name: secrets, output: [{ type: deny_words_list, words: [BEGIN RSA] }] }`

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  const agents = '{ name: gone, key: xagt-the-key-of-nobody-0123456789 }'
  gateway = await RunningGateway.start({}, { connections, users, more, agents })
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  // The connection of this request stays: it is no leak of a test.
  await gateway.request('GET', '/api/connections')
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const ask = (body: unknown, token = userToken) =>
  gateway.request('POST', '/api/sessions/foresee', body, { authorization: `Bearer ${token}` })

const WORDS = { rule: 'writes', message: 'no table may go', matched: ['DROP TABLE'] }

describe('POST /api/sessions/foresee', () => {
  it('says who has to approve, what is masked, which rules there are, and whether the agent is there', async () => {
    const { status, body } = await ask({ connection: 'prod' })
    expect([status, body]).toEqual([
      200,
      {
        ...{
          connection: 'prod',
          agent: 'local',
          agent_online: true,
          confirm: true,
          schema: false,
          reason: null,
          refused: null,
        },
        review: {
          ...{ groups: ['dba'], minimum: 1, force_groups: ['leads'], self_approval: true },
          approvers: [
            { group: 'dba', names: ['dora', 'other'], others: 0 },
            { group: 'leads', names: ['dora'], others: 0, can_force: true },
          ],
        },
        masked: ['EMAIL_ADDRESS', 'ORDER'],
        guardrails: [
          { name: 'writes', input: 2, output: 0 },
          { name: 'secrets', input: 0, output: 1 },
        ],
      },
    ])
    expect((await ask({ connection: 'away', script: 'true' })).body).toEqual({
      ...{
        connection: 'away',
        agent: 'gone',
        agent_online: false,
        confirm: false,
        schema: false,
        reason: null,
        refused: null,
      },
      ...{ review: null, masked: [], guardrails: [] },
    })
  })

  it('says how long such requests usually wait, as soon as three were decided', async () => {
    const waits = async () => (await ask({ connection: 'prod' })).body['review']
    const dora = { authorization: 'Bearer a-token-of-dora-0123456789' }
    for (let count = 0; count < 3; count += 1) {
      expect(await waits()).not.toHaveProperty('usual_wait')
      const { body } = await gateway.request('POST', '/api/sessions', { connection: 'prod', script: 'true' })
      await gateway.request('PUT', `/api/reviews/${String(body['session_id'])}`, { status: 'REJECTED' }, dora)
    }
    expect(await waits()).toHaveProperty('usual_wait.requests', 3)
  })

  it.each([
    ['a word', 'SELECT 1;\nDROP TABLE carts;\n', { ...WORDS, line: 2 }],
    ['a word at the beginning', 'DROP TABLE carts', { ...WORDS, line: 1 }],
    ['a word at the end', '\n\nselect 1; DROP TABLE', { ...WORDS, line: 3 }],
    [
      'a pattern that needs the end of its line',
      'BEGIN;\n-- ü\ndelete from carts\nCOMMIT;',
      { rule: 'writes', message: '', matched: ['(?im)^delete from \\w+$'], line: 3 },
    ],
    ['no rule', "SELECT 'BEGIN RSA'", null],
  ])('refuses by the rules of the connection what the agent would refuse: %s', async (_, script, refused) => {
    expect((await ask({ connection: 'prod', script })).body['refused']).toEqual(refused)
  })

  it('refuses by the same rule as the agent', async () => {
    const script = 'DROP TABLE carts'
    const { body } = await gateway.request('POST', '/api/sessions', { connection: 'prod', script })
    const id = String(body['session_id'])
    const dora = { authorization: 'Bearer a-token-of-dora-0123456789' }
    await gateway.request('PUT', `/api/reviews/${id}`, { status: 'APPROVED' }, dora)
    const { body: ran } = await gateway.request('POST', `/api/sessions/${id}/exec`)
    expect(ran).toMatchObject({ output_status: 'blocked' })
    expect(ran['output']).toContain('no table may go')
  })

  it.each([
    ['a connection that the caller may not see', 'admins', 400, 'connection-not-found'],
    ['a connection without scripts', 'off', 403, 'not-permitted'],
    ['no connection', '', 400, 'invalid-request'],
  ])('refuses %s', async (_, connection, status, code) => {
    const { status: found, body } = await ask({ connection, script: 'true' }, otherToken)
    expect([found, body['code']]).toEqual([status, code])
  })

  it('gives the first line of a script in the list, and none of a runbook', async () => {
    const script = `\n\n   -- ${'ü'.repeat(200)}\nsecond line`
    await gateway.request('POST', '/api/sessions', { connection: 'open', script })
    const { body } = await gateway.request('GET', '/api/sessions?connection=open')
    const [{ script_line: line }] = body['data'] as [{ script_line: string }]
    expect(line).toBe(`-- ${'ü'.repeat(157)}`)
  })
})
