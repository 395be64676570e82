import { existsSync, lstatSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import Database from 'libsql'
import AsyncDatabase from 'libsql/promise'
import { objectionTo } from '../../basics/files/private-path.ts'
import { historyError, HistoryError } from './errors.ts'
import { bytesOf, readAlone, urlOf, type Connection, hasLog, releaseLock, takeLock } from './sqlite.ts'

/** Bytes that a copy leaves free for sessions that run meanwhile. */
const MARGIN_BYTES = 64 * 1024 * 1024

/**
 * Writes a copy of the history as it is at this moment, without removed content. The history can be read and
 * written meanwhile, because SQLite works on a thread of its own. The copy cannot be stopped.
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
 * Checks that the copy is undamaged.
 * @param newest schema version to which this program updates every history
 * @returns the version of the copy's schema
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
    return bytesOf(number('page_count') - number('freelist_count'))
  })
}

/** Facts about a history that are found without opening it. Nothing is created or changed. */
interface HistoryLook {
  readonly schema: number
  /**
   * Whether a killed gateway has left a log, which the next gateway will read. The log may have a newer
   * schema.
   */
  readonly hasLog: boolean
}

/**
 * Looks at a history without opening it.
 * @param newest version that this program knows
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

/** Takes the lock for a moment. @throws HistoryError */
function checkUnused(lockFile: string): void {
  if (existsSync(lockFile)) releaseLock(takeLock(lockFile))
}

/** Returns the schema version. Without `immutable`, SQLite creates files beside the history. */
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
