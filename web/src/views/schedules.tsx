import { changeSchedule, readSchedules, runSchedule } from '../api/gateway.ts'
import { mayRun, person } from '../api/person.ts'
import type { ListedSchedule, ScheduleRun } from '../api/types.ts'
import { useAction } from '../parts/action.ts'
import { Icon } from '../parts/icon.tsx'
import { ListView } from '../parts/lists/list-view.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Problem } from '../parts/messages.tsx'
import { Moment } from '../parts/moment.tsx'
import { sessionPath } from '../parts/paths.ts'
import { State, type StateKind } from '../parts/state.tsx'
import { Name } from '../parts/text.tsx'
import { visible } from '../parts/visible.ts'

/** What runs by itself, and when. */
export default function Schedules() {
  const schedules = useLoaded(readSchedules, ['schedules'])
  return (
    <ListView
      title="Schedules"
      about="Runbooks that run by themselves. Schedules are set in gateway.yaml; here they are paused, resumed and run."
      items={schedules}
      textOf={({ name, runbook, connection, as }) => `${name} ${runbook} ${connection} ${as}`}
      columns={['Name', 'State', 'Next run', 'Last run', '']}
      row={(schedule) => <Row key={schedule.name} schedule={schedule} reload={schedules.reload} />}
      none={
        <Empty icon="calendar" title="Nothing runs by itself">
          Add a schedule to gateway.yaml, under <code>schedules</code>: a runbook, a connection, and a time
          such as <code>30 2 * * *</code>.
        </Empty>
      }
    />
  )
}

interface RowProps {
  readonly schedule: ListedSchedule
  readonly reload: () => void
}

function Row({ schedule, reload }: RowProps) {
  const { name, cron, timezone, connection, runbook, next_run: next, last_run: last, problem } = schedule
  return (
    <tr>
      <th scope="row">
        <span id={`schedule-${name}`}>
          <Name>{name}</Name>
        </span>
        <span class="under">
          <Name>{runbook}</Name> on <Name>{connection}</Name> as <Name>{schedule.as}</Name>
        </span>
        {problem !== null && (
          <span class="under is-bad" dir="auto">
            <Icon name="alert" small /> {visible(problem)}
          </span>
        )}
      </th>
      <td>
        <ScheduleState schedule={schedule} />
      </td>
      <td data-name="Next run">
        {next === null ? 'none' : <Moment at={next} />}
        <span class="under">
          <code>{visible(cron)}</code> ({visible(timezone)})
        </span>
      </td>
      <td data-name={last === null ? undefined : 'Last run'}>{last !== null && <LastRun run={last} />}</td>
      <td>
        <Actions schedule={schedule} reload={reload} />
      </td>
    </tr>
  )
}

function ScheduleState({ schedule: { enabled, paused_at: paused } }: { readonly schedule: ListedSchedule }) {
  if (!enabled) return <State kind="off">switched off</State>
  return paused === null ? <State kind="queued">waits for its time</State> : <State kind="paused" />
}

const KINDS = {
  starting: 'running',
  waiting: 'waiting',
  approved: 'approved',
  running: 'running',
  success: 'succeeded',
  failed: 'failed',
  skipped: 'skipped',
} as const satisfies Readonly<Record<ScheduleRun['status'], StateKind>>

function LastRun({ run }: { readonly run: ScheduleRun }) {
  const { at, status, reason, session_id: session } = run
  const word = status === 'success' ? 'succeeded' : status
  return (
    <>
      {session === null ? (
        <State kind={KINDS[status]}>{word}</State>
      ) : (
        <a href={sessionPath(session)}>
          <State kind={KINDS[status]}>{word}</State>
        </a>
      )}
      <span class="under">
        <Moment at={at} />
        {reason !== null && <span dir="auto"> ({visible(reason)})</span>}
      </span>
    </>
  )
}

function Actions({ schedule, reload }: RowProps) {
  const { busy, error, act } = useAction(reload)
  const { name, paused_at: paused, enabled } = schedule
  const mayAct = mayRun() && (schedule.as === person.value?.name || person.value?.is_admin === true)
  if (!mayAct) return null
  const what = paused === null ? 'pause' : 'resume'
  return (
    <div class="line row-actions">
      <button
        type="button"
        class="button is-small"
        disabled={busy}
        aria-describedby={`schedule-${name}`}
        onClick={() => act(() => runSchedule(name))}
      >
        <Icon name="run" small />
        Run now
      </button>
      {enabled && (
        <button
          type="button"
          class="button is-small"
          disabled={busy}
          aria-describedby={`schedule-${name}`}
          onClick={() => act(() => changeSchedule(name, what))}
        >
          <Icon name={paused === null ? 'pause' : 'run'} small />
          {paused === null ? 'Pause' : 'Resume'}
        </button>
      )}
      {error !== undefined && <Problem error={error} />}
    </div>
  )
}
