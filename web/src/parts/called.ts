import type { ListedSession, Review } from '../api/types.ts'
import { shortName } from './paths.ts'

/** Returns `refund-order` for the file of a runbook without a title. */
export function runbookName(file: string, title: string | undefined): string {
  return title ?? shortName(file)
}

type Named = Pick<ListedSession, 'labels' | 'verb' | 'runbook_title'> & Partial<Pick<ListedSession, 'port'>>

/** Returns undefined for a script or a terminal. */
export function fileOf({ labels }: Pick<ListedSession, 'labels'>): string | undefined {
  return labels?.['runbookFile']
}

export function sessionName(session: Named): string {
  const { verb, runbook_title: title, port } = session
  const file = fileOf(session)
  if (file !== undefined) return runbookName(file, title)
  if (port === true) return 'Native clients'
  return verb === 'connect' ? 'Terminal' : 'Script'
}

/** Returns undefined for a script or a terminal. */
export function reviewedName({ runbook }: Pick<Review, 'runbook'>): string | undefined {
  return runbook && runbookName(runbook.file, runbook.title)
}
