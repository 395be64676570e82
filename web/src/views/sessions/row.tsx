import type { ListedSession } from '../../api/types.ts'
import { fileOf, machineText, sessionName } from '../../parts/called.ts'
import { Icon } from '../../parts/icon.tsx'
import { Elapsed, Moment } from '../../parts/moment.tsx'
import { batchPath, sessionPath } from '../../parts/paths.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { NOT_RECORDED, recordedParameters } from '../runbooks/recorded.ts'
import { dayText } from './day-text.ts'
import { placeOfSession } from './place.ts'
import { StateBadge } from './state.tsx'

type Group = NonNullable<ListedSession['group']>

interface RowProps {
  readonly session: ListedSession
  readonly isChosen: boolean
  readonly onChoose: (id: string, isChosen: boolean) => void
}

/** A session, or the sessions that have one row together. */
export function Row({ session, isChosen, onChoose }: RowProps) {
  const { group } = session
  return group === undefined ? (
    <SingleRow session={session} isChosen={isChosen} onChoose={onChoose} />
  ) : (
    <GroupRow session={session} group={group} />
  )
}

/** The reason of a state, which is after a comma, is in the title. */
function SingleRow({ session, isChosen, onChoose }: RowProps) {
  const { id, user, state, start_date: start, began_at: began = null, end_date: end } = session
  const title = sessionName(session)
  return (
    <div class="listed">
      <input
        type="checkbox"
        aria-label={`Compare ${visible(title)} of ${start}`}
        checked={isChosen}
        onChange={(event) => onChoose(id, event.currentTarget.checked)}
      />
      <What session={session} to={sessionPath(id)} title={title} />
      <span class="listed-state" title={visible(state.text)}>
        <StateBadge state={{ ...state, text: state.text.replace(/, .*/s, '') }} />
      </span>
      <Place text={placeOfSession(session)} />
      <span class="listed-user">
        <Name>{user}</Name>
        {session.machine !== undefined && (
          <span class="under" title={visible(machineText(session.machine))}>
            AI agent
          </span>
        )}
      </span>
      <span class="listed-time number">
        <Moment at={start} />
      </span>
      <span class="listed-took number">
        {began !== null && end !== null && <Elapsed from={began} to={end} />}
      </span>
    </div>
  )
}

interface GroupRowProps {
  readonly session: ListedSession
  readonly group: Group
}

/** The chevron opens the list of the sessions. The name of a batch opens the batch. */
function GroupRow({ session, group }: GroupRowProps) {
  const { kind, name, count, is_run: isRun, last_date: last, began_at: began, end_date: end } = group
  const title = sessionName(session)
  const all = sessionsOfGroup(group)
  const isBatch = kind === 'batch'
  return (
    <div class="listed is-group">
      <a
        class="listed-unfold"
        href={all}
        aria-label={`Show the ${count} sessions of ${visible(title)}`}
        title={`Show the ${count} sessions`}
      >
        <Icon name="chevron" small />
      </a>
      <What
        session={session}
        to={isBatch && isRun ? batchPath(name) : all}
        title={title}
        note={isBatch ? 'batch' : name}
      />
      <span class="listed-state">
        <GroupState group={group} />
      </span>
      <Place text={isBatch ? `${count} runs` : session.connection} />
      <span class="listed-user">
        <Name>{session.user}</Name>
      </span>
      <span class="listed-time number">
        <Moment at={last} />
      </span>
      <span class="listed-took number">
        {isBatch && began !== null && end !== null && <Elapsed from={began} to={end} />}
      </span>
    </div>
  )
}

/** The address of the list with the sessions of a row, each in a row of its own. */
function sessionsOfGroup({ kind, name, first_date: first, last_date: last }: Group): string {
  if (kind === 'batch') return `/sessions?${new URLSearchParams({ batch: name }).toString()}`
  const days = { from: dayText(new Date(first)), to: dayText(new Date(last)) }
  return `/sessions?${new URLSearchParams({ schedule: name, ...days }).toString()}`
}

/** Says how many of the sessions have succeeded. */
function GroupState({
  group: { count, open, succeeded, failed, stopped, rejected },
}: {
  readonly group: Group
}) {
  const others = [
    [open, 'open'],
    [failed, 'failed'],
    [stopped, 'stopped'],
    [rejected, 'rejected'],
  ] as const
  const some = others.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`)
  return (
    <span title={[`${succeeded} succeeded`, ...some].join(', ')}>
      <State kind={kindOfGroup({ open, failed, stopped, rejected })}>
        {succeeded} of {count}
        <span class="said-only"> succeeded{some.length > 0 && `, ${some.join(', ')}`}</span>
      </State>
    </span>
  )
}

function kindOfGroup({
  open,
  failed,
  stopped,
  rejected,
}: Pick<Group, 'open' | 'failed' | 'stopped' | 'rejected'>) {
  if (open > 0) return 'running'
  if (failed > 0) return 'failed'
  if (rejected > 0) return 'rejected'
  return stopped > 0 ? 'stopped' : 'succeeded'
}

function Place({ text }: { readonly text: string }) {
  return (
    <span class="listed-place">
      <Name>{text}</Name>
    </span>
  )
}

interface WhatProps {
  readonly session: ListedSession
  readonly to: string
  readonly title: string
  /** What the row stands for, behind the title. */
  readonly note?: string
}

/** The title, and the values or the first line in the rest of the line. */
function What({ session, to, title, note }: WhatProps) {
  const file = fileOf(session)
  return (
    <div class="listed-what">
      <a class="strong" href={to} title={file === undefined ? undefined : visible(file)}>
        <Name>{title}</Name>
      </a>
      {note !== undefined && <span class="listed-note soft small">{visible(note)}</span>}
      <Given session={session} />
    </div>
  )
}

/** Shows the values of a runbook's parameters, or the first line of a script. */
function Given({ session: { labels, script_line: line } }: { readonly session: ListedSession }) {
  const values = Object.entries(recordedParameters(labels)).filter(
    ([, value]) => value !== '' && value !== NOT_RECORDED,
  )
  if (line !== undefined && line !== '')
    return (
      <code class="listed-values" title={visible(line)}>
        {visible(line)}
      </code>
    )
  if (values.length === 0) return null
  return (
    <span class="listed-values">
      {values.map(([name, value]) => (
        <span key={name}>
          <bdi class="value" title={visible(`${name}: ${value}`)}>
            {visible(value)}
          </bdi>{' '}
        </span>
      ))}
    </span>
  )
}
