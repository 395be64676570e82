import { constants, existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import path from 'node:path'
import type { AgentConfiguration } from '../../config.ts'
import type { Finding } from './finding.ts'
import { broken, ok, warning } from './finding.ts'
import { inUnits, volumeOf } from './free-space.ts'
import { nearestExisting, obstacleTo } from './writable-folder.ts'

const ADVICE = 'Give the folder to the user of the agent, or set state-dir'
/** For the tails of large outputs, beside the journal. */
const TAILS_BYTES = 64 * 1024 ** 2

/** Where the journal is kept, and the tails of large outputs when they become too many. */
export async function checkStateFolder({
  stateDir,
  journalBytes,
}: Pick<AgentConfiguration, 'stateDir' | 'journalBytes'>): Promise<Finding> {
  const obstacle = await obstacleTo(stateDir)
  if (obstacle !== undefined) return broken(`${stateDir}: nothing can be made there: ${obstacle}`, ADVICE)
  const journal = path.join(stateDir, 'journal.jsonl')
  if (journalBytes > 0 && existsSync(journal) && !(await isWritable(journal)))
    return broken(`${journal} cannot be written by this user: executions would have no record`, ADVICE)
  const { freeBytes, hasInodes } = await volumeOf(nearestExisting(stateDir))
  const made = existsSync(stateDir) ? '' : ', which the agent will make'
  const found = `${stateDir}${made}, ${inUnits(freeBytes)} free`
  if (!hasInodes) return broken(`${found}, but no inodes`, 'Remove files from that file system')
  if (freeBytes < journalBytes + TAILS_BYTES)
    return warning(found, `Free some space: the journal may take ${inUnits(journalBytes)}`)
  return ok(found)
}

async function isWritable(file: string): Promise<boolean> {
  return access(file, constants.W_OK).then(
    () => true,
    () => false,
  )
}
