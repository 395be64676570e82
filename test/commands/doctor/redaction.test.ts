import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkRedaction } from '../../../src/commands/doctor/policy.ts'
import { openStatusSocket } from '../../../src/operations/status-socket.ts'
import { Logbook } from '../../support/logbook.ts'
import { sampleStatus } from '../../support/sites/sample-status.ts'
import { Workplace } from '../../support/sites/workplace.ts'

describe('doctor', () => {
  it('says that nobody can be asked where the path of an agent is too long for a socket', async () => {
    using place = new Workplace()
    const socket = path.join(place.at('x'.repeat(107)), 'status.sock')
    expect(await checkRedaction([place.at('none.sock'), socket])).toMatchObject({
      level: 'skipped',
      found: expect.stringMatching(
        /: the path is longer than 107 bytes, .*; set a shorter runtime-dir$/,
      ) as string,
    })
  })

  it('says that no agent runs where there is none', async () => {
    using place = new Workplace()
    expect(await checkRedaction([place.at('none.sock')])).toMatchObject({
      level: 'skipped',
      found: expect.stringContaining('no running agent on this machine') as string,
    })
  })

  it('names what an agent has met, also beside one that cannot be asked', async () => {
    using place = new Workplace()
    const status = () => ({ ...sampleStatus(), ordinarySecretNames: { orders: ['PLACE'] } })
    await using one = await openStatusSocket({ folder: place.at(), status, log: new Logbook() })
    expect(await checkRedaction([one.path ?? '', `/${'x'.repeat(107)}`])).toMatchObject({
      level: 'warning',
      found: expect.stringContaining('PLACE of orders') as string,
    })
  })
})
