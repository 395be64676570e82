import { randomBytes } from 'node:crypto'
import {
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  closeSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import Database from 'libsql'
import { checkRoom } from './copy.ts'
import { historyError, HistoryError } from './errors.ts'
import { examineHistory } from './examination.ts'
import { salvage, type Loss } from './salvage.ts'
import type { Layout } from './room.ts'
import {
  type Connection,
  closeFile,
  hasLog,
  inTransaction,
  openFile,
  releaseLock,
  takeLock,
  urlOf,
} from './sqlite.ts'
import { updateSchema } from './store.ts'

export interface Repair {
  readonly faults: readonly string[]
  /** Number of rows in the new file, per table. */
  readonly kept: ReadonlyMap<string, number>
  readonly losses: readonly Loss[]
  readonly oldFile: string
}

/** Repairs rows that depend on lost rows, and reports them. @param version schema version of the file */
type Mend<T> = (db: Connection, version: number, losses: readonly Loss[]) => T

/** Name of the folder of an unfinished repair. No gateway starts while this folder exists. */
export const UNFINISHED_REPAIR = /^\.repair-[0-9a-f]{16}$/
/** The longest time that a timer allows, because the examination of a large file may take hours. */
const WITHOUT_HURRY_MS = 2 ** 31 - 1
const WHOLE = { depth: 'whole', withinMs: WITHOUT_HURRY_MS } as const

/**
 * Copies the readable rows into a new file, which replaces the damaged file. The damaged file stays beside it
 * under another name. An interrupted repair can be started again.
 * @returns undefined when nothing is damaged
 * @throws HistoryError, also while a gateway uses the history; if the disk has no space, nothing is written
 */
export async function repairFile<T>(
  file: string,
  layout: Layout,
  mend: Mend<T>,
): Promise<(Repair & T) | undefined> {
  const lock = locked(file)
  try {
    undoSwap(file)
    const { faults } = await examineHistory(file, layout, WHOLE)
    if (faults.length === 0) return undefined
    const folder = path.dirname(file)
    await checkRoom(neededBytes(file), folder)
    const work = path.join(folder, `.repair-${randomBytes(8).toString('hex')}`)
    mkdirSync(work, { mode: 0o700 })
    try {
      const target = path.join(work, path.basename(file))
      const made = rebuild(copyForRepair(file, work, layout.steps.length), target, layout, mend)
      await checkWhole(target, layout)
      return { faults, ...made, oldFile: swap(target, file) }
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  } catch (error) {
    throw historyError(file, 'repair it', error)
  } finally {
    releaseLock(lock)
  }
}

function locked(file: string): Connection {
  try {
    return takeLock(`${file}.lock`)
  } catch (error) {
    throw historyError(file, 'repair it', error)
  }
}

/** Returns the size of two files: the new file, and a copy of the damaged file for mending its header. */
function neededBytes(file: string): number {
  const size = (of: string) => statSync(of, { throwIfNoEntry: false })?.size ?? 0
  return 2 * (size(file) + size(`${file}-wal`))
}

/** Returns the damaged file itself, which is only read, or a copy with a repaired header. */
function copyForRepair(file: string, work: string, newest: number): string {
  const copy = path.join(work, 'damaged.sqlite')
  copyFileSync(file, copy, constants.COPYFILE_FICLONE)
  if (!mendHead(copy, newest)) {
    rmSync(copy)
    return file
  }
  if (hasLog(file)) copyFileSync(`${file}-wal`, `${copy}-wal`)
  return copy
}

function rebuild<T>(
  source: string,
  target: string,
  { steps, json, orphans }: Layout,
  mend: Mend<T>,
): Omit<Repair, 'faults' | 'oldFile'> & T {
  const { db } = openFile(target, undefined)
  try {
    const version = damagedSchemaVersion(source, hasLog(source), steps)
    updateSchema(db, steps.slice(0, version))
    attachDamaged(db, source)
    const triggers = takeTriggers(db)
    const losses = [...salvage(db, json), ...removeOrphans(db, orphans)]
    const mended = mend(db, version, losses)
    for (const sql of triggers) db.exec(sql)
    return { ...mended, kept: countRows(db), losses }
  } finally {
    detach(db)
    closeFile(db)
  }
}

/** Sets `writable_schema`: without it, SQLite does not read a file that is shorter than its header says. */
function attachDamaged(db: Connection, source: string): void {
  const how = hasLog(source) ? 'mode=ro' : 'immutable=1'
  db.exec(`PRAGMA writable_schema = ON; PRAGMA cell_size_check = ON;
           ATTACH '${urlOf(source)}?${how}' AS damaged`)
}

function detach(db: Connection): void {
  try {
    db.exec('DETACH damaged')
  } catch {
    // The damaged file was never attached.
  }
}

/**
 * Removes the triggers, so that copying a row writes no other rows.
 * @returns the SQL that creates the triggers again
 */
function takeTriggers(db: Connection): string[] {
  const sql = `SELECT name, sql FROM history.sqlite_master WHERE type = 'trigger'`
  const found = db.prepare(sql).raw().all([]) as [string, string][]
  for (const [name] of found) db.exec(`DROP TRIGGER history.${name}`)
  return found.map(([, text]) => text.replace(/^CREATE TRIGGER (history\.)?/, 'CREATE TRIGGER history.'))
}

/** Removes rows whose session is lost, because no query would find these rows. */
function removeOrphans(db: Connection, orphans: Layout['orphans']): Loss[] {
  const has = (table: string) => hasTable(db, table)
  return Object.entries(orphans)
    .filter(([table]) => has(table))
    .flatMap(([table, condition]) => {
      const { changes } = inTransaction(db, () =>
        db.prepare(`DELETE FROM history.${table} WHERE ${condition(has)}`).run([]),
      )
      return changes === 0 ? [] : [{ table, names: ['rows of lost sessions'], rows: changes, unread: 0 }]
    })
}

function hasTable(db: Connection, table: string): boolean {
  return db.prepare('SELECT 1 FROM history.sqlite_master WHERE name = ?').raw().get([table]) !== undefined
}

function countRows(db: Connection): Map<string, number> {
  const sql = `SELECT name FROM history.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
  const tables = (db.prepare(sql).raw().all([]) as [string][]).map(([name]) => name)
  const rows = (name: string) =>
    (db.prepare(`SELECT count(*) FROM history.${name}`).raw().get([]) as [number])[0]
  return new Map(tables.map((name) => [name, rows(name)]))
}

async function checkWhole(target: string, layout: Layout): Promise<void> {
  const { faults } = await examineHistory(target, layout, WHOLE)
  if (faults.length > 0)
    throw new HistoryError(
      `the repaired file is still damaged (${faults.join('; ')}), so the old file is kept; restore a backup`,
    )
}

/**
 * Gives the damaged file a second name, and then replaces the first name by the repaired file. If the program
 * is killed in between, `undoSwap` restores the files at the next repair.
 */
function swap(target: string, file: string): string {
  const oldFile = `${file}.damaged-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
  linkSync(file, oldFile)
  if (existsSync(`${file}-wal`)) linkSync(`${file}-wal`, `${oldFile}-wal`)
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  renameSync(target, file)
  return oldFile
}

/**
 * Undoes a swap during which the program was killed. The damaged file may have both names, and its log only
 * the new name. Puts the log back, and removes the new names.
 */
function undoSwap(file: string): void {
  const folder = path.dirname(file)
  const { ino } = lstatSync(file)
  const names = readdirSync(folder)
  for (const name of names) {
    const place = path.join(folder, name)
    if (!name.startsWith(`${path.basename(file)}.damaged-`) || name.endsWith('-wal')) continue
    if (lstatSync(place).ino !== ino) continue
    if (existsSync(`${place}-wal`) && !existsSync(`${file}-wal`)) linkSync(`${place}-wal`, `${file}-wal`)
    for (const suffix of ['-wal', '']) rmSync(`${place}${suffix}`, { force: true })
  }
  // Removed last: no gateway may open the history before its log is back.
  for (const name of names.filter((one) => UNFINISHED_REPAIR.test(one)))
    rmSync(path.join(folder, name), { recursive: true, force: true })
}

// The first 100 bytes of a history's file (sqlite.org/fileformat.html#the_database_header).

const HEAD_BYTES = 100
const PAGE_BYTES = 4096
const MAGIC = 'SQLite format 3\0'

/** @returns false when the header is undamaged */
function mendHead(file: string, newest: number): boolean {
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

/** Write and read version 2 (write-ahead log), no reserved bytes, and SQLite's fixed payload fractions. */
const FORMAT = Buffer.from([2, 2, 0, 64, 32, 32])

function headFor(bytes: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(MAGIC, 'latin1')
  head.writeUInt16BE(PAGE_BYTES, 16)
  FORMAT.copy(head, 18)
  // Byte 24 is the change counter, and byte 28 the number of pages. The number of pages is valid only if byte
  // 92 repeats the change counter.
  head.writeUInt32BE(1, 24)
  head.writeUInt32BE(Math.floor(bytes / PAGE_BYTES), 28)
  head.writeUInt32BE(1, 40)
  head.writeUInt32BE(4, 44)
  // A value above 0 means that the file has the pages that incremental vacuum needs.
  head.writeUInt32BE(1, 52)
  head.writeUInt32BE(1, 56)
  head.writeUInt32BE(1, 64)
  head.writeUInt32BE(1, 92)
  return head
}

/**
 * Returns the version in the header. If it is invalid, returns the version that has the tables of the file.
 * @throws HistoryError when the list of tables cannot be read
 */
function damagedSchemaVersion(file: string, hasLog: boolean, steps: readonly string[]): number {
  const db = new Database(':memory:')
  try {
    db.exec(`PRAGMA writable_schema = ON;
      ATTACH '${urlOf(file)}?${hasLog ? 'mode=ro' : 'immutable=1'}' AS history`)
    const [version] = db.prepare('PRAGMA history.user_version').raw().get([]) as [number]
    if (version > 0 && version <= steps.length) return version
    const tables = fingerprintSchema(db)
    for (let count = steps.length; count > 0; count--)
      if (tables === tablesMadeBy(steps.slice(0, count))) return count
    throw new HistoryError('the list of tables in the file is damaged; restore a backup')
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
    return fingerprintSchema(db)
  } finally {
    db.close()
  }
}

function fingerprintSchema(db: Connection): string {
  const sql = `SELECT m.name, c.name FROM history.sqlite_master m JOIN pragma_table_info(m.name, 'history') c
    WHERE m.type = 'table' ORDER BY m.name, c.cid`
  return JSON.stringify(db.prepare(sql).raw().all([]))
}
