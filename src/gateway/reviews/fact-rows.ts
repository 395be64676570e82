import type { Connection, SqlStatement } from '../store/sqlite.ts'
import type { SessionKind } from '../../contract/session-state.ts'
import { FIRST_LABEL } from '../sessions/first-run.ts'
import type { ListedReview } from './review.ts'

/** Maximum number of earlier sessions that are read for one request. */
const SESSIONS_READ = 2000
/** Maximum number of decided reviews of one group that are read. */
const DECIDED_READ = 50

/** A session of an older version has no time of its beginning. */
const HAS_RUN = "(began_at IS NOT NULL OR outcome = 'succeeded')"

/** What has run before, as far as the sessions that were read tell it. */
export interface EarlierRuns {
  /** True if the requester had never run this. Undefined if older sessions were not read. */
  readonly isFirst: boolean | undefined
  /** Connections on which the runbook has run. Undefined for a script, or if older sessions were not read. */
  readonly connections?: ReadonlySet<string>
}

/** Maximum number of ends that are read of one kind. */
const ENDS_READ = 10

export interface EndedRun {
  readonly id: string
  readonly outcome: 'succeeded' | 'failed' | 'stopped'
  /** Undefined for a run of an older version. */
  readonly ranMs: number | undefined
}

/** Reads facts for approvers from the history. For use only within `read` and `write` of the history. */
export class FactRows {
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Connection) {
    this.#statements = prepare(db)
  }

  runsOfRunbook(file: string, repository: string | undefined, user: string): EarlierRuns {
    const found = this.#statements.runsOfRunbook.get([repository ?? null, file, user]) as [
      number,
      number,
      string,
    ]
    const [count, own, connections] = found
    const isWhole = count <= SESSIONS_READ
    return {
      isFirst: firstOf(own, isWhole),
      ...(isWhole && { connections: new Set(JSON.parse(connections) as string[]) }),
    }
  }

  /** @param kind scripts and terminals are counted each for themselves */
  runsOfUser(user: string, connection: string, kind: SessionKind): EarlierRuns {
    const [count, own] = this.#statements.runsOfUser.get([user, connection, kind]) as [number, number]
    return { isFirst: firstOf(own, count <= SESSIONS_READ) }
  }

  /** Lists how the newest other runs of a session's runbook have ended, in whatever connection. */
  endsOfRunbook(file: string, session: string): EndedRun[] {
    return this.#statements.endsOfRunbook.all([file, session, session]).map(endedRun)
  }

  /** Lists how the newest other runs of a user have ended. */
  endsOfUser(user: string, session: string): EndedRun[] {
    return this.#statements.endsOfUser.all([user, session]).map(endedRun)
  }

  /** Returns `open` for a session that runs. Undefined: it is not, or no longer, in the history. */
  outcomeOf(session: string): EndedRun['outcome'] | 'open' | undefined {
    const found = this.#statements.outcomeOf.get([session]) as [EndedRun['outcome'] | 'open'] | undefined
    return found?.[0]
  }

  /** Finds the session that was requested with this first run. @param file path of its runbook */
  secondOf(first: string, file: string): string | undefined {
    const found = this.#statements.secondOf.get([file, first, first]) as [string] | undefined
    return found?.[0]
  }

  /** Lists the newest decided reviews that asked one of these groups, at most 50 of each group. */
  decided(groups: readonly string[]): ListedReview[] {
    const rows = groups.flatMap((group) => this.#statements.decided.all([group]) as [number, string][])
    const records = new Map(rows.toSorted(([a], [b]) => b - a))
    return [...records.values()].map((record) => JSON.parse(record) as ListedReview)
  }
}

function firstOf(own: number, isWhole: boolean): boolean | undefined {
  if (own > 0) return false
  return isWhole ? true : undefined
}

function endedRun(row: unknown): EndedRun {
  const [id, outcome, ranMs] = row as [string, EndedRun['outcome'], number | null]
  return { id, outcome, ranMs: ranMs ?? undefined }
}

/** Looks through the newest sessions that match one condition, with which an index begins. */
function ends(condition: string, columns = ''): string {
  return `
      WITH runs AS (
        SELECT id, outcome, began_at, ended_at${columns}
        FROM sessions WHERE ${condition} ORDER BY started_at DESC LIMIT ${SESSIONS_READ})
      SELECT id, outcome, max(0, ended_at - began_at) FROM runs
      WHERE id <> ? AND outcome IN ('succeeded', 'failed', 'stopped') AND ${HAS_RUN}`
}

function prepare(db: Connection) {
  const reading = (sql: string): SqlStatement => db.prepare(sql).raw()
  return {
    runsOfRunbook: reading(`
      WITH runs AS (
        SELECT user, connection, ${HAS_RUN} AND request ->> '$.labels.runbookRepository' IS ? AS has_run
        FROM sessions WHERE runbook = ? ORDER BY started_at DESC LIMIT ${SESSIONS_READ + 1})
      SELECT count(*), count(*) FILTER (WHERE has_run AND user = ?),
        json_group_array(DISTINCT connection) FILTER (WHERE has_run) FROM runs`),
    runsOfUser: reading(`
      WITH runs AS (
        SELECT connection, kind, ${HAS_RUN} AS has_run
        FROM sessions WHERE user = ? ORDER BY started_at DESC LIMIT ${SESSIONS_READ + 1})
      SELECT count(*), count(*) FILTER (WHERE has_run AND connection = ? AND kind = ?) FROM runs`),
    endsOfRunbook: reading(`${ends('runbook = ?', `, request ->> '$.labels.runbookRepository' AS repository`)}
        AND repository IS (SELECT request ->> '$.labels.runbookRepository' FROM sessions WHERE id = ?)
      LIMIT ${ENDS_READ}`),
    endsOfUser: reading(`${ends('user = ?')} LIMIT ${ENDS_READ}`),
    outcomeOf: reading('SELECT outcome FROM sessions WHERE id = ?'),
    secondOf: reading(`
      SELECT id FROM sessions WHERE runbook = ? AND kind = 'runbook'
        AND key > (SELECT key FROM sessions WHERE id = ?) AND request ->> '$.labels.${FIRST_LABEL}' = ? LIMIT 1`),
    decided: reading(`
      SELECT r.session, r.record FROM review_groups g JOIN reviews r ON r.session = g.session
      WHERE g.name = ? AND r.status IN ('APPROVED', 'PROCESSING', 'EXECUTED', 'REJECTED')
      ORDER BY g.session DESC LIMIT ${DECIDED_READ}`),
  }
}
