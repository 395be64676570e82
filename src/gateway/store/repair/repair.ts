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
} from 'node:fs'
import path from 'node:path'
import { checkRoom } from '../copy.ts'
import { historyError, HistoryError } from '../errors.ts'
import type { Layout } from '../room.ts'
import { updateSchema } from '../schema.ts'
import {
  type Connection,
  closeFile,
  hasLog,
  inTransaction,
  openFile,
  releaseLock,
  takeLock,
  urlOf,
} from '../sqlite.ts'
import { damagedSchemaVersion, mendHead } from './head.ts'
import { examineHistory } from './examination.ts'
import { salvage, type Loss } from './salvage.ts'

export interface Repair {
  /** The first faults. */
  readonly faults: readonly string[]
  /** Rows of each table that the new file has. */
  readonly kept: ReadonlyMap<string, number>
  readonly losses: readonly Loss[]
  /** Where the damaged file is now. */
  readonly oldFile: string
}

/** Puts right what depends on lost rows, and says what it has found. @param version of the file */
export type Mend<T> = (db: Connection, version: number, losses: readonly Loss[]) => T

/** Name of the new file until it is whole. No gateway starts while the file is there. */
export const UNFINISHED_REPAIR = /^\.repair-[0-9a-f]{16}$/
/** The longest time of a timer: a large file may take hours. */
const WITHOUT_HURRY_MS = 2 ** 31 - 1
const WHOLE = { depth: 'whole', withinMs: WITHOUT_HURRY_MS } as const

/**
 * Copies what can be read of a damaged history into a new one, which takes its place. The damaged file stays beside it.
 * A repair that was cut short can be begun anew. @returns undefined when nothing is damaged
 * @throws HistoryError, also while a gateway uses it; NoRoomError, before anything is written
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
      const made = rebuild(sourceOf(file, work, layout.steps.length), target, layout, mend)
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

/** The new file, and a copy of the damaged one where its head has to be mended. */
function neededBytes(file: string): number {
  const size = (of: string) => statSync(of, { throwIfNoEntry: false })?.size ?? 0
  return 2 * (size(file) + size(`${file}-wal`))
}

/** The damaged file itself, which is only read; or a copy of it whose head was mended. */
function sourceOf(file: string, work: string, newest: number): string {
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

/** `writable_schema`: otherwise SQLite does not read a file that is shorter than its head says. */
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

/** Drops the triggers, so that only copied rows are written. @returns the SQL that makes them again */
function takeTriggers(db: Connection): string[] {
  const sql = `SELECT name, sql FROM history.sqlite_master WHERE type = 'trigger'`
  const found = db.prepare(sql).raw().all([]) as [string, string][]
  for (const [name] of found) db.exec(`DROP TRIGGER history.${name}`)
  return found.map(([, text]) => text.replace(/^CREATE TRIGGER (history\.)?/, 'CREATE TRIGGER history.'))
}

/** Removes rows of lost sessions: nobody could ask for them. */
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
      `the new file is not whole (${faults.join('; ')}), so the old one stays; restore a backup`,
    )
}

/**
 * The damaged file gets its new name before the new file has the old one. A kill in between leaves both files, or
 * `.repair-...` and a log that `undoSwap` puts back.
 */
function swap(target: string, file: string): string {
  const oldFile = `${file}.damaged-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
  linkSync(file, oldFile)
  if (existsSync(`${file}-wal`)) linkSync(`${file}-wal`, `${oldFile}-wal`)
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  renameSync(target, file)
  return oldFile
}

/** After a kill: removes the unfinished file, and puts the log back beside a damaged file that has its name still. */
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
  // Last: while such a folder is there no gateway opens the history, which may lack its log until here.
  for (const name of names.filter((one) => UNFINISHED_REPAIR.test(one)))
    rmSync(path.join(folder, name), { recursive: true, force: true })
}
