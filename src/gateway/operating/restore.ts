import { randomBytes } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { link, mkdir, open, rm, rmdir, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { claimFolder } from '../../basics/files/private-path.ts'
import type { Logger } from '../../basics/logger.ts'
import type { Opened } from '../../basics/opened.ts'
import { takeOverIn } from '../agents/epoch-rows.ts'
import { Upkeep } from '../history/disk/upkeep.ts'
import type { History } from '../history/history.ts'
import { NEWEST_VERSION, LAYOUT, openHistory } from '../rooms.ts'
import type { CurrentSettings } from '../settings/settings.ts'
import { checkCopy, checkRoom } from '../store/copy.ts'
import { historyError, HistoryError } from '../store/errors.ts'
import { damageText, examineUnused } from '../store/examination.ts'
import { UNFINISHED_REPAIR } from '../store/repair.ts'
import {
  BackupError,
  unpack,
  HISTORY_FILE,
  REVIEWS_KEY,
  type Manifest,
  type Part,
  PartSums,
} from './backup-format.ts'
import { Backups } from './backups.ts'

/** The folder of an unfinished restore. No gateway starts while it exists. */
const UNFINISHED = /^\.restore-[0-9a-f]{16}$/

/**
 * Restores a backup into an empty or missing folder. The folder gets the complete state, or nothing. After a
 * kill, the restore can be run again.
 * @throws BackupError, HistoryError, ForeignPathError, or the system's error
 */
export async function restore(file: string, state: string): Promise<Manifest> {
  const isNew = !existsSync(state)
  claimFolder(state)
  checkEmpty(state)
  const work = path.join(state, `.restore-${randomBytes(8).toString('hex')}`)
  try {
    for (const left of readdirSync(state)) await rm(path.join(state, left), { recursive: true, force: true })
    await mkdir(work, { mode: 0o700 })
    const manifest = await extract(file, work)
    takeOver(path.join(work, HISTORY_FILE))
    await moveAll(manifest, work, state)
    return manifest
  } catch (error) {
    await rm(work, { recursive: true, force: true })
    // If another restore has put files into the folder meanwhile, `rmdir` fails, and the files stay.
    if (isNew) await rmdir(state).catch(() => undefined)
    throw error
  }
}

/** @throws BackupError if a restore, or a repair of the history, was interrupted in this folder */
export function checkRestored(state: string): void {
  const left = readdirSync(state).find((name) => UNFINISHED.test(name))
  if (left !== undefined)
    throw new BackupError(`a restore into ${state} was interrupted: run it again, or remove ${left} there`)
  if (readdirSync(state).some((name) => UNFINISHED_REPAIR.test(name)))
    throw new BackupError(
      `a repair of the history in ${state} was interrupted; run it again: runbook-agent history repair --config gateway.yaml`,
    )
}

/**
 * Accepts an empty folder, or the remains of a killed restore. Such remains never include the history,
 * because it is moved last.
 */
function checkEmpty(state: string): void {
  const found = readdirSync(state)
  const others = found.filter((name) => !UNFINISHED.test(name))
  const isCutShort = others.length < found.length && others.every((name) => name === REVIEWS_KEY)
  if (found.length === 0 || isCutShort) return
  throw new BackupError(
    `the folder ${state} is not empty; choose an empty folder, or a folder that does not exist yet`,
  )
}

/** Makes the restored state the valid copy: agents that meet it refuse the gateway from which the backup came. */
function takeOver(history: string): void {
  try {
    takeOverIn(history)
  } catch (error) {
    throw historyError(history, 'take it over', error)
  }
}

async function extract(file: string, work: string): Promise<Manifest> {
  statSync(file)
  const sums = new PartSums()
  await using files = new PartFiles(work)
  const manifest = await unpack(createReadStream(file) as AsyncIterable<Buffer>, {
    begin: async ({ parts }) => {
      await checkRoom(
        parts.reduce((sum, { bytes }) => sum + bytes, 0),
        work,
      )
      for (const part of parts) await files.create(part)
    },
    write: async (part, bytes) => {
      sums.add(part, bytes)
      await files.write(part, bytes)
    },
  })
  sums.check(manifest)
  await files.sync()
  const version = checkCopy(path.join(work, HISTORY_FILE), NEWEST_VERSION)
  if (version !== manifest.schema)
    throw new BackupError(
      `the backup was altered: its history has schema ${version}, but its first line says ${manifest.schema}`,
    )
  return manifest
}

/**
 * Moves the files. Moves the history last, because a folder with a history counts as complete.
 * @throws BackupError if another program has put files there meanwhile
 */
async function moveAll({ parts }: Manifest, work: string, state: string): Promise<void> {
  const others = readdirSync(state).filter((name) => !UNFINISHED.test(name))
  if (others.length > 0)
    throw new BackupError(
      `the folder ${state} was empty, but now contains ${others.join(', ')}: another program uses this folder`,
    )
  const names = parts
    .map(({ name }) => name)
    .toSorted((a, b) => Number(a === HISTORY_FILE) - Number(b === HISTORY_FILE))
  await linkAll(names, work, state)
  await syncFolder(state)
  await rm(work, { recursive: true })
}

/**
 * Moves by links, because a link never replaces a file. So two restores at the same time cannot overwrite
 * each other's files.
 */
async function linkAll(names: readonly string[], work: string, state: string): Promise<void> {
  const linked: string[] = []
  try {
    for (const name of names) {
      const place = path.join(state, name)
      await link(path.join(work, name), place)
      linked.push(place)
    }
  } catch (error) {
    for (const place of linked) await rm(place)
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new BackupError(
      `the folder ${state} was empty, but now contains files: another program uses this folder`,
    )
  }
}

class PartFiles implements AsyncDisposable {
  readonly #folder: string
  readonly #files = new Map<Part['name'], FileHandle>()

  constructor(folder: string) {
    this.#folder = folder
  }

  async create({ name }: Part): Promise<void> {
    this.#files.set(name, await open(path.join(this.#folder, name), 'wx', 0o600))
  }

  async write({ name }: Part, bytes: Buffer): Promise<void> {
    await this.#files.get(name)?.writeFile(bytes)
  }

  async sync(): Promise<void> {
    for (const file of this.#files.values()) await file.sync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files.values()) await file.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

interface State {
  readonly history: History
  readonly upkeep: Upkeep
  readonly backups: Backups
}

/**
 * Maximum time of the check at the start. To read 10 GB takes a minute. `gateway --check` has a limit of ten
 * minutes.
 */
const EXAMINED_MS = 5000

/** Claims the state folder for this gateway. @throws ForeignPathError, HistoryError */
export async function openState(
  settings: CurrentSettings,
  { log, version }: { readonly log: Logger; readonly version: string },
  opened: Opened,
): Promise<State> {
  const { state } = settings.value
  claimFolder(state)
  checkRestored(state)
  await examine(path.join(state, HISTORY_FILE), log)
  const retention = () => settings.value.history
  const failing = (what: string) => (error: Error) => log.error({ error: error.message }, what)
  const onError = failing('history')
  const history = opened.own(openHistory(path.join(state, HISTORY_FILE), { onError, retention }))
  return {
    history,
    upkeep: opened.own(new Upkeep(history, retention, log)),
    backups: opened.own(new Backups(state, version, failing('the copy of a backup cannot be removed'))),
  }
}

/**
 * Checks the history before it is opened, because writes to a damaged history would increase the damage.
 * @throws HistoryError
 */
async function examine(file: string, log: Logger): Promise<void> {
  if (!existsSync(file)) return
  const health = await examineUnused(file, LAYOUT, { depth: 'quick', withinMs: EXAMINED_MS })
  if (health === undefined) return
  const { faults, unseen } = health
  if (faults.length > 0) throw new HistoryError(damageText(file, faults))
  if (unseen.length > 0)
    log.info(
      { seconds: EXAMINED_MS / 1000, notToTheEnd: unseen },
      'the history is too large for a complete check at the start; gateway --check examines the whole history',
    )
}
