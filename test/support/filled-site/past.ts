import type { History } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { plannedBatches } from './past-batches.ts'
import { plannedRuns } from './past-runs.ts'
import { plannedSchedules } from './past-schedules.ts'
import type { PastOptions, PastSession } from './past-session.ts'

// The older sessions of the filled site. The gateway's own history writes them before the gateway starts.

/** @param file path of a history that does not exist yet */
export function writePast(file: string, options: PastOptions): void {
  const history = openHistory(file)
  try {
    const { batches, sessions: ofBatches } = plannedBatches(options)
    const { runs, sessions: ofSchedules } = plannedSchedules(options)
    const planned = [...ofBatches, ...ofSchedules]
    const others = plannedRuns(options, options.sessions - planned.length)
    const all = [...planned, ...others].sort(
      (one, other) => one.session.startedAt.getTime() - other.session.startedAt.getTime(),
    )
    for (const one of all) write(history, one)
    history.write((tables) => {
      for (const batch of batches) tables.batches.insert(batch)
      for (const { run, session, exitCode } of runs) {
        tables.schedules.claim(run)
        if (session === undefined) continue
        tables.schedules.started(run.id, session)
        tables.schedules.ended(run.id, exitCode)
      }
    })
  } finally {
    history.close()
  }
}

function write(history: History, { session, end, outputs, review }: PastSession): void {
  history.begin(session, review === undefined ? {} : { waits: true })
  if (review !== undefined) history.write(({ reviews }) => reviews.insert(review, null))
  if (end.beganAt !== undefined) history.begun(session.id, end.beganAt)
  for (const { kind = 'o', text, seconds, isStderr = false } of outputs)
    history.append(session.id, kind, Buffer.from(text), seconds, isStderr)
  history.finish(session.id, end)
}
