import path from 'node:path'
import { claimFolder } from '../../../basics/files/private-path.ts'
import type { Logger } from '../../../basics/logger.ts'
import { Backups } from './backups.ts'
import { HISTORY_FILE } from './manifest.ts'
import { checkRestored } from './restore.ts'
import { Upkeep } from '../../history/disk/upkeep.ts'
import { History } from '../../history/history.ts'
import type { Opened } from '../../../basics/opened.ts'
import type { CurrentSettings } from '../../settings/current-settings.ts'

interface State {
  readonly history: History
  readonly upkeep: Upkeep
  readonly backups: Backups
}

/** The state folder, which from now on is this gateway's alone. @throws ForeignPathError, HistoryError */
export function openState(
  settings: CurrentSettings,
  { log, version }: { readonly log: Logger; readonly version: string },
  opened: Opened,
): State {
  const { state } = settings.value
  claimFolder(state)
  checkRestored(state)
  const retention = () => settings.value.history
  const failing = (what: string) => (error: Error) => log.error({ error: error.message }, what)
  const onError = failing('history')
  const history = opened.own(History.open(path.join(state, HISTORY_FILE), { onError, retention }))
  return {
    history,
    upkeep: opened.own(new Upkeep(history, retention, log)),
    backups: opened.own(new Backups(state, version, failing('the copy of a backup cannot be removed'))),
  }
}
