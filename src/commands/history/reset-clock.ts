import { HistoryDatabase } from '../../gateway/history/database.ts'
import { ROOMS } from '../../gateway/rooms.ts'
import { HistoryError } from '../../gateway/store/errors.ts'
import { Failure } from '../failure.ts'
import { historyOf } from './history-file.ts'

/** `runbook-agent history reset-clock`: after it, tokens expire by the machine's clock. */
export function resetClockCommand({ config }: { readonly config: string }): void {
  const file = historyOf(config)
  try {
    const database = new HistoryDatabase(file, ROOMS, undefined)
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
