import { readConnections, readOwnSessions, readRunbooks, readSession } from '../../api/gateway.ts'
import type { Connection, ListedSession, RunbookItem, RunbookLists, Session } from '../../api/types.ts'
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
  /** The first run with which the runbook can be requested now. */
  readonly first: Session | undefined
}

/** Value of `again` that means the user's own last run of the runbook. */
const LAST = 'last'

/**
 * `again` is the id of the session whose parameters are used, or `last`; `first` is the id of the first run of a pair.
 * Returns null when there is no such runbook.
 */
export async function openRunbook(
  repository: string,
  file: string,
  { first, again }: { readonly first: string; readonly again: string },
  link: URLSearchParams,
  signal: AbortSignal,
): Promise<Opened | null> {
  const asked = first === '' ? again : first
  const [lists, connections, named, recent] = await Promise.all([
    readRunbooks(signal),
    readConnections(signal),
    asked === '' || asked === LAST ? undefined : readSession(asked, signal),
    readOwnSessions(signal),
  ])
  const found = itemOf(lists, repository, file)
  if (found === undefined) return null
  const last = recent.find(({ labels }) => labels?.['runbookFile'] === file)
  const earlier = asked === LAST && last !== undefined ? await wholeSession(last, signal) : named
  const possible = connections.filter(({ name }) => found.item.connections?.includes(name))
  const kept = asked === '' ? keptDraft(found.repository, file) : undefined
  const wanted = link.get('connection') ?? kept?.connection ?? (earlier ?? last)?.connection
  const chosen =
    possible.find(({ name }) => name === wanted) ??
    possible.find(({ status }) => status === 'online') ??
    possible[0]
  const begun = earlier === undefined ? kept?.values : reusable(earlier.labels)
  const values = { ...begun, ...linkedValues(link, found.item) }
  const isFirst = first !== '' && named?.second?.file === file
  return {
    ...found,
    connections: possible,
    chosen: chosen?.name ?? '',
    values,
    earlier: isFirst ? undefined : earlier,
    first: isFirst ? named : undefined,
  }
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
