import { existsSync } from 'node:fs'
import path from 'node:path'
import { ForeignPathError } from '../../basics/files/private-path.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { HistoryDatabase } from '../../gateway/history/database.ts'
import { HistoryError } from '../../gateway/history/session.ts'
import { HISTORY_FILE } from '../../gateway/operating/backup/manifest.ts'
import { loadSettings } from '../../gateway/settings/load.ts'
import { exitCodes, Failure } from '../failure.ts'

/** `runbook-agent history reset-clock`: from now on tokens expire by the clock as it is at this moment. */
export function resetClockCommand({ config }: { readonly config: string }): void {
  const file = historyOf(config)
  try {
    const database = new HistoryDatabase(file, undefined)
    try {
      const before = database.resetLatestTime() ?? Date.now()
      const now = new Date().toISOString()
      process.stdout.write(`tokens expire from ${now} on; it was ${new Date(before).toISOString()}\n`)
    } finally {
      database.close()
    }
  } catch (error) {
    if (error instanceof HistoryError) throw new Failure(`${error.message}. Nothing was changed`)
    throw error
  }
}

/** The history of the gateway with these settings. @throws Failure when there is none */
function historyOf(config: string): string {
  try {
    const file = path.join(loadSettings(config, process.env).state, HISTORY_FILE)
    if (existsSync(file)) return file
    throw new Failure(`there is no history at ${file}: check "state" of ${config}`)
  } catch (error) {
    if (error instanceof SettingsError) throw new Failure(error.message, exitCodes.configuration)
    if (error instanceof ForeignPathError)
      throw new Failure(`the state folder is not safe: ${error.message}`, exitCodes.configuration)
    throw error
  }
}
