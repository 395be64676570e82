import { existsSync, lstatSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import Database from 'libsql'
import AsyncDatabase from 'libsql/promise'
import { objectionTo } from '../../basics/files/private-path.ts'
import { historyError, HistoryError } from './errors.ts'
import { pagesToBytes, readAlone, urlOf, type Connection, hasLog, releaseLock, takeLock } from './sqlite.ts'

/** Free space in bytes that a copy leaves for running sessions. */
const MARGIN_BYTES = 64 * 1024 * 1024

/**
 * Copies the history without removed content. SQLite does this on its own thread, so other calls can read and
 * write in the meantime. A copy that has begun cannot be stopped.
 * @throws HistoryError; if the disk has no space for the copy, nothing is written
 */
export async function copyHistory(file: string, target: string): Promise<void> {
  const db = new AsyncDatabase(':memory:', {})
  const exec = (sql: string) => db.exec(sql) as Promise<unknown>
  try {
    await exec(`ATTACH '${urlOf(file)}?mode=ro' AS history`)
    await checkRoom(usedBytes(file), dirname(target))
    await exec(`VACUUM history INTO '${target.replaceAll("'", "''")}'`)
    await exec('DETACH history')
  } catch (error) {
    throw historyError(file, 'copy it', error)
  } finally {
    db.close()
  }
}

/**
 * Checks that the copy is undamaged. @returns the version of its schema
 * @throws HistoryError when the file is damaged, no history, or newer than this program
 */
export function checkCopy(file: string, newest: number): number {
  try {
    return readAlone(file, (db) => checkedVersion(db, newest))
  } catch (error) {
    throw historyError(file, 'use it', error)
  }
}

function checkedVersion(db: Connection, newest: number): number {
  const [found] = db.prepare('PRAGMA history.integrity_check(1)').raw().get([]) as [string]
  if (found !== 'ok') throw new HistoryError(`the file is damaged (${found})`)
  const [version] = db.prepare('PRAGMA history.user_version').raw().get([]) as [number]
  checkSchemaVersion(version, newest)
  return version
}

/** @throws HistoryError */
export function checkSchemaVersion(version: number, newest: number): void {
  if (version > newest)
    throw new HistoryError(
      `the history was written by a newer version of this program (schema ${version}; this program supports schemas up to ${newest})`,
    )
}

/** @throws HistoryError */
export async function checkRoom(bytes: number, folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free >= bytes + MARGIN_BYTES) return
  const text = `${bytes + MARGIN_BYTES} bytes are needed in ${folder}, but only ${free} bytes are free`
  throw new HistoryError(text, { noRoom: 'the disk is full' })
}

function usedBytes(file: string): number {
  return readAlone(file, (db) => {
    const number = (pragma: string) => (db.prepare(`PRAGMA history.${pragma}`).raw().get([]) as [number])[0]
    return pagesToBytes(number('page_count') - number('freelist_count'))
  })
}

interface HistoryLook {
  readonly schema: number
  /** True if a killed gateway has left a log. This log is not read here, and may have a newer schema. */
  readonly hasLog: boolean
}

/**
 * Reads facts about a history, and creates or changes nothing.
 * @returns undefined when there is no history yet
 * @throws HistoryError when another gateway uses the history, or this gateway cannot use it
 */
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

function checkUnused(lockFile: string): void {
  if (existsSync(lockFile)) releaseLock(takeLock(lockFile))
}

/** Uses `immutable`, because SQLite would otherwise create files beside the history. */
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
