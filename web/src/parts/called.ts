import type { ListedSession, Review } from '../api/types.ts'
import { shortName } from './paths.ts'

/**
 * Returns the title of a runbook. Without a title, returns a name from the file's path, such as
 * `refund-order`.
 */
export function runbookName(file: string, title: string | undefined): string {
  return title ?? shortName(file)
}

type Named = Pick<ListedSession, 'labels' | 'verb' | 'runbook_title'> & Partial<Pick<ListedSession, 'port'>>

/** Returns the runbook's file, or undefined for a script or a terminal. */
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

/** Returns the runbook's name, or undefined for a script or a terminal. */
export function reviewedName({ runbook }: Pick<Review, 'runbook'>): string | undefined {
  return runbook && runbookName(runbook.file, runbook.title)
}

/** The tool by which a machine began a session or a request, and what its client says that it is. */
export function machineText({ tool, client }: { readonly tool: string; readonly client: string }): string {
  return client === '' ? tool : `${tool} (its client says: ${client})`
}
