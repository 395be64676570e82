import './schedules.css'
import { changeSchedule, readSchedules, runSchedule } from '../api/gateway.ts'
import { mayRun, person } from '../api/person.ts'
import type { ListedSchedule, ScheduleRun } from '../api/types.ts'
import { useAction } from '../parts/action.ts'
import { Icon, type IconName } from '../parts/icon.tsx'
import { ListView } from '../parts/lists/list-view.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Problem } from '../parts/messages.tsx'
import { Moment } from '../parts/moment.tsx'
import { sessionPath } from '../parts/paths.ts'
import { State, type StateKind } from '../parts/state.tsx'
import { Name } from '../parts/text.tsx'
import { toast } from '../parts/toasts.tsx'
import { visible } from '../parts/visible.ts'

export default function Schedules() {
  const schedules = useLoaded(readSchedules, ['schedules'])
  return (
    <ListView
      title="Schedules"
      about="Runbooks that run at set times. You can pause, resume and run schedules here. They are set in gateway.yaml: New schedule writes the lines for you to copy into that file."
      items={schedules}
      textOf={({ name, runbook, connection, as }) => `${name} ${runbook} ${connection} ${as}`}
      columns={['Name', 'State', 'Next run', 'Last runs', '']}
      actions={
        <a class="button" href="/schedules/new">
          <Icon name="plus" />
          New schedule
        </a>
      }
      row={(schedule) => <Row key={schedule.name} schedule={schedule} reload={schedules.reload} />}
      none={
        <Empty
          icon="calendar"
          title="No schedule is set up yet"
          actions={
            <a class="button is-primary" href="/schedules/new">
              <Icon name="plus" />
              New schedule
            </a>
          }
        >
          Choose a runbook, a connection and a time. The page writes the lines for gateway.yaml.
        </Empty>
      }
    />
  )
}

function toldRun(name: string, { status, reason, session_id: session }: ScheduleRun): void {
  if (session === null)
    toast(visible(`${name} could not run: ${reason ?? status}`), { tone: 'bad', icon: 'alert' })
  else
    toast(status === 'waiting' ? `${name} waits for approval` : `${name} runs`, { to: sessionPath(session) })
}

interface RowProps {
  readonly schedule: ListedSchedule
  readonly reload: () => void
}

function Row({ schedule, reload }: RowProps) {
  const { name, connection, runbook, as, problem } = schedule
  const does = `${runbook} on ${connection} as ${as}`
  return (
    <tr>
      <th scope="row" class="schedule-name">
        <span id={`schedule-${name}`}>
          <Name>{name}</Name>
        </span>
        <span class="under" title={visible(problem === null ? does : `${problem}\n${does}`)}>
          {problem !== null && (
            <span class="is-bad schedule-problem" dir="auto">
              <Icon name="alert" small /> {visible(problem)}
            </span>
          )}
          <Name>{runbook}</Name> on <Name>{connection}</Name> as <Name>{as}</Name>
        </span>
      </th>
      <td class="schedule-state">
        <ScheduleState schedule={schedule} />
      </td>
      <td class="schedule-next" data-name="Next run">
        <NextRun schedule={schedule} />
      </td>
      <td class="schedule-last" data-name={schedule.last_runs.length === 0 ? undefined : 'Last runs'}>
        <LastRuns schedule={schedule} />
      </td>
      <td>
        <Actions schedule={schedule} reload={reload} />
      </td>
    </tr>
  )
}

function ScheduleState({ schedule }: { readonly schedule: ListedSchedule }) {
  const { enabled, paused_at: at, paused_by: by, problem, last_run: last } = schedule
  if (!enabled) return <State kind="off">switched off</State>
  if (at !== null)
    return (
      <>
        <State kind="paused" />
        <span class="under">
          {by !== null && (
            <>
              by <Name>{by}</Name>,{' '}
            </>
          )}
          <Moment at={at} />
        </span>
      </>
    )
  if (problem !== null) return <State kind="failed">cannot run</State>
  return last?.status === 'failed' ? (
    <State kind="failed">failing</State>
  ) : (
    <State kind="online">active</State>
  )
}

/** The rule is cut on wide screens, so its title has it whole, with the times after the next one. */
function NextRun({ schedule: { cron, timezone, next_runs: times } }: Pick<RowProps, 'schedule'>) {
  const [next, ...later] = times
  const rule = `${cron} (${timezone})`
  const then = later.map((at) => `\nthen ${new Date(at).toLocaleString()}`).join('')
  return (
    <>
      {next === undefined ? <span class="soft">none</span> : <Moment at={next} />}
      <span class="under" title={visible(`${rule}${then}`)}>
        <code>{visible(cron)}</code> ({visible(timezone)})
      </span>
    </>
  )
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

/**
 * Shows the newest run in words, and older runs as icons that link to their sessions. The reason of the newest run is
 * left out if the schedule cannot run: then its problem says why.
 */
function LastRuns({ schedule: { last_runs: runs, problem } }: Pick<RowProps, 'schedule'>) {
  const [last, ...before] = runs
  if (last === undefined) return <span class="soft">has not run yet</span>
  const reason = problem === null ? last.reason : null
  return (
    <>
      <LastRun run={last} />
      {(before.length > 0 || reason !== null) && (
        <span class="line schedule-runs">
          {before.length > 0 && (
            <span>
              <span class="said-only">before</span>
              {before.map((run) => (
                <EarlierRun key={run.id} run={run} />
              ))}
            </span>
          )}
          {reason !== null && (
            <span class="under" dir="auto" title={visible(reason)}>
              {visible(reason)}
            </span>
          )}
        </span>
      )}
    </>
  )
}

const ICONS: Readonly<Record<ScheduleRun['status'], IconName>> = {
  starting: 'spin',
  waiting: 'wait',
  approved: 'check',
  running: 'spin',
  success: 'check',
  failed: 'cross',
  skipped: 'skip',
}

function EarlierRun({ run: { at, status, session_id: session } }: { readonly run: ScheduleRun }) {
  const label = `${status}, ${new Date(at).toLocaleString()}`
  const tone = status === 'failed' ? 'is-bad' : status === 'success' ? 'is-good' : 'soft'
  if (session === null)
    return (
      <span class={tone} role="img" aria-label={label} title={label}>
        <Icon name={ICONS[status]} small />
      </span>
    )
  return (
    <a class={tone} href={sessionPath(session)} aria-label={label} title={label}>
      <Icon name={ICONS[status]} small />
    </a>
  )
}

function LastRun({ run: { at, status, session_id: session } }: { readonly run: ScheduleRun }) {
  const state = <State kind={KINDS[status]}>{status === 'success' ? 'succeeded' : status}</State>
  return (
    <span class="line schedule-run">
      {session === null ? state : <a href={sessionPath(session)}>{state}</a>}
      <span class="soft small">
        <Moment at={at} />
      </span>
    </span>
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
        onClick={() => act(() => runSchedule(name).then((run) => toldRun(name, run)))}
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
          onClick={() => act(() => changeSchedule(name, what).then(() => toast(`${name} is ${what}d`)))}
        >
          <Icon name={paused === null ? 'pause' : 'run'} small />
          {paused === null ? 'Pause' : 'Resume'}
        </button>
      )}
      {error !== undefined && <Problem error={error} />}
    </div>
  )
}
