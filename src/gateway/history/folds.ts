import type { NewRow } from './rows.ts'
import type { Connection, SqlStatement } from '../store/sqlite.ts'
import type { Folding, SessionGroup } from './session.ts'

// Sessions that a list shows as one row: those of a batch, and the runs of a schedule on one day.

const BATCH = 'b'
const SCHEDULE = 's'
/** Maximum number of characters of a batch's id. Sessions with a longer one have a row of their own. */
const MAX_BATCH_ID_CHARACTERS = 200

/** Returns the column `fold` of a new session; null if the session always has a row of its own. */
export function foldOf({ sessionBatchId: batch, labels }: Pick<NewRow, 'sessionBatchId' | 'labels'>) {
  if (batch !== undefined && batch !== '' && batch.length <= MAX_BATCH_ID_CHARACTERS) return BATCH + batch
  return scheduleFold(labels['runbookSchedule']) ?? null
}

export function scheduleFold(name: string | undefined): string | undefined {
  return name === undefined ? undefined : SCHEDULE + name
}

/** The column `end_code` has the code of the end, from which the state follows. */
export const END_CODE = `CASE
  WHEN guardrails_info IS NOT NULL AND json_extract(request, '$.isPort') IS NOT 1 THEN 'guardrails'
  WHEN json_extract(cause, '$.code') = 'access-ended' AND json_extract(cause, '$.by') IS NOT NULL THEN 'revoked'
  ELSE json_extract(cause, '$.code') END`

/**
 * Columns for folded rows and for the state after the end, and the indexes that contain them. Only sessions
 * that may be folded are in `sessions_by_fold`, and only those that ran in `sessions_by_length`. A search for
 * words reads the titles of runbooks, too.
 */
export const VERSION_32 = `
  ALTER TABLE history.sessions ADD COLUMN fold TEXT;
  ALTER TABLE history.sessions ADD COLUMN end_code TEXT;
  UPDATE history.sessions SET end_code = ${END_CODE},
    fold = CASE WHEN length(batch_id) BETWEEN 1 AND ${MAX_BATCH_ID_CHARACTERS} THEN '${BATCH}' || batch_id
      ELSE '${SCHEDULE}' || json_extract(request, '$.labels.runbookSchedule') END
    WHERE json_valid(request);
  DROP INDEX history.sessions_by_start;
  CREATE INDEX history.sessions_by_start
    ON sessions (started_at, user, connection, connection_type, kind, runbook, fold);
  DROP INDEX history.sessions_by_outcome;
  CREATE INDEX history.sessions_by_outcome
    ON sessions (outcome, started_at, user, connection, connection_type, kind, runbook, began_at, end_code, fold);
  CREATE INDEX history.sessions_by_length
    ON sessions (ended_at - began_at, started_at, user, connection, connection_type, kind, runbook, fold)
    WHERE began_at IS NOT NULL AND ended_at IS NOT NULL;
  CREATE INDEX history.sessions_by_fold ON sessions (fold, started_at, outcome, began_at, ended_at)
    WHERE fold IS NOT NULL;
  ALTER TABLE history.session_values ADD COLUMN title TEXT;
  INSERT INTO history.session_values (session, text, is_cut)
    SELECT key, '', 0 FROM history.sessions WHERE runbook IS NOT NULL AND json_valid(request)
      AND json_extract(request, '$.labels.runbookTitle') IS NOT NULL
      AND key NOT IN (SELECT session FROM history.session_values);
  UPDATE history.session_values SET title = (SELECT lower(substr(json_extract(request, '$.labels.runbookTitle'), 1, 200))
    FROM history.sessions WHERE key = session AND json_valid(request));`

/** A session of a list, with what decides about its row. */
export interface Foldable {
  readonly key: number
  readonly startedAt: number
  readonly fold: string | null
}

/** The sessions of a row, in the order of the list. */
export type FoldedRow = readonly [Foldable, ...Foldable[]]

/** A row has the place of its first session. */
export function foldedRows(sessions: readonly Foldable[], folding: Folding | undefined): FoldedRow[] {
  const rows = new Map<string | number, [Foldable, ...Foldable[]]>()
  for (const session of sessions) {
    const name = folding === undefined ? session.key : nameOfRow(session, folding)
    const row = rows.get(name)
    if (row === undefined) rows.set(name, [session])
    else row.push(session)
  }
  return [...rows.values()]
}

function nameOfRow({ key, startedAt, fold }: Foldable, { batches, dayOf }: Folding): string | number {
  if (fold === null) return key
  if (fold.startsWith(BATCH)) return batches ? fold : key
  return dayOf === undefined ? key : `${fold} ${dayOf(startedAt)}`
}

/** Reads what happened to the sessions of a row, from an index. */
export class FoldedSessions {
  readonly #counts: SqlStatement

  constructor(db: Connection) {
    this.#counts = db
      .prepare(
        `SELECT outcome, count(*), min(began_at), max(ended_at)
         FROM sessions INDEXED BY sessions_by_fold
         WHERE fold = ? AND started_at >= ? AND started_at <= ?
           AND +key IN (SELECT value FROM json_each(?)) GROUP BY outcome`,
      )
      .raw()
  }

  /** @returns undefined for a row of one session */
  group(row: FoldedRow): SessionGroup | undefined {
    const [{ fold }] = row
    if (row.length === 1 || fold === null) return undefined
    const starts = row.map(({ startedAt }) => startedAt)
    const [first, last] = [least(starts), greatest(starts)]
    const keys = JSON.stringify(row.map(({ key }) => key))
    const counted = this.#counts.all([fold, first, last, keys]) as Counted[]
    const began = counted.flatMap(([, , at]) => (at === null ? [] : [at]))
    const ended = counted.flatMap(([, , , at]) => (at === null ? [] : [at]))
    const counts = new Map(counted.map(([outcome, count]) => [outcome, count]))
    return {
      kind: fold.startsWith(BATCH) ? 'batch' : 'schedule',
      name: fold.slice(1),
      count: row.length,
      counts,
      firstAt: new Date(first),
      lastAt: new Date(last),
      ...(began.length > 0 && { beganAt: new Date(least(began)) }),
      ...(ended.length > 0 && !counts.has('open') && { endedAt: new Date(greatest(ended)) }),
    }
  }
}

type Counted = [outcome: string, count: number, began: number | null, ended: number | null]

/** `Math.min(...times)` would put up to 20,000 arguments on the stack. */
function least(times: readonly number[]): number {
  return times.reduce((one, other) => (other < one ? other : one), Infinity)
}

function greatest(times: readonly number[]): number {
  return times.reduce((one, other) => (other > one ? other : one), -Infinity)
}
