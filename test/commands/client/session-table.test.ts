import { describe, expect, it } from 'vitest'
import { itemTable } from '../../../src/basics/text/table.ts'
import { readerOf } from '../../../src/client/rest/reading.ts'
import type { RecordedSession } from '../../../src/client/rest/sessions.ts'
import { took } from '../../../src/commands/client/report/words.ts'
import { ListedSessionShape } from '../../../src/contract/session-shape.ts'
import { sessionDetails, SESSION_COLUMNS } from '../../../src/commands/client/sessions/sessions.ts'

/** Reads a session as from a gateway that leaves out the other fields. */
const read = (said: object) => readerOf(ListedSessionShape)(said) as RecordedSession

const done = {
  id: '5701046a-7b7a-4a78-abb0-a24c95e6fe54',
  ...{ user: 'ada.lovelace@example.test', connection: 'a-long-name' },
  ...{ verb: 'exec', status: 'done', exit_code: 3, event_size: 2048 },
  ...{ start_date: '2026-01-31T14:30:00Z', end_date: '2026-01-31T14:31:05Z' },
}
const open = { ...done, status: 'open', exit_code: null, end_date: null }
const [session, running] = [read(done), read(open)]
/** @param waves the connections of each wave of a batch */
const reviewed = (status: string, waves?: readonly (readonly string[])[]) =>
  read({
    ...open,
    review: { status, ...(waves !== undefined && { batch: { waves, connections: waves.flat().length } }) },
  })

describe('the table of sessions', () => {
  it('has everything where there is room', () => {
    const [heading, first, second] = itemTable(SESSION_COLUMNS, [session, running], 200).split('\n')
    expect(heading).toMatch(/^ID +ASKED +TOOK +USER +CONNECTION +RUNBOOK +STATUS +CODE +OUTPUT$/)
    expect(first).toMatch(
      /^5701046a .* 1m 5s +ada\.lovelace@example\.test +a-long-name +\(exec\) +done +3 +2\.0 KiB$/,
    )
    expect(second).toMatch(/ open +2\.0 KiB$/)
  })

  it('fits every width that a line of it can have, and keeps id, connection, status and code', () => {
    for (let width = 39; width <= 130; width++) {
      const lines = itemTable(SESSION_COLUMNS, [session, running], width).trimEnd().split('\n')
      for (const line of lines) expect(line.length, `${width}: ${line}`).toBeLessThanOrEqual(width)
      expect(lines[1]).toMatch(/^5701046a .*a-l.*done +3/)
    }
  })

  it('writes times short before it cuts anything, and never cuts the status', () => {
    const text = 'expired, because nobody approved or ran the session in time'
    const expired = read({ ...done, state: { name: 'expired', text } })
    const at = (width: number) => itemTable(SESSION_COLUMNS, [expired], width).split('\n')[1] ?? ''
    expect(at(200)).toMatch(/ 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d .* expired, because nobody .* in time +3 /)
    expect(at(120)).toMatch(
      /^5701046a {2}(\d\d-\d\d \d\d:\d\d|2026-\d\d-\d\d) {2}.*ada\.lovelace@example\.test .* expired +3 /,
    )
    for (let width = 40; width <= 130; width++) expect(at(width)).toMatch(/ expired +3/)
  })

  it('says of a session in review that it is, and of a time that is none nothing', () => {
    expect(itemTable(SESSION_COLUMNS, [{ ...reviewed('PENDING'), start_date: 'x' }], 100)).toContain(
      'waits for approval',
    )
    expect([took('x', 'y'), took('2026-01-31T14:30:00Z', '2026-01-31T14:30:00.250Z')]).toEqual(['', '0.3s'])
  })

  it('tells how long a command ran, not how long it waited, and nothing where its beginning is unknown', () => {
    const moments = { approved_at: '2026-01-31T14:30:40Z', began_at: '2026-01-31T14:31:00Z' }
    const state = { name: 'failed', text: 'failed (3)' }
    const [approved, unknown] = [read({ ...done, state, ...moments }), read({ ...done, state })]
    expect(sessionDetails(approved)).toMatch(/^took +5\.0s$/m)
    expect(sessionDetails(approved)).toMatch(/^asked .*\napproved .*\nbegan .*\nended /m)
    expect(sessionDetails(unknown)).not.toMatch(/^(took|began|approved) /m)
    // A gateway of hoop tells only when a session was requested.
    expect(sessionDetails(reviewed('EXECUTED'))).not.toMatch(/^(took|began) /m)
    expect(sessionDetails(session)).toMatch(/^took +1m 5s$/m)
  })

  it('says on how many connections a batch waits, and where its session runs', () => {
    const batch = [['web-01'], ['web-02', 'web-03']]
    const at = (review: string) => itemTable(SESSION_COLUMNS, [reviewed(review, batch)], 200)
    expect(at('PENDING')).toContain(' 3 connections ')
    expect(at('APPROVED')).toContain(' 3 connections ')
    expect(at('EXECUTED')).toContain(' a-long-name ')
    expect(sessionDetails(reviewed('PENDING', batch))).toMatch(/^connection +3 connections$/m)
  })
})
