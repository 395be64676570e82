import fc from 'fast-check'
import { expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import { ApiError } from '../../../src/client/rest/http/api-error.ts'
import { call } from '../../../src/client/rest/http/call.ts'
import type { ContractOperation } from '../../../src/contract/contract.ts'
import { lockContract } from '../../../src/contract/locks.ts'
import { scheduleContract } from '../../../src/contract/schedules.ts'
import { webhookContract } from '../../../src/contract/webhooks.ts'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'

const OPERATIONS: readonly (readonly [string, ContractOperation])[] = [
  ...Object.entries(scheduleContract),
  ...Object.entries(lockContract),
  ...Object.entries(webhookContract),
]

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

it('reads a list as empty where one entry lacks what is needed', async () => {
  await using rest = await ScriptedRest.start()
  rest.on('GET /api/schedules/n', json(200, { name: 'n', enabled: true, runs: [{ id: '1' }] }))
  expect((await call(accountOf(rest), scheduleContract.show, { name: 'n' })).runs).toEqual([])
})

it.each([[[{ name: 'n' }]], [{ name: 'n', enabled: true }], [['n']], [null]])(
  'does not take %j for a list of schedules',
  async (answer) => {
    await using rest = await ScriptedRest.start()
    rest.on('GET /api/schedules', json(200, answer))
    await expect(call(accountOf(rest), scheduleContract.list, {})).rejects.toMatchObject({
      kind: 'no-gateway',
    })
  },
)

it.each(OPERATIONS)(
  'reads any JSON that answers %s, or says that it is none of a gateway',
  async (_, operation) => {
    await using rest = await ScriptedRest.start()
    const place = `${operation.method} ${operation.path.replace(':name', 'n')}`
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (answer) => {
        rest.on(place, json(200, answer))
        const read = await call(accountOf(rest), operation, { name: 'n' }).catch((error: unknown) => error)
        if (read instanceof Error) expect(read).toBeInstanceOf(ApiError)
      }),
      { numRuns: 50 },
    )
  },
)

function accountOf({ url }: ScriptedRest): ReturnType<typeof findAccount> {
  return findAccount({
    env: { HOOP_APIURL: url, HOOP_TOKEN: 'the-token-of-a-test' },
    stored: undefined,
    file: '',
  })
}
