/** The tables, version by version. A new file takes the same steps as an old one, so both end up the same. */
import { HistoryError } from './errors.ts'
import { type Connection, inTransaction } from './sqlite.ts'
import { VERSION_15 } from '../people/audit/audit-schema.ts'
import { VERSION_13 } from '../people/identities/budget-schema.ts'
import { VERSION_11, VERSION_17, VERSION_18 } from '../people/identities/identity-schema.ts'
import { VERSION_14 } from '../batches/batch-schema.ts'
import { VERSION_8 } from '../jira/issue-schema.ts'
import { VERSION_7 } from '../reviews/review-schema.ts'
import { VERSION_12 } from '../schedules/schedule-schema.ts'
import { VERSION_16, VERSION_20 } from '../webhooks/webhook-schema.ts'
import {
  VERSION_1,
  VERSION_10,
  VERSION_19,
  VERSION_2,
  VERSION_21,
  VERSION_3,
  VERSION_4,
  VERSION_5,
  VERSION_6,
  VERSION_9,
} from '../history/session-schema.ts'

export const STEPS: readonly string[] = [
  VERSION_1,
  VERSION_2,
  VERSION_3,
  VERSION_4,
  VERSION_5,
  VERSION_6,
  VERSION_7,
  VERSION_8,
  VERSION_9,
  VERSION_10,
  VERSION_11,
  VERSION_12,
  VERSION_13,
  VERSION_14,
  VERSION_15,
  VERSION_16,
  VERSION_17,
  VERSION_18,
  VERSION_19,
  VERSION_20,
  VERSION_21,
]

/**
 * Creates the tables, or brings those of an older version up to date: all or nothing. @param steps fewer: those of an
 * older program @throws HistoryError
 */
export function updateSchema(db: Connection, steps = STEPS): void {
  const [version] = db.prepare('PRAGMA history.user_version').raw().get([]) as [number]
  if (version === steps.length) return
  if (version > steps.length || version < 0) {
    const versions = `schema ${version}, this one knows ${steps.length}`
    throw new HistoryError(`it was written by a newer version of this program (${versions})`)
  }
  if (version === 0 && db.prepare('SELECT 1 FROM history.sqlite_master').raw().get([]) !== undefined) {
    throw new HistoryError('it belongs to another program; name another state folder')
  }
  inTransaction(db, () => {
    for (const step of steps.slice(version)) db.exec(step)
    db.exec(`PRAGMA history.user_version = ${steps.length}`)
  })
}
