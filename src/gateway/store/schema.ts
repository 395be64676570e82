import { HistoryError } from './errors.ts'
import { type Connection, inTransaction } from './sqlite.ts'

/**
 * Creates the tables, or brings those of an older version up to date: all or nothing. A new file takes the same steps as
 * an old one, so both end up the same. @throws HistoryError
 */
export function updateSchema(db: Connection, steps: readonly string[]): void {
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
