import { HistoryError, NoRoomError } from '../../gateway/store/errors.ts'
import { repairHistory, type HistoryRepair } from '../../gateway/operating/repair.ts'
import type { Loss } from '../../gateway/store/repair/salvage.ts'
import { printableText } from '../../basics/text/printable.ts'
import { exitCodes, Failure } from '../failure.ts'
import { historyOf } from './history-file.ts'

/** `runbook-agent history repair`: copies all readable rows into a new file, and lists the lost ones. */
export async function repairCommand({ config }: { readonly config: string }): Promise<void> {
  const file = historyOf(config)
  try {
    const repair = await repairHistory(file)
    const text = repair === undefined ? `${file} is not damaged: nothing was changed` : report(file, repair)
    process.stdout.write(`${printableText(text)}\n`)
  } catch (error) {
    if (error instanceof NoRoomError)
      throw new Failure(`${error.message}. Nothing was changed`, exitCodes.inputOutput)
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
    `the damaged file is ${oldFile} now: keep it until you have seen what is lost`,
  ].join('\n')
}

/** More keys than any table has rows. */
const MOST_PLACES = 2 ** 40

function lossText({ table, names, rows, unread }: Loss): string {
  // Where no key could be read, each key that there may be counts as unread.
  const unreadable = unread > MOST_PLACES ? 'most of it' : `${unread} places`
  if (rows === undefined) return `  ${table}: an unknown number of rows, ${unreadable} could not be read`
  const more = rows > names.length ? `, and ${rows - names.length} more` : ''
  return `  ${table}: ${rows} rows: ${names.join(', ')}${more}`
}

function auditText({ entries, faults }: NonNullable<HistoryRepair['audit']>): string {
  if (faults.length === 0) return `audit log: its chain is whole, ${entries} entries`
  return `audit log: its chain is broken, ${entries} entries: ${faults.map(({ says }) => says).join('; ')}`
}
