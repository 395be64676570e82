import { existsSync } from 'node:fs'
import path from 'node:path'
import { claimFolder } from '../../../basics/files/private-path.ts'
import type { Logger } from '../../../basics/logger.ts'
import { Backups } from './backups.ts'
import { HISTORY_FILE } from './manifest.ts'
import { checkRestored } from './restore.ts'
import { Upkeep } from '../../history/disk/upkeep.ts'
import type { History } from '../../history/history.ts'
import { LAYOUT, openHistory } from '../../rooms.ts'
import { damageText, examineUnused } from '../../store/repair/examination.ts'
import { HistoryError } from '../../store/errors.ts'
import type { Opened } from '../../../basics/opened.ts'
import type { CurrentSettings } from '../../settings/current-settings.ts'

interface State {
  readonly history: History
  readonly upkeep: Upkeep
  readonly backups: Backups
}

/** Bound of the examination at the start: reading 10 GB takes a minute. `gateway --check` examines all of it. */
const EXAMINED_MS = 5000

/** The state folder, which from now on is this gateway's alone. @throws ForeignPathError, HistoryError */
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

/** Writing would damage a damaged history further. @throws HistoryError */
async function examine(file: string, log: Logger): Promise<void> {
  if (!existsSync(file)) return
  const health = await examineUnused(file, LAYOUT, { depth: 'quick', withinMs: EXAMINED_MS })
  if (health === undefined) return
  const { faults, unseen } = health
  if (faults.length > 0) throw new HistoryError(damageText(file, faults))
  if (unseen.length > 0)
    log.info(
      { seconds: EXAMINED_MS / 1000, notToTheEnd: unseen },
      'the history is too large to be examined whole at the start; gateway --check examines all of it',
    )
}
