import * as v from 'valibot'
import type { ItemColumn } from '../../../basics/text/table.ts'
import type { RecordedSession } from '../../../client/rest/sessions.ts'
import { sizeText } from '../../../basics/text/units.ts'
import { connectionCount, moment, took } from '../report/words.ts'

/** Sessions for a terminal: one line each. */
export const SESSION_COLUMNS: readonly ItemColumn<RecordedSession>[] = [
  { heading: 'ID', of: ({ id }) => id.slice(0, 8) },
  { heading: 'STARTED', leftOut: 5, of: ({ startedAt }) => moment(startedAt) },
  { heading: 'TOOK', leftOut: 1, of: ({ startedAt, endedAt }) => took(startedAt, endedAt) },
  { heading: 'USER', shrinks: true, leftOut: 4, of: ({ user }) => user },
  { heading: 'CONNECTION', shrinks: true, of: placeText },
  { heading: 'VERB', leftOut: 3, of: ({ verb }) => verb },
  { heading: 'STATUS', shrinks: true, of: statusText },
  { heading: 'CODE', of: codeText },
  { heading: 'OUTPUT', leftOut: 2, of: ({ outputBytes }) => sizeText(outputBytes) },
]

/**
 * The session of a batch that waits stands for all connections of the batch: it is the first of them only from the
 * moment at which the batch runs.
 */
export function placeText({ connection, review, raw }: RecordedSession): string {
  if (review === 'PROCESSING' || review === 'EXECUTED') return connection
  const { review: { batch } = {} } = v.is(OfBatch, raw) ? raw : {}
  return batch === undefined ? connection : connectionCount(batch.waves.flat().length)
}

const OfBatch = v.object({ review: v.object({ batch: v.object({ waves: v.array(v.array(v.string())) }) }) })

function statusText(session: RecordedSession): string {
  return stateText(session) ?? (session.review === 'PENDING' ? 'in review' : session.status)
}

/** The exit code of a session; empty while the session runs. */
export function codeText({ exitCode, endedAt }: RecordedSession): string {
  return exitCode === undefined || endedAt === undefined ? '' : String(exitCode)
}

/** Undefined for sessions of hoop's gateway. */
export function stateText({ state }: Pick<RecordedSession, 'state'>): string | undefined {
  if (state === undefined) return undefined
  return state.since === '' ? state.text : `${state.text} since ${moment(state.since)}`
}
