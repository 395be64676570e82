import type { ComponentChildren } from 'preact'
import { readSessions } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import { ask } from '../../api/request.ts'
import type { Agent, ListedBatch, ListedSchedule, ListedSession } from '../../api/types.ts'
import { runbookName } from '../../parts/called.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { AgentState } from '../../parts/agent-state.tsx'
import { Moment } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { isBad } from '../sessions/state.tsx'
import { awayOf } from './figures.ts'
import { Card, Row, SessionRow } from './rows.tsx'

/** Rows of the card. Causes come before the runs that failed for them, so that they are always seen. */
const MAX_ROWS = 10

interface NeedsLookProps {
  readonly agents: readonly Agent[] | undefined
  readonly schedules: readonly ListedSchedule[] | undefined
  readonly titles: ReadonlyMap<string, string>
}

/** Agents that are away, broken schedules, and batches and runs that have failed since yesterday. */
export default function NeedsLook({ agents = [], schedules = [], titles }: NeedsLookProps) {
  const batches = (useLoaded(readBatches, ['batches']).value ?? []).filter(isBadBatch)
  const failed = useLoaded(readFailed, ['sessions']).value ?? []
  const broken = schedules.filter(isBroken)
  const told = new Set([...batches.map(({ id }) => id), ...broken.map(({ name }) => name)])
  const alone = failed.filter(
    ({ session_batch_id: batch = '', labels }) =>
      !told.has(batch) && !told.has(labels?.['runbookSchedule'] ?? ''),
  )
  const rows = [
    ...awayOf(agents).map((agent) => <AgentRow key={`agent ${agent.name}`} agent={agent} />),
    ...broken.map((one) => <ScheduleRow key={`schedule ${one.name}`} schedule={one} titles={titles} />),
    ...batches.map((batch) => <BatchRow key={batch.id} batch={batch} />),
    ...alone.map((session) => (
      <SessionRow key={session.id} session={session} isOthers={session.user !== person.value?.name} />
    )),
  ]
  return (
    <Card
      title="Needs a look"
      all={['/sessions?status=failed', 'All failed runs']}
      none="Nothing has failed since yesterday, and no agent is away."
    >
      {rows.slice(0, MAX_ROWS)}
    </Card>
  )
}

/** The beginning of yesterday. */
function yesterday(): Date {
  const day = new Date()
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - 1)
}

async function readFailed(signal: AbortSignal): Promise<readonly ListedSession[]> {
  const asked = new URLSearchParams({
    ...{ status: 'failed', start_date: yesterday().toISOString(), limit: '50', count: 'none' },
  })
  return (await readSessions(asked.toString(), signal)).data.filter(isBad)
}

const readBatches = (signal: AbortSignal) => ask<ListedBatch[]>('GET', '/api/batches', { signal })

/** People know of a batch that they have stopped or rejected. */
function isBadBatch({ status, stop, counts, created_at: at }: ListedBatch): boolean {
  if (new Date(at) < yesterday() || (status !== 'done' && status !== 'stopped')) return false
  const isStopped = stop !== null && stop.reason !== 'user' && stop.reason !== 'rejected'
  return isStopped || counts.failed > 0
}

function isBroken({ enabled, paused_at: paused, problem, last_run: last }: ListedSchedule): boolean {
  return enabled && paused === null && (problem !== null || last?.status === 'failed')
}

function AgentRow({ agent: { name, state, left_at: left, connections } }: { readonly agent: Agent }) {
  const count = connections.length
  return (
    <Row
      icon="agent"
      to={`/agents?search=${encodeURIComponent(name)}`}
      title={name}
      about={
        <>
          {left === null ? (
            'agent has not connected since the start of the gateway'
          ) : (
            <>
              agent away since <Moment at={left} />
            </>
          )}{' '}
          · {count === 1 ? '1 connection' : `${count} connections`}
        </>
      }
    >
      <AgentState state={state} />
    </Row>
  )
}

function ScheduleRow({
  schedule,
  titles,
}: {
  readonly schedule: ListedSchedule
  readonly titles: ReadonlyMap<string, string>
}) {
  const { name, runbook, problem, last_run: last } = schedule
  const code = last?.exit_code ?? null
  return (
    <Row
      icon="calendar"
      to={`/schedules?search=${encodeURIComponent(name)}`}
      title={runbookName(runbook, titles.get(runbook))}
      about={
        <>
          schedule <Name>{name}</Name>
          {last !== null && (
            <>
              {' '}
              · <Moment at={last.at} />
            </>
          )}
          <Reason>{problem ?? last?.reason ?? undefined}</Reason>
        </>
      }
    >
      <State kind="failed">
        {problem === null ? `failed${code === null ? '' : ` (${code})`}` : 'cannot run'}
      </State>
    </Row>
  )
}

function Reason({ children }: { readonly children: string | undefined }): ComponentChildren {
  return children === undefined ? null : (
    <>
      {' '}
      · <Name>{children}</Name>
    </>
  )
}

function BatchRow({ batch }: { readonly batch: ListedBatch }) {
  const { id, file_name: file, runbook_title: title, owner, counts, stop, created_at: at } = batch
  const { failed, total } = counts
  return (
    <Row
      icon="waves"
      to={batchPath(id)}
      title={runbookName(file, title)}
      about={
        <>
          by <Name>{owner}</Name> · <Moment at={at} />
          {stop !== null && ` · batch stopped, ${counts.not_begun} not begun`}
        </>
      }
    >
      <State kind={failed > 0 ? 'failed' : 'stopped'}>
        {failed > 0 ? `${failed} of ${total} failed` : 'stopped'}
      </State>
    </Row>
  )
}
