import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import Database from 'libsql'
import { updateSchema } from '../schema.ts'
import { HistoryError } from '../errors.ts'
import { urlOf, type Connection } from '../sqlite.ts'

// The first 100 bytes of a file of SQLite (sqlite.org/fileformat.html#the_database_header), as those of a history are.

const HEAD_BYTES = 100
const PAGE_BYTES = 4096
const MAGIC = 'SQLite format 3\0'

/** Writes a head that can be read where it cannot. @param newest version of the schema @returns false when nothing has to be changed */
export function mendHead(file: string, newest: number): boolean {
  const descriptor = openSync(file, 'r+')
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    readSync(descriptor, head, 0, HEAD_BYTES, 0)
    if (isSound(head, newest)) return false
    writeSync(descriptor, headFor(statSync(file).size), 0, HEAD_BYTES, 0)
    return true
  } finally {
    closeSync(descriptor)
  }
}

function isSound(head: Buffer, newest: number): boolean {
  const version = head.readUInt32BE(60)
  return (
    head.toString('latin1', 0, 16) === MAGIC &&
    head.readUInt16BE(16) === PAGE_BYTES &&
    head.subarray(18, 24).equals(FORMAT) &&
    head.readUInt32BE(44) === 4 &&
    head.readUInt32BE(52) > 0 &&
    head.readUInt32BE(56) === 1 &&
    version > 0 &&
    version <= newest &&
    head.subarray(72, 92).every((byte) => byte === 0)
  )
}

/** With a write-ahead log, nothing reserved, and the fractions that SQLite has fixed. */
const FORMAT = Buffer.from([2, 2, 0, 64, 32, 32])

function headFor(bytes: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(MAGIC, 'latin1')
  head.writeUInt16BE(PAGE_BYTES, 16)
  FORMAT.copy(head, 18)
  // Change counter, pages, ..., and at 92 the counter for which they are right.
  head.writeUInt32BE(1, 24)
  head.writeUInt32BE(Math.floor(bytes / PAGE_BYTES), 28)
  head.writeUInt32BE(1, 40)
  head.writeUInt32BE(4, 44)
  // Above 0: with the pages that incremental vacuum needs.
  head.writeUInt32BE(1, 52)
  head.writeUInt32BE(1, 56)
  head.writeUInt32BE(1, 64)
  head.writeUInt32BE(1, 92)
  return head
}

/**
 * The version of a damaged file's schema: what its head says, or that of whose tables it has. @throws HistoryError when
 * the list of its tables cannot be read
 */
export function damagedSchemaVersion(file: string, hasLog: boolean, steps: readonly string[]): number {
  const db = new Database(':memory:')
  try {
    db.exec(`PRAGMA writable_schema = ON;
      ATTACH '${urlOf(file)}?${hasLog ? 'mode=ro' : 'immutable=1'}' AS history`)
    const [version] = db.prepare('PRAGMA history.user_version').raw().get([]) as [number]
    if (version > 0 && version <= steps.length) return version
    const tables = tablesOf(db)
    for (let count = steps.length; count > 0; count--)
      if (tables === tablesMadeBy(steps.slice(0, count))) return count
    throw new HistoryError('the list of its tables is damaged; restore a backup')
  } finally {
    db.exec('DETACH history')
    db.close()
  }
}

function tablesMadeBy(steps: readonly string[]): string {
  const db = new Database(':memory:')
  try {
    db.exec(`ATTACH ':memory:' AS history`)
    updateSchema(db, steps)
    return tablesOf(db)
  } finally {
    db.close()
  }
}

/** Tables and their columns, as one text. */
function tablesOf(db: Connection): string {
  const sql = `SELECT m.name, c.name FROM history.sqlite_master m JOIN pragma_table_info(m.name, 'history') c
    WHERE m.type = 'table' ORDER BY m.name, c.cid`
  return JSON.stringify(db.prepare(sql).raw().all([]))
}
