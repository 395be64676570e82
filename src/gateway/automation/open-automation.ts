import type { Logger } from '../../basics/logger.ts'
import type { History } from '../history/history.ts'
import type { Opened } from '../../basics/opened.ts'
import type { CurrentSettings } from '../settings/current-settings.ts'
import { Locks } from './locks/locks.ts'
import { SessionLocks } from './locks/session-locks.ts'
import { Webhooks } from './webhooks/webhooks.ts'

interface AutomationServices {
  readonly settings: CurrentSettings
  readonly history: History
  /** The page of a session. */
  readonly linkTo: (sid: string) => string
  readonly log: Logger
}

/** What runs one at a time, and who is told. Schedules come when sessions can begin: `openSchedules`. */
export function openAutomation(
  { settings, ...services }: AutomationServices,
  opened: Opened,
): { readonly locks: Locks; readonly turns: SessionLocks; readonly webhooks: Webhooks } {
  const locks = new Locks()
  return {
    locks,
    turns: new SessionLocks(locks, settings),
    webhooks: opened.own(new Webhooks({ ...services, current: settings })),
  }
}
