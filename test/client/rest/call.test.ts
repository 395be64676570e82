import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { ApiError } from '../../../src/client/rest/api-error.ts'
import { call } from '../../../src/client/rest/call.ts'
import { needed, type Contract } from '../../../src/contract/contract.ts'
import { agentContract } from '../../../src/contract/agents.ts'
import { auditContract } from '../../../src/contract/audit.ts'
import { batchContract } from '../../../src/contract/batches.ts'
import { connectionContract } from '../../../src/contract/connections.ts'
import { gatewayContract, settingsContract } from '../../../src/contract/gateway.ts'
import { jiraContract } from '../../../src/contract/jira.ts'
import { apiKeyContract, serviceAccountContract } from '../../../src/contract/machines.ts'
import {
  browserSignInContract,
  deviceSignInContract,
  localSignInContract,
} from '../../../src/contract/sign-in.ts'
import { tokenContract } from '../../../src/contract/tokens.ts'
import { userContract } from '../../../src/contract/users.ts'
import { lockContract } from '../../../src/contract/locks.ts'
import { reviewContract } from '../../../src/contract/reviews.ts'
import { runbookContract } from '../../../src/contract/runbooks.ts'
import { option } from '../../../src/contract/words.ts'
import { scheduleContract } from '../../../src/contract/schedules.ts'
import { webhookContract } from '../../../src/contract/webhooks.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'

const CONTRACTS: readonly Contract[] = [
  ...[scheduleContract, lockContract, webhookContract, agentContract, connectionContract, jiraContract],
  ...[auditContract, userContract, tokenContract, serviceAccountContract, apiKeyContract, gatewayContract],
  ...[settingsContract, localSignInContract, browserSignInContract, deviceSignInContract, reviewContract],
  runbookContract,
]
/** All that answer with JSON. The document of the interface is read by no client. */
const OPERATIONS = CONTRACTS.flatMap((contract) => Object.values(contract))
  .filter(({ type, path, answers }) => type === undefined && path !== '/api/openapiv3.json' && 200 in answers)
  .map((operation) => [`${operation.method} ${operation.path}`, operation] as const)

const run = { connection: 'c', status: 'failed', exit_code: '137' }
const batch = { id: 'b', status: 'done', runs: [run] }

const Shape = v.strictObject({
  state: v.optional(v.picklist(['on', 'off'])),
  mode: v.literal('usual'),
  never: v.literal(false),
  nothing: v.null(),
  tags: v.record(v.string(), v.string()),
  few: v.nullable(v.array(v.string())),
  child: v.optional(v.strictObject({ size: v.number() })),
})
const OPEN = { tag: 'Users', summary: '', role: 'public', audit: 'none', method: 'GET' } as const
const things = {
  either: { ...OPEN, path: '/either', answers: { 200: v.union([v.array(Shape), Shape]) } },
  change: {
    ...OPEN,
    method: 'PATCH',
    path: '/change',
    query: { by: option('who') },
    body: v.object({ name: v.string() }),
    answers: {
      200: v.strictObject({ token: needed(v.string()) }),
      202: v.strictObject({ waits: v.boolean() }),
    },
  },
  remove: { ...OPEN, method: 'DELETE', path: '/remove', answers: { 204: v.strictObject({}) } },
} as const satisfies Contract

describe('call', () => {
  it('fills in the path, and reads fields that are missing, null or of another type as blank', async () => {
    await using rest = await ScriptedRest.start()
    const sent = {
      name: 'n/ä',
      enabled: true,
      as: 7,
      next_run: null,
      runs: [{ id: '1', status: 'later', new: 1 }],
    }
    rest.on('POST /api/schedules/n%2F%C3%A4/pause', json(200, sent))
    const read = await call(accountOf(rest), scheduleContract.pause, { name: 'n/ä' })
    expect(read).toMatchObject({ name: 'n/ä', cron: '', as: '', next_run: '', parameters: [], raw: sent })
    expect(read.last_run).toBeUndefined()
    // A word that this version does not know stays as it is.
    expect(read.runs).toMatchObject([{ id: '1', status: 'later', reason: '', raw: { new: 1 } }])
  })

  it('leaves out of a list what lacks something needed, and keeps the rest', async () => {
    await using rest = await ScriptedRest.start()
    const whole = { id: '2', status: 'later' }
    rest.on('GET /api/schedules/n', json(200, { name: 'n', enabled: true, runs: [{ id: '1' }, whole, 3] }))
    const { runs } = await call(accountOf(rest), scheduleContract.show, { name: 'n' })
    expect(runs).toMatchObject([whole])
    expect(runs).toHaveLength(1)
  })

  it.each([{}, { error: 'a proxy' }, { pages: 1 }, { data: [] }])(
    'does not take %j for a list of connections or its page',
    async (answer) => {
      await using rest = await ScriptedRest.start()
      rest.on('GET /api/connections', json(200, answer))
      const failed = { kind: 'no-gateway' }
      await expect(call(accountOf(rest), connectionContract.list, {})).rejects.toMatchObject(failed)
    },
  )
  it.each([undefined, null, 'all', {}, { total: 2 }, { succeeded: 2 }])(
    'does not take a batch with the counts %j for one that has succeeded',
    async (counts) => {
      await using rest = await ScriptedRest.start()
      rest.on('GET /api/batches/b', json(200, { ...batch, counts }))
      const failed = { kind: 'no-gateway' }
      await expect(call(accountOf(rest), batchContract.show, { id: 'b' })).rejects.toMatchObject(failed)
    },
  )

  it('reads an exit code that is no number as none, and not as 0', async () => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/batches/b', json(200, { ...batch, counts: { total: 1, succeeded: 0 } }))
    const read = await call(accountOf(rest), batchContract.show, { id: 'b' })
    expect(read.runs[0]?.exit_code).toBeUndefined()
  })

  it.each([[[{ name: 'n' }]], [{ name: 'n', enabled: true }], [['n']]])(
    'does not take %j for a list of schedules',
    async (answer) => {
      await using rest = await ScriptedRest.start()
      rest.on('GET /api/schedules', json(200, answer))
      await expect(call(accountOf(rest), scheduleContract.list, {})).rejects.toMatchObject({
        kind: 'no-gateway',
      })
    },
  )

  it('reads null as an empty list: so hoop sends it', async () => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/schedules', json(200, null))
    expect(await call(accountOf(rest), scheduleContract.list, {})).toEqual([])
  })

  it('reads each kind of field as blank where it is missing, and either form of an answer', async () => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /either', json(200, { state: 'later', child: { size: 3 }, few: null }))
    const one = await call(accountOf(rest), things.either, {})
    expect(one).toMatchObject({ state: 'later', mode: '', never: false, tags: {}, child: { size: 3 } })
    expect(one).toHaveProperty('few', undefined)
    rest.on('GET /either', json(200, [{ nothing: 7, tags: { a: 'b' }, few: ['x'] }]))
    expect(await call(accountOf(rest), things.either, {})).toMatchObject([
      { state: '', tags: { a: 'b' }, few: ['x'], raw: { nothing: 7 } },
    ])
  })

  it('sends options and a body, reads by the status, and nothing of an answer without content', async () => {
    await using rest = await ScriptedRest.start()
    const account = accountOf(rest)
    const sending = { query: { by: 'a&b' }, body: { name: 'n' } }
    rest.on('PATCH /change', json(202, { waits: true }))
    expect(await call(account, things.change, {}, sending)).toMatchObject({ waits: true })
    // An operation for anybody is asked without the token.
    expect(rest.received).toMatchObject([{ url: '/change?by=a%26b', body: { name: 'n' } }])
    expect(rest.received[0]?.headers).not.toHaveProperty('authorization')
    rest.on('PATCH /change', json(200, { waits: true }))
    await expect(call(account, things.change, {}, sending)).rejects.toMatchObject({ kind: 'no-gateway' })
    rest.on('DELETE /remove', json(204, undefined))
    expect(await call(account, things.remove, {})).toBeUndefined()
  })

  it.each(OPERATIONS)(
    'reads any JSON that answers %s, or says that it is none of a gateway',
    async (_, operation) => {
      await using rest = await ScriptedRest.start()
      const place = `${operation.method} ${operation.path.replace(/:\w+/, 'n')}`
      const params = { name: 'n', id: 'n', subject: 'n' }
      await fc.assert(
        fc.asyncProperty(fc.jsonValue(), async (answer) => {
          rest.on(place, json(200, answer))
          const read = await call(accountOf(rest), operation, params).catch((error: unknown) => error)
          if (read instanceof Error) expect(read).toBeInstanceOf(ApiError)
        }),
        // Of each of 70 operations.
        { numRuns: 12 },
      )
    },
  )
})

function accountOf({ url }: ScriptedRest): ReturnType<typeof findAccount> {
  return findAccount({
    env: { HOOP_APIURL: url, HOOP_TOKEN: 'the-token-of-a-test' },
    stored: undefined,
    file: '',
  })
}
