import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import type { Logger } from '../../basics/logger.ts'
import type { History } from '../history/history.ts'
import type { NewSession } from '../history/session.ts'
import { HistoryError } from '../store/errors.ts'
import type { OrphanedIssue } from './issue-rows.ts'

/**
 * Shows what gateways before this one have asked Jira for and have not begun, each as a session that has not run. So
 * nobody has to guess whose an issue is. What cannot be written now is shown after the next start.
 * @param gateway that asks
 */
export function showOrphanedIssues({ history, log }: Services, gateway: string): void {
  trying(log, () => {
    for (const orphan of history.read(({ issues }) => issues.orphans(gateway)))
      trying(log, () => {
        adopt(history, orphan)
        const { session: sid, key: issue, project } = orphan
        log.warn({ sid, issue, project }, 'a gateway has stopped between a Jira issue and its session')
      })
  })
}

interface Services {
  readonly history: History
  readonly log: Logger
}

function trying(log: Logger, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error
    log.error({ error: error.message }, 'a Jira issue without a session could not be shown')
  }
}

function adopt(history: History, orphan: OrphanedIssue): void {
  const { session: id, askedAt, request } = orphan
  const startedAt = new Date(askedAt)
  // JSON that tickets.ts has written.
  const told = JSON.parse(request) as Omit<NewSession, 'id' | 'script' | 'startedAt'>
  history.begin({ ...told, id, script: Buffer.alloc(0), startedAt })
  history.append(id, 'e', Buffer.from(textOf(orphan)), 0)
  history.finish(id, { exitCode: NO_EXIT_CODE, truncatedBytes: 0, endedAt: startedAt })
}

function textOf({ key, project, askedAt }: OrphanedIssue): string {
  if (key !== null) return `gateway stopped before the session began: nothing has run. Its issue is ${key}`
  const when = new Date(askedAt).toISOString()
  return `gateway stopped while it asked Jira for an issue: nothing has run. There may be one in ${project}, of ${when}`
}
