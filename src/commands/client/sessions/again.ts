import { parsedJson } from '../../../basics/text/json.ts'
import { oneLine } from '../../../basics/text/printable.ts'
import { runbookOf } from '../../../client/rest/sessions.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { readAccount } from '../asking/account.ts'
import { clientFailure } from '../report/failures.ts'
import { findSession } from './find.ts'
import { runRunbook, type RunFlags } from '../run/run.ts'

/** The gateway records it in the place of a secret value. */
const NOT_RECORDED = '[not recorded]'

/**
 * Runs the runbook of an earlier session again, on its connection and with its recorded parameters.
 * @returns this program's exit code
 * @throws Failure
 */
export async function runAgain(id: string, clientArgs: readonly string[], flags: RunFlags): Promise<number> {
  const { connection, file, repository, recorded } = await earlierRun(id, flags)
  const isRecorded = ([, value]: readonly [string, string]) => value !== NOT_RECORDED
  const earlier = {
    id,
    values: new Map([...recorded].filter(isRecorded)),
    unrecorded: [...recorded].filter((one) => !isRecorded(one)).map(([name]) => name),
  }
  return runRunbook(
    { connection, file, clientArgs },
    { ...flags, ...(repository !== undefined && { repository }) },
    earlier,
  )
}

async function earlierRun(id: string, flags: RunFlags) {
  const account = readAccount(flags.profile)
  try {
    const session = await findSession(account, id)
    // The first run of a pair runs again before its second one.
    const file = session.labels?.['runbookFirstOf'] ?? runbookOf(session)
    if (file === undefined)
      throw new Failure(
        oneLine(`session ${id} ran no runbook that is recorded, so it cannot be run again`),
        exitCodes.usage,
      )
    const { connection, labels = {} } = session
    const recorded = parsedJson(labels['runbookParameters'] ?? '{}')
    const entries = Object.entries((recorded ?? {}) as Record<string, unknown>)
    const repository = labels['runbookRepository']
    return {
      ...{ connection, file, repository },
      recorded: new Map(entries.map(([name, value]) => [name, String(value)])),
    }
  } catch (error) {
    throw clientFailure(error, oneLine(`cannot run session ${id} again`), account)
  }
}
