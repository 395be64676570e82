import { readConnections, readRunbooks, readSession, readSessions } from '../../api/gateway.ts'
import type { Connection, RunbookItem } from '../../api/types.ts'
import type { Values } from '../../form/parameters.ts'
import { NOT_RECORDED, recordedParameters } from './recorded.ts'

/** What the form begins with. */
export interface Opened {
  readonly item: RunbookItem
  /** Those on which the runbook can be run. */
  readonly connections: readonly Connection[]
  readonly chosen: string
  readonly values: Values
}

/** @param again the session whose parameters are taken @returns null where there is no such runbook */
export async function openRunbook(
  repository: string,
  file: string,
  again: string,
  signal: AbortSignal,
): Promise<Opened | null> {
  const [lists, connections, earlier, last] = await Promise.all([
    readRunbooks(signal),
    readConnections(signal),
    again === '' ? undefined : readSession(again, signal),
    lastConnection(file, signal),
  ])
  const items = lists.repositories.find((one) => one.repository === repository)?.items
  const item = items?.find(({ name }) => name === file)
  if (item === undefined) return null
  const possible = connections.filter(({ name }) => item.connections?.includes(name))
  const wanted = earlier?.connection ?? last
  const chosen =
    possible.find(({ name }) => name === wanted) ??
    possible.find(({ status }) => status === 'online') ??
    possible[0]
  const values = earlier === undefined ? {} : reusable(earlier.labels)
  return { item, connections: possible, chosen: chosen?.name ?? '', values }
}

/** Where it was run last, as far as the newest sessions say. */
async function lastConnection(file: string, signal: AbortSignal): Promise<string | undefined> {
  const { data } = await readSessions('limit=50&count=none', signal)
  return data.find(({ labels }) => labels['runbookFile'] === file)?.connection
}

/** Secret ones are not recorded, and have to be given again. */
function reusable(labels: Readonly<Record<string, string>>): Values {
  return Object.fromEntries(
    Object.entries(recordedParameters(labels)).filter(([, value]) => value !== NOT_RECORDED),
  )
}
