import { expect, it } from 'vitest'
import type { Identity } from '../../../src/agent/connection/identity.ts'
import { checkSignIn } from '../../../src/commands/doctor/sign-in.ts'
import { openStatusSocket } from '../../../src/operations/status-socket.ts'
import type { Status } from '../../../src/operations/status.ts'
import { Logbook } from '../../support/logbook.ts'
import { sampleStatus } from '../../support/sites/sample-status.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const since = '2026-03-01T10:00:00.000Z'

async function checked(connection: Partial<Status['connection']>, name = 'local') {
  using place = new Workplace()
  const status = () => sampleStatus(connection)
  await using one = await openStatusSocket({ folder: place.at(), status, log: new Logbook() })
  // Only these two are looked at.
  const identity = { name, address: '127.0.0.1:8010' } as Identity
  return await checkSignIn({ identity }, [place.at('none.sock'), one.path ?? ''])
}

it('doctor says that it does not try the key, and which state the running agent reports', async () => {
  expect(await checked({})).toEqual({
    level: 'ok',
    found: `doctor does not try the key; the running agent (pid 4711) reports serving since ${since}`,
    fact: undefined,
  })
  expect(await checked({ state: 'waiting', reason: 'lost' })).toEqual({
    level: 'skipped',
    found: `doctor does not try the key; the running agent (pid 4711) reports waiting since ${since}: lost`,
  })
})

it('doctor repeats why the gateway refuses the running agent', async () => {
  expect(await checked({ state: 'refused', reason: 'the gateway refuses this key' })).toEqual({
    level: 'broken',
    found: `the running agent (pid 4711) reports refused since ${since}: the gateway refuses this key`,
    advice: expect.stringContaining('"agent refused" in the log of the gateway') as string,
  })
  expect(await checked({ state: 'conflict', reason: 'two' })).toMatchObject({ level: 'warning' })
})

it('doctor asks no agent of another name', async () => {
  expect(await checked({ state: 'refused' }, 'other')).toEqual({
    level: 'skipped',
    found: 'doctor does not try the key, and no running agent answers that could report it',
  })
})
