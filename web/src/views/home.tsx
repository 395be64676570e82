import { readAgents, readRunbooks, readSchedules, readServer } from '../api/gateway.ts'
import { mayRun, person } from '../api/person.ts'
import type { ListedSchedule, ListedSession, RunbookLists } from '../api/types.ts'
import { runbookName } from '../parts/called.ts'
import { FavouriteButton, favourites } from '../parts/favourites.tsx'
import { Icon } from '../parts/icon.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Loading } from '../parts/messages.tsx'
import { Moment } from '../parts/moment.tsx'
import { Opened, type Load } from '../parts/opened.tsx'
import { runbookPath } from '../parts/paths.ts'
import { Name } from '../parts/text.tsx'
import { visible } from '../parts/visible.ts'
import { askedByMe, ownSessions, runningOfMine, waitingForMe } from '../shell/mine.tsx'
import { Card, Row, SessionRow } from './home/rows.tsx'
import { Tiles } from './home/tiles.tsx'

/** Not everybody is asked for approvals, so these rows are not in the page. */
const loadWaiting: Load = () => import('./approvals/waiting-list.tsx')

const loadExamples: Load = () => import('./home/examples.tsx')

const loadNeedsLook: Load = () => import('./home/needs-look.tsx')

/** Maximum number of entries per card. The link of the card shows all entries. */
const MAX_ROWS = 6

/** Figures, waiting requests, running sessions, what needs a look, and the runbooks that this person uses. */
export default function Home() {
  const titles = useTitles()
  const agents = useLoaded(readAgents, ['agents'])
  const schedules = useLoaded(readSchedules, ['schedules'])
  const next = (schedules.value ?? [])
    .filter(({ next_run: at, enabled, paused_at: paused }) => at !== null && enabled && paused === null)
    .toSorted((a, b) => String(a.next_run).localeCompare(String(b.next_run)))
  const waiting = waitingForMe.value
  const running = runningOfMine.value
  const asked = askedByMe.value
  const looked = { agents: agents.value, schedules: schedules.value, titles }
  return (
    <>
      <header class="head">
        <h1>
          Hello, <Name>{firstName(person.value?.name ?? '')}</Name>
        </h1>
        {mayRun() && (
          <a class="button is-primary push" href="/runbooks">
            <Icon name="run" />
            Run a runbook
          </a>
        )}
        <p>{summary(waiting.length, running.length)}</p>
      </header>
      {person.value?.is_admin === true && <ExamplesOfStart />}
      <Tiles agents={agents.value} />
      <div class="split">
        <div class="stack">
          {waiting.length > 0 && (
            <Card title="Waiting for you" all={['/approvals', 'All approvals']} isList={false}>
              <Opened load={loadWaiting} props={{ waiting, most: MAX_ROWS }} />
            </Card>
          )}
          {asked.length > 0 && (
            <Card title="Your requests" all={['/approvals', 'All approvals']}>
              {asked.slice(0, MAX_ROWS).map((session) => (
                <SessionRow key={session.id} session={session} />
              ))}
            </Card>
          )}
          <Card title="Running now" all={['/sessions', 'All sessions']} none="You have no running sessions.">
            {running.slice(0, MAX_ROWS).map((session) => (
              <SessionRow key={session.id} session={session} />
            ))}
          </Card>
          <Opened load={loadNeedsLook} props={looked} />
        </div>
        <div class="stack">
          <Yours titles={titles} />
          {next.length > 0 && (
            <Card title="Next schedules" all={['/schedules', 'All schedules']}>
              {next.slice(0, MAX_ROWS).map((schedule) => (
                <ScheduleRow key={schedule.name} schedule={schedule} titles={titles} />
              ))}
            </Card>
          )}
        </div>
      </div>
    </>
  )
}

/** A gateway with settings of its own has no examples, and then nothing is shown or loaded. */
function ExamplesOfStart() {
  const { value, reload } = useLoaded(readServer)
  return value?.has_examples === true ? <Opened load={loadExamples} props={{ onRemoved: reload }} /> : null
}

/** `Sue` for `sue.lindqvist@shop.example`. A name with digits is not a first name and stays unchanged. */
function firstName(name: string): string {
  const first = /^[A-Za-z]+(?=[._-]|@|$)/.exec(name)?.[0]
  return first === undefined ? name : first.charAt(0).toUpperCase() + first.slice(1)
}

function summary(waiting: number, running: number): string {
  const parts = [
    waiting > 0 && `${waiting} ${waiting === 1 ? 'request waits' : 'requests wait'} for your decision`,
    running > 0 && `${running} of your runs ${running === 1 ? 'is' : 'are'} still running`,
  ].filter((part) => part !== false)
  return parts.length === 0 ? 'Nothing waits for you.' : `${parts.join('; ')}.`
}

type Titles = ReadonlyMap<string, string>

function ScheduleRow({ schedule, titles }: { readonly schedule: ListedSchedule; readonly titles: Titles }) {
  const { runbook, connection, name, next_run: at } = schedule
  return (
    <Row
      icon="calendar"
      to={`/schedules?search=${encodeURIComponent(name)}`}
      title={titleOf(runbook, titles)}
      about={
        <>
          <Name>{name}</Name> on <Name>{connection}</Name>
        </>
      }
    >
      <span class="soft small">{at !== null && <Moment at={at} />}</span>
    </Row>
  )
}

function titleOf(file: string, titles: Titles): string {
  return runbookName(file, titles.get(file))
}

/** Shows the favourites, and then the runbooks that this person ran last. Each runbook is shown once. */
function Yours({ titles }: { readonly titles: Titles }) {
  const sessions = ownSessions.value
  if (sessions === undefined) return <Loading />
  const rows = new Map<
    string,
    { repository: string; file: string; session?: ListedSession; isMarked?: true }
  >()
  for (const { repository, file } of favourites.value) rows.set(file, { repository, file, isMarked: true })
  for (const session of sessions) {
    const { runbookRepository: repository, runbookFile: file } = session.labels ?? {}
    if (repository === undefined || file === undefined) continue
    const known = rows.get(file)
    if (known === undefined) rows.set(file, { repository, file, session })
    else known.session ??= session
  }
  if (rows.size === 0)
    return (
      <Empty
        icon="book"
        title="You have not run a runbook yet"
        actions={
          <a class="button" href="/runbooks">
            Look at the runbooks
          </a>
        }
      >
        The runbooks that you run or mark as favourites appear here.
      </Empty>
    )
  return (
    <Card title="Your runbooks" all={['/runbooks', 'All runbooks']}>
      {[...rows.values()].slice(0, MAX_ROWS + 2).map(({ repository, file, session, isMarked }) => (
        <Row
          key={file}
          icon={isMarked === true ? 'mark' : 'book'}
          to={runbookPath(repository, file)}
          title={titleOf(file, titles)}
          about={session === undefined ? visible(file) : <LastRun session={session} />}
        >
          <FavouriteButton {...{ repository, file }} title={visible(titleOf(file, titles))} />
          {session !== undefined && mayRun() && (
            <a
              class="button is-small above"
              href={`${runbookPath(repository, file)}?again=${encodeURIComponent(session.id)}`}
              aria-label={`Run again: ${visible(titleOf(file, titles))}`}
            >
              <Icon name="again" small />
              Run again
            </a>
          )}
        </Row>
      ))}
    </Card>
  )
}

function LastRun({ session }: { readonly session: ListedSession }) {
  const { connection, start_date: asked, began_at: began = null } = session
  return (
    <>
      on <Name>{connection}</Name> · {began === null && 'asked '}
      <Moment at={began ?? asked} />
    </>
  )
}

/** Returns the titles of runbooks by file. The map is empty when the list cannot be read. */
function useTitles(): Titles {
  const { value } = useLoaded(readRunbooks)
  return titlesIn(value)
}

function titlesIn(lists: RunbookLists | undefined): Titles {
  const items = lists?.repositories.flatMap(({ items: of }) => of) ?? []
  return new Map(items.flatMap(({ name, title }) => (title === undefined ? [] : [[name, title]])))
}
