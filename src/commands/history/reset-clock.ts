import { HistoryDatabase } from '../../gateway/history/database.ts'
import { HistoryError } from '../../gateway/history/session.ts'
import { Failure } from '../failure.ts'
import { historyOf } from './history-file.ts'

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
