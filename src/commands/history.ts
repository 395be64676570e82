import { HistoryError, hasNoRoom } from '../gateway/store/errors.ts'
import { repairHistory, type HistoryRepair } from '../gateway/operating/repair.ts'
import type { Loss } from '../gateway/store/salvage.ts'
import { printableText } from '../basics/text/printable.ts'
import { exitCodes, Failure } from './exit-codes.ts'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { ForeignPathError } from '../basics/files/private-path.ts'
import { SettingsError } from '../basics/settings/problems.ts'
import { HISTORY_FILE } from '../gateway/operating/backup-format.ts'
import { loadSettings } from '../gateway/settings/load.ts'
import { ROOMS } from '../gateway/rooms.ts'
import { HistoryDatabase } from '../gateway/history/database.ts'

/** Copies all readable rows into a new file, and lists the lost rows. */
export async function repairCommand({ config }: { readonly config: string }): Promise<void> {
  const file = historyOf(config)
  try {
    const repair = await repairHistory(file)
    const text = repair === undefined ? `${file} is not damaged: nothing was changed` : report(file, repair)
    process.stdout.write(`${printableText(text)}\n`)
  } catch (error) {
    if (hasNoRoom(error)) throw new Failure(`${error.message}. Nothing was changed`, exitCodes.inputOutput)
    if (error instanceof HistoryError) throw new Failure(`${error.message}. Nothing was changed`)
    throw error
  }
}

function report(file: string, { faults, kept, losses, incomplete, audit, oldFile }: HistoryRepair): string {
  const rows = [...kept].filter(([, count]) => count > 0).map(([table, count]) => `${table} ${count}`)
  return [
    `${file} was damaged: ${faults.join('; ')}`,
    `kept: ${rows.join(', ') || 'nothing'}`,
    ...(losses.length === 0 ? ['lost: nothing'] : ['lost:', ...losses.map(lossText)]),
    ...(incomplete.length > 0 ? [`sessions that have lost output: ${incomplete.join(', ')}`] : []),
    ...(audit === undefined ? [] : [auditText(audit)]),
    `the damaged file is now ${oldFile}: keep this file until you have checked the losses`,
  ].join('\n')
}

/** No table has so many keys. */
const MAX_PLACES = 2 ** 40

function lossText({ table, names, rows, unread }: Loss): string {
  // If no key could be read, each possible key counts as unread.
  const unreadable = unread > MAX_PLACES ? 'most of the table' : `${unread} possible rows`
  if (rows === undefined) return `  ${table}: an unknown number of rows, ${unreadable} could not be read`
  const more = rows > names.length ? `, and ${rows - names.length} more` : ''
  return `  ${table}: ${rows} rows: ${names.join(', ')}${more}`
}

function auditText({ entries, faults }: NonNullable<HistoryRepair['audit']>): string {
  if (faults.length === 0) return `audit log: the chain of its ${entries} entries is whole`
  return `audit log: the chain of its ${entries} entries is broken: ${faults.map(({ says }) => says).join('; ')}`
}

/** @throws Failure if the file does not exist */
function historyOf(config: string): string {
  try {
    const file = path.join(loadSettings(config, process.env).state, HISTORY_FILE)
    if (existsSync(file)) return file
    throw new Failure(`the history ${file} does not exist: check the setting "state" in ${config}`)
  } catch (error) {
    if (error instanceof SettingsError) throw new Failure(error.message, exitCodes.configuration)
    if (error instanceof ForeignPathError)
      throw new Failure(`the state folder is not safe: ${error.message}`, exitCodes.configuration)
    throw error
  }
}

/** Makes this copy of the state the valid one for agents that have met a gateway on another copy. */
export function takeOverCommand({ config }: { readonly config: string }): void {
  const file = historyOf(config)
  changing(file, (database) => {
    database.write(({ epochs }) => epochs.takeOver(), 'durably')
    process.stdout.write(
      `the state in ${path.dirname(file)} is now the valid copy: agents that connect to it refuse gateways on other copies\n`,
    )
  })
}

/** Resets the clock of the history: tokens expire again by the clock of this machine. */
export function resetClockCommand({ config }: { readonly config: string }): void {
  const file = historyOf(config)
  changing(file, (database) => {
    const before = database.resetLatestTime() ?? Date.now()
    const now = new Date().toISOString()
    process.stdout.write(
      `the clock by which tokens expire is now at ${now}; it was at ${new Date(before).toISOString()}\n`,
    )
  })
}

function changing(file: string, change: (database: HistoryDatabase) => void): void {
  try {
    const database = new HistoryDatabase(file, ROOMS, undefined)
    try {
      change(database)
    } finally {
      database.close()
    }
  } catch (error) {
    if (error instanceof HistoryError) throw new Failure(`${error.message}. Nothing was changed`)
    throw error
  }
}
