import { useCallback } from 'preact/hooks'
import { readConnections, readRunbooks, readSession, readSessions } from '../../api/gateway.ts'
import type { Connection, RunbookItem } from '../../api/types.ts'
import type { Values } from '../../form/parameters.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Problem } from '../../parts/messages.tsx'
import { query } from '../../parts/router.ts'
import { visible } from '../../parts/visible.ts'
import { RunbookForm } from './form.tsx'
import { NOT_RECORDED, recordedParameters } from './recorded.ts'

interface RunbookProps {
  readonly repository: string
  readonly rest: string
}

/** What the form begins with. */
export interface Opened {
  readonly item: RunbookItem
  /** Those on which the runbook can be run. */
  readonly connections: readonly Connection[]
  readonly chosen: string
  readonly values: Values
}

/** One runbook: its form, its preview, and the way to run it. */
export default function Runbook({ repository, rest: file }: RunbookProps) {
  const again = query.value.get('again') ?? ''
  const load = useCallback(
    (signal: AbortSignal) => open(repository, file, again, signal),
    [repository, file, again],
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <section class="view">
      <p class="back">
        <a href="/runbooks">All runbooks</a>
      </p>
      <h1>
        <bdi>{visible(file)}</bdi>
      </h1>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value === null && (
        <Empty>
          There is no such runbook for you. It may have been moved: <a href="/runbooks">look for it in the list</a>.
        </Empty>
      )}
      {value && <Opened repository={repository} opened={value} key={`${file} ${again}`} />}
    </section>
  )
}

function Opened({ repository, opened }: { readonly repository: string; readonly opened: Opened }) {
  const { item } = opened
  if (item.error !== null)
    return (
      <p class="problem" role="alert" dir="auto">
        This runbook cannot be run: {visible(item.error)}. Its file has to be corrected.
      </p>
    )
  return <RunbookForm repository={repository} opened={opened} />
}

async function open(
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
