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
import { pathToFileURL } from 'node:url'
import { NO_HASH } from '../../people/audit/entry.ts'
import { verifyChain, type Verification } from '../../people/audit/verification.ts'
import { checkRoom } from '../copy.ts'
import { historyError, HistoryError } from '../errors.ts'
import { STEPS, updateSchema } from '../schema.ts'
import {
  type Connection,
  closeFile,
  hasLog,
  inTransaction,
  openFile,
  releaseLock,
  takeLock,
} from '../sqlite.ts'
import { damagedSchemaVersion, mendHead } from './head.ts'
import { examineHistory, OF_SESSIONS } from './examination.ts'
import { salvage, type Loss } from './salvage.ts'

export interface Repair {
  /** The first faults. */
  readonly faults: readonly string[]
  /** Rows of each table that the new file has. */
  readonly kept: ReadonlyMap<string, number>
  readonly losses: readonly Loss[]
  /** Ids of sessions that have lost output. */
  readonly incomplete: readonly string[]
  /** Undefined where the history is older than the audit log. */
  readonly audit: Verification | undefined
  /** Where the damaged file is now. */
  readonly oldFile: string
}

/** Name of the new file until it is whole. No gateway starts while the file is there. */
export const UNFINISHED_REPAIR = /^\.repair-[0-9a-f]{16}$/
/** The longest time of a timer: a large file may take hours. */
const WITHOUT_HURRY_MS = 2 ** 31 - 1

/**
 * Copies what can be read of a damaged history into a new one, which takes its place. The damaged file stays beside it.
 * A repair that was cut short can be begun anew. @returns undefined when nothing is damaged
 * @throws HistoryError, also while a gateway uses it; NoRoomError, before anything is written
 */
export async function repairHistory(file: string): Promise<Repair | undefined> {
  const lock = locked(file)
  try {
    undoSwap(file)
    const { faults } = await examineHistory(file, { depth: 'whole', withinMs: WITHOUT_HURRY_MS })
    if (faults.length === 0) return undefined
    const folder = path.dirname(file)
    await checkRoom(neededBytes(file), folder)
    const work = path.join(folder, `.repair-${randomBytes(8).toString('hex')}`)
    mkdirSync(work, { mode: 0o700 })
    try {
      const target = path.join(work, path.basename(file))
      const made = rebuild(sourceOf(file, work), target)
      await checkWhole(target)
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
function sourceOf(file: string, work: string): string {
  const copy = path.join(work, 'damaged.sqlite')
  copyFileSync(file, copy, constants.COPYFILE_FICLONE)
  if (!mendHead(copy)) {
    rmSync(copy)
    return file
  }
  if (hasLog(file)) copyFileSync(`${file}-wal`, `${copy}-wal`)
  return copy
}

function rebuild(source: string, target: string): Omit<Repair, 'faults' | 'oldFile'> {
  const { db } = openFile(target, undefined)
  try {
    const version = damagedSchemaVersion(source, hasLog(source))
    updateSchema(db, STEPS.slice(0, version))
    attachDamaged(db, source)
    const triggers = takeTriggers(db)
    const losses = [...salvage(db), ...removeOrphans(db)]
    const incomplete = losses.some(({ table }) => table === 'events') ? markIncomplete(db, version) : []
    for (const sql of triggers) db.exec(sql)
    return { kept: countRows(db), losses, incomplete, audit: version < 15 ? undefined : verified(db) }
  } finally {
    detach(db)
    closeFile(db)
  }
}

/** `writable_schema`: otherwise SQLite does not read a file that is shorter than its head says. */
function attachDamaged(db: Connection, source: string): void {
  const how = hasLog(source) ? 'mode=ro' : 'immutable=1'
  db.exec(`PRAGMA writable_schema = ON; PRAGMA cell_size_check = ON;
           ATTACH '${pathToFileURL(source).href.replaceAll("'", '%27')}?${how}' AS damaged`)
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
function removeOrphans(db: Connection): Loss[] {
  const removals = hasTable(db, 'removals') ? 'AND session NOT IN (SELECT session FROM history.removals)' : ''
  const orphans = `session NOT IN (SELECT key FROM history.sessions) ${removals}`
  return OF_SESSIONS.filter((table) => hasTable(db, table)).flatMap((table) => {
    const { changes } = inTransaction(db, () =>
      db.prepare(`DELETE FROM history.${table} WHERE ${orphans}`).run([]),
    )
    return changes === 0 ? [] : [{ table, names: ['rows of lost sessions'], rows: changes, unread: 0 }]
  })
}

/** Counts lost output in ended sessions. @returns the ids of these sessions */
function markIncomplete(db: Connection, version: number): string[] {
  if (version < 2) return []
  const there = `coalesce((SELECT sum(length(bytes)) FROM history.events WHERE session = sessions.key AND kind IN ('o', 'e')), 0)`
  const incomplete = `output_bytes IS NOT NULL AND output_bytes > ${there}`
  const found = db.prepare(`SELECT id FROM history.sessions WHERE ${incomplete}`).raw().all([]) as [string][]
  inTransaction(db, () =>
    db.exec(`UPDATE history.sessions SET truncated_bytes = truncated_bytes + output_bytes - ${there},
             output_bytes = ${there} WHERE ${incomplete}`),
  )
  return found.map(([id]) => id)
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

function verified(db: Connection): Verification {
  const [sequence, hash] = (db.prepare('SELECT sequence, hash FROM history.audit_anchor').raw().get([]) ?? [
    0,
    NO_HASH,
  ]) as [number, string]
  return verifyChain(links(db), { sequence, hash })
}

function* links(db: Connection): Generator<{ sequence: number; text: string; hash: string }> {
  const sql = 'SELECT sequence, entry, hash FROM history.audit_log ORDER BY sequence'
  for (const [sequence, text, hash] of db.prepare(sql).raw().iterate([]) as Iterable<
    [number, string, string]
  >)
    yield { sequence, text, hash }
}

async function checkWhole(target: string): Promise<void> {
  const { faults } = await examineHistory(target, { depth: 'whole', withinMs: WITHOUT_HURRY_MS })
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
