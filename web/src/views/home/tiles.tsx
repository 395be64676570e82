import type { ComponentChildren } from 'preact'
import type { DaysAnswer } from '../../../../src/contract/sessions.ts'
import { ask } from '../../api/request.ts'
import type { Agent } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Moment } from '../../parts/moment.tsx'
import { Name } from '../../parts/text.tsx'
import { knownReviews } from '../../shell/mine.tsx'
import {
  awayOf,
  DAYS,
  isAway,
  percentText,
  pointsOf,
  runsOf,
  successesOf,
  waitsOf,
  waitText,
  type Line,
} from './figures.ts'

function readDays(signal: AbortSignal): Promise<DaysAnswer> {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const options = new URLSearchParams({ days: String(DAYS), time_zone: zone })
  return ask<DaysAnswer>('GET', `/api/sessions/by-day?${options.toString()}`, { signal })
}

/** Runs, success, waits and agents. A tile without anything to say is left out. */
export function Tiles({ agents }: { readonly agents: readonly Agent[] | undefined }) {
  const { value, error } = useLoaded(readDays, ['sessions'])
  const reviews = knownReviews.value
  const successes = value && successesOf(value.days)
  const waits = reviews && waitsOf(reviews, Date.now())
  if (value === undefined && error !== undefined) return null
  return (
    <section class="tiles" aria-label={`Last ${DAYS} days`}>
      <RunsTile days={value?.days} />
      {successes !== undefined && (
        <Tile
          title={
            <a class="whole" href="/sessions?status=failed">
              Succeeded in {DAYS} days
            </a>
          }
          value={percentText(successes.share)}
          note={successes.failed === 0 ? 'nothing has failed' : `${successes.failed} failed`}
        >
          <Spark line={successes.line} name="Share that succeeded" text={percentText} />
        </Tile>
      )}
      {waits !== undefined && (
        <Tile
          title={
            <a class="whole" href="/approvals">
              Wait for approval
            </a>
          }
          value={waitText(waits.medianMs)}
          note={waits.count === 1 ? 'one approval' : `half of ${waits.count} took less`}
        >
          <Spark line={waits.line} name="Wait for approval" text={waitText} />
        </Tile>
      )}
      {agents !== undefined && agents.length > 0 && <AgentsTile agents={agents} />}
    </section>
  )
}

function RunsTile({ days }: { readonly days: DaysAnswer['days'] | undefined }) {
  const title = (
    <a class="whole" href="/sessions">
      Runs today
    </a>
  )
  if (days === undefined) return <Tile title={title} value="…" note=" " />
  const { today, usual, line } = runsOf(days)
  return (
    <Tile title={title} value={today.toLocaleString()} note={`${usual.toLocaleString()} on an average day`}>
      <Spark line={line} name="Runs" text={(count) => count.toLocaleString()} />
    </Tile>
  )
}

function AgentsTile({ agents }: { readonly agents: readonly Agent[] }) {
  const [first, ...others] = awayOf(agents)
  const count = agents.filter(({ state }) => !isAway(state)).length
  return (
    <Tile
      title={
        <a class="whole" href="/agents">
          Agents
        </a>
      }
      value={`${count} of ${agents.length}`}
      note={
        first === undefined ? (
          'are connected'
        ) : (
          <>
            <Name>{first.name}</Name> {others.length > 0 && `and ${others.length} more `}
            {others.length > 0 ? 'are' : 'is'} away
            {others.length === 0 && first.left_at !== null && (
              <>
                , since <Moment at={first.left_at} />
              </>
            )}
          </>
        )
      }
    />
  )
}

interface TileProps {
  readonly title: ComponentChildren
  readonly value: string
  readonly note: ComponentChildren
  readonly children?: ComponentChildren
}

function Tile({ title, value, note, children = <span /> }: TileProps) {
  return (
    <div class="card tile">
      <p>{title}</p>
      <p class="tile-value">{value}</p>
      {children}
      <p>{note}</p>
    </div>
  )
}

interface SparkProps {
  readonly line: Line
  readonly name: string
  readonly text: (value: number) => string
}

/** A line over the days. People who do not see it hear the value of each day. */
function Spark({ line, name, text }: SparkProps) {
  const values = line.map((value) => (value === undefined ? 'none' : text(value))).join(', ')
  return (
    <svg
      class="spark"
      viewBox="0 0 96 32"
      role="img"
      aria-label={`${name} of the last ${line.length} days: ${values}`}
    >
      <polyline points={pointsOf(line)} stroke-linejoin="round" stroke-linecap="round" />
    </svg>
  )
}
