import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { claimFolder, ForeignPathError } from '../../basics/files/private-path.ts'
import { BackupError } from '../../gateway/operating/backup/backup-error.ts'
import { HISTORY_FILE } from '../../gateway/operating/backup/manifest.ts'
import { checkRestored } from '../../gateway/operating/backup/restore.ts'
import { LAYOUT, NEWEST_VERSION } from '../../gateway/rooms.ts'
import { lookAtHistory } from '../../gateway/store/look.ts'
import { damageText, examineUnused, type Health } from '../../gateway/store/repair/examination.ts'
import { HistoryError } from '../../gateway/store/errors.ts'
import { nearestExisting, obstacleTo, volumeOf } from '../examination/volume.ts'
import { broken, ok, skipped, warning, type Finding } from '../examination/examination.ts'
import { sizeText } from '../../basics/text/units.ts'

/** With less room the next backup, copy of a repository or long output may not fit. */
const LITTLE_BYTES = 256 * 1024 * 1024
const CHOOSE = 'Give it to the user of the gateway, or name another folder (state)'

/** Tests whether the folder belongs to this user alone, can be written, and has room. Creates none. */
export async function checkState(folder: string): Promise<Finding<string>> {
  const obstacle = await obstacleTo(folder)
  if (obstacle !== undefined) return broken(`${folder}: cannot create files there: ${obstacle}`, CHOOSE)
  const foreign = existsSync(folder) ? foreignText(folder) : undefined
  if (foreign !== undefined) return broken(foreign, CHOOSE)
  const { freeBytes, hasInodes } = await volumeOf(nearestExisting(folder))
  const found = `${folder}${existsSync(folder) ? '' : ', which the gateway will create'}, ${sizeText(freeBytes)} free`
  if (!hasInodes) return broken(`${found}, but no inodes`, 'Remove files from that file system')
  if (freeBytes < LITTLE_BYTES) return warning(found, 'Free some space, or lower history.size', folder)
  return ok(found, folder)
}

/** Tests whether this program can use the history. Does not migrate its schema. */
export async function checkHistory(folder: string, withinMs: number): Promise<Finding> {
  if (!existsSync(folder)) return skipped('there is none yet')
  try {
    checkRestored(folder)
    const file = path.join(folder, HISTORY_FILE)
    const look = lookAtHistory(file, NEWEST_VERSION)
    if (look === undefined) return skipped('there is none yet')
    const { schema, hasLog } = look
    const { faults, unseen } = await examineWhole(file, withinMs)
    if (faults.length > 0) return broken(damageText(file, faults), '')
    if (unseen.length > 0)
      return warning(
        `not examined to their end in ${withinMs / 1000} s: ${unseen.join(', ')}`,
        'No damage was found in the examined part',
      )
    if (schema === NEWEST_VERSION || hasLog) return ok(`schema ${schema}${hasLog ? ' or newer' : ''}`)
    return warning(
      `it has schema ${schema}, the start brings it to ${NEWEST_VERSION}, and older versions of this program cannot use it then`,
      'Make a backup before: runbook-agent backup, or a copy of the folder while no gateway runs',
    )
  } catch (error) {
    if (error instanceof HistoryError || error instanceof BackupError) return broken(error.message, '')
    throw error
  }
}

/** Examines the whole history, and removes the files that SQLite creates to read the log of a killed gateway. */
async function examineWhole(file: string, withinMs: number): Promise<Health> {
  const beside = [`${file}.lock`, `${file}-shm`].filter((each) => !existsSync(each))
  try {
    const health = await examineUnused(file, LAYOUT, { depth: 'whole', withinMs })
    return health ?? { faults: [], unseen: ['all of it, since the disk is full or read-only'] }
  } finally {
    for (const each of beside) rmSync(each, { force: true })
  }
}

function foreignText(folder: string): string | undefined {
  try {
    // The folder exists, so nothing is created.
    claimFolder(folder)
    return undefined
  } catch (error) {
    if (error instanceof ForeignPathError) return error.message
    throw error
  }
}
