import { existsSync, lstatSync } from 'node:fs'
import Database from 'libsql'
import { objectionTo } from '../../basics/files/private-path.ts'
import { HistoryError, historyError } from './errors.ts'
import { hasLog, releaseLock, takeLock, urlOf } from './sqlite.ts'
import { checkSchemaVersion } from './copy.ts'

/** What can be said of a history without opening it: nothing is made or changed. */
interface HistoryLook {
  readonly schema: number
  /** A gateway that was killed has left a log behind, which the next one takes over. It may have a newer schema. */
  readonly hasLog: boolean
}

/** Undefined when there is none yet. @param newest version that this program knows @throws HistoryError when another gateway uses it, or this one cannot */
export function lookAtHistory(file: string, newest: number): HistoryLook | undefined {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  try {
    const objection = objectionTo(found, 'regular file')
    if (objection !== undefined) throw new HistoryError(`it ${objection}`)
    checkUnused(`${file}.lock`)
    const schema = schemaOf(file)
    checkSchemaVersion(schema, newest)
    return { schema, hasLog: hasLog(file) }
  } catch (error) {
    throw historyError(file, 'use it', error)
  }
}

/** Holds the lock for a moment. @throws HistoryError */
function checkUnused(lockFile: string): void {
  if (existsSync(lockFile)) releaseLock(takeLock(lockFile))
}

/** `immutable`: otherwise SQLite makes files beside it. */
function schemaOf(file: string): number {
  const db = new Database(':memory:')
  try {
    db.exec(`ATTACH '${urlOf(file)}?immutable=1' AS history`)
    const [version] = db.prepare('PRAGMA history.user_version').raw().get([]) as [number]
    return version
  } finally {
    db.close()
  }
}
