import { changeSchedule, readSchedules, runSchedule } from '../api/gateway.ts'
import { mayRun, person } from '../api/person.ts'
import type { ListedSchedule, ScheduleRun } from '../api/types.ts'
import { useAction } from '../parts/action.ts'
import { CardList } from '../parts/lists/card-list.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Problem } from '../parts/messages.tsx'
import { Moment } from '../parts/moment.tsx'
import { sessionPath } from '../parts/paths.ts'
import { Name } from '../parts/text.tsx'
import { visible } from '../parts/visible.ts'

/** What runs by itself, and when. */
export default function Schedules() {
  const schedules = useLoaded(readSchedules, ['schedules'])
  return (
    <CardList
      title="Schedules"
      items={schedules}
      keyOf={({ name }) => name}
      card={(schedule) => <Card schedule={schedule} reload={schedules.reload} />}
      none={
        <>
          Nothing runs by itself. Schedules stand in gateway.yaml, under <code>schedules</code>.
        </>
      }
    />
  )
}

interface CardProps {
  readonly schedule: ListedSchedule
  readonly reload: () => void
}

function Card({ schedule, reload }: CardProps) {
  const { name, cron, timezone, connection, runbook, next_run: next, last_run: last, problem } = schedule
  return (
    <>
      <h2>
        <Name>{name}</Name> <Badge schedule={schedule} />
      </h2>
      <p>
        <Name>{runbook}</Name> on <Name>{connection}</Name> as <Name>{schedule.as}</Name>
      </p>
      <p class="hint">
        <code>{visible(cron)}</code> ({visible(timezone)})
        {next !== null && (
          <>
            {' '}
            · next <Moment at={next} />
          </>
        )}
      </p>
      {problem !== null && (
        <p class="warning" dir="auto">
          {visible(problem)}
        </p>
      )}
      {last !== null && <LastRun run={last} />}
      <Actions schedule={schedule} reload={reload} />
    </>
  )
}

function Badge({ schedule: { enabled, paused_at: paused } }: { readonly schedule: ListedSchedule }) {
  if (!enabled) return <span class="badge badge-offline">switched off</span>
  return paused === null ? null : <span class="badge badge-waiting">paused</span>
}

function LastRun({ run }: { readonly run: ScheduleRun }) {
  const { at, status, reason, session_id: session } = run
  return (
    <p class="hint">
      last <Moment at={at} />: {session === null ? status : <a href={sessionPath(session)}>{status}</a>}
      {reason !== null && <span dir="auto"> ({visible(reason)})</span>}
    </p>
  )
}

function Actions({ schedule, reload }: CardProps) {
  const { busy, error, act } = useAction(reload)
  const { name, paused_at: paused, enabled } = schedule
  const mayAct = mayRun() && (schedule.as === person.value?.name || person.value?.is_admin === true)
  if (!mayAct) return null
  return (
    <div class="actions">
      <button disabled={busy} onClick={() => act(() => runSchedule(name))}>
        Run now
      </button>
      {enabled && (
        <button
          disabled={busy}
          onClick={() => act(() => changeSchedule(name, paused === null ? 'pause' : 'resume'))}
        >
          {paused === null ? 'Pause' : 'Resume'}
        </button>
      )}
      {error !== undefined && <Problem error={error} />}
    </div>
  )
}
