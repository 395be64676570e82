import { describe, expect, it } from 'vitest'
import { STATE_NAMES } from '../../../src/contract/session-state.ts'
import { retryGroup } from '../../../src/gateway/batches/retry-group.ts'
import { effectOf } from '../../../web/src/views/sessions/cut-off.ts'

const TIME = '2026-11-27T08:00:00Z'

describe('the note about a session that was cut off', () => {
  it.each(STATE_NAMES.filter((state) => effectOf(state, TIME) !== undefined))(
    'says of %s the same as the retry of a batch',
    (state) => {
      const run = {
        position: 0,
        wave: 1,
        connection: 'pg',
        status: 'failed',
        session: 'id',
        exitCode: 254,
      } as const
      const groupOf = (begun: boolean) =>
        retryGroup(run, { state, ...(begun && { beganAt: new Date(TIME) }) })
      const said = [effectOf(state, TIME), effectOf(state, null)]
      const groups = [groupOf(true), groupOf(false)]
      expect(said).toEqual(groups.map((group) => (group === 'never-began' ? 'none' : 'unknown')))
    },
  )

  it('is not shown for an end that says by itself what has run', () => {
    expect(effectOf('failed', TIME)).toBeUndefined()
    expect(effectOf('stopped', null)).toBeUndefined()
  })
})
