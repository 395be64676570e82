import { setImmediate } from 'node:timers/promises'
import type { StatementAnswer, StatementsAnswer } from '../../../contract/session-output.ts'
import type { History } from '../../history/history.ts'
import type { SessionSummary } from '../../history/session.ts'
import { StatementReader, type RecordedStatement } from '../../sessions/statements/lines.ts'

const USUAL_LIMIT = 200
/** Number of events that are read before other requests get a turn. A record may have a million events. */
const EVENTS_PER_TURN = 1000

export async function listStatements(
  history: History,
  session: SessionSummary,
  {
    offset = 0,
    limit = USUAL_LIMIT,
    count = false,
  }: {
    readonly offset?: number | undefined
    readonly limit?: number | undefined
    readonly count?: boolean | undefined
  },
): Promise<StatementsAnswer> {
  if (session.isPort !== true) return { statements: [], has_more: false, ...(count && { total: 0 }) }
  const reader = new StatementReader(offset, limit)
  let events = 0
  for (const { seconds, kind, bytes } of history.events(session.id, 'output')) {
    if (kind === 'o') reader.add(seconds, bytes.toString())
    if (reader.isDone && !count) break
    events += 1
    if (events % EVENTS_PER_TURN === 0) await setImmediate()
  }
  const statements = reader.asked.map((one) => answerOf(one, session))
  return { statements, has_more: reader.hasMore, ...(count && { total: reader.count }) }
}

function answerOf(
  { connection, query, seconds, end, isLost }: RecordedStatement,
  { clockAt, status }: SessionSummary,
): StatementAnswer {
  const time = new Date(clockAt.getTime() + seconds * 1000).toISOString()
  const begun = { connection, query, time }
  if (end === undefined) {
    const state = isLost === true ? 'unknown' : status === 'done' ? 'unfinished' : 'running'
    return { ...begun, state, duration_ms: null, rows: null, error: null, error_text: null }
  }
  const { outcome, ms, rows = null, error = null, errorText: said = null } = end
  const state = error === null ? outcome : 'failed'
  return { ...begun, state, duration_ms: ms, rows, error, error_text: said }
}
