import { readConnections, readOwnSessions, readRunbooks, readSession } from '../../api/gateway.ts'
import type { Connection, ListedSession, RunbookItem, RunbookLists } from '../../api/types.ts'
import { keptDraft, linkedValues } from '../../form/kept-draft.ts'
import type { Values } from '../../form/parameters.ts'
import { NOT_RECORDED, recordedParameters } from './recorded.ts'

/** Initial content of the form. */
export interface Opened {
  readonly repository: string
  readonly item: RunbookItem
  /** Connections on which the runbook can run. */
  readonly connections: readonly Connection[]
  readonly chosen: string
  readonly values: Values
  /** The earlier run whose values the form begins with. */
  readonly earlier: Pick<ListedSession, 'id' | 'user_name' | 'start_date' | 'labels'> | undefined
}

/** Value of `again` that means the user's own last run of the runbook. */
const LAST = 'last'

/**
 * `again` is the id of the session whose parameters are used, or `last`. Returns null when there is no such
 * runbook.
 */
export async function openRunbook(
  repository: string,
  file: string,
  again: string,
  link: URLSearchParams,
  signal: AbortSignal,
): Promise<Opened | null> {
  const [lists, connections, named, recent] = await Promise.all([
    readRunbooks(signal),
    readConnections(signal),
    again === '' || again === LAST ? undefined : readSession(again, signal),
    readOwnSessions(signal),
  ])
  const found = itemOf(lists, repository, file)
  if (found === undefined) return null
  const last = recent.find(({ labels }) => labels?.['runbookFile'] === file)
  const earlier = again === LAST && last !== undefined ? await wholeSession(last, signal) : named
  const possible = connections.filter(({ name }) => found.item.connections?.includes(name))
  const kept = again === '' ? keptDraft(found.repository, file) : undefined
  const wanted = link.get('connection') ?? kept?.connection ?? (earlier ?? last)?.connection
  const chosen =
    possible.find(({ name }) => name === wanted) ??
    possible.find(({ status }) => status === 'online') ??
    possible[0]
  const begun = earlier === undefined ? kept?.values : reusable(earlier.labels)
  const values = { ...begun, ...linkedValues(link, found.item) }
  return { ...found, connections: possible, chosen: chosen?.name ?? '', values, earlier }
}

/** Loads what a list has left out. */
async function wholeSession(session: ListedSession, signal: AbortSignal) {
  return session.is_shortened === true ? await readSession(session.id, signal) : session
}

/**
 * Finds the runbook in the list. A link may contain the repository's name from gateway.yaml, which the list
 * does not have. In this case the file is searched in all repositories.
 */
function itemOf({ repositories }: RunbookLists, repository: string, file: string) {
  const all = repositories.flatMap(({ repository: key, items }) =>
    items.filter(({ name }) => name === file).map((item) => ({ repository: key, item })),
  )
  return all.find(({ repository: key }) => key === repository) ?? (all.length === 1 ? all[0] : undefined)
}

/** Returns the recorded parameters. Secret values are not recorded, so the user must type them again. */
function reusable(labels: ListedSession['labels']): Values {
  return Object.fromEntries(
    Object.entries(recordedParameters(labels)).filter(([, value]) => value !== NOT_RECORDED),
  )
}
