import { existsSync } from 'node:fs'
import path from 'node:path'
import { ForeignPathError } from '../../basics/files/private-path.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import { HISTORY_FILE } from '../../gateway/operating/backup/manifest.ts'
import { loadSettings } from '../../gateway/settings/load.ts'
import { exitCodes, Failure } from '../failure.ts'

/** The history of the gateway with these settings. @throws Failure when there is none */
export function historyOf(config: string): string {
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
