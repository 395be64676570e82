import { useEffect, useRef } from 'preact/hooks'
import type { Session } from '../../api/types.ts'
import { lineInAddress } from '../../output/line-link.ts'
import { Icon, type IconName } from '../../parts/icon.tsx'
import { Empty, Loading, Note } from '../../parts/messages.tsx'
import { Opened } from '../../parts/opened.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { go, query } from '../../parts/router.ts'
import { Name } from '../../parts/text.tsx'
import { visibleLines } from '../../parts/visible.ts'
import type { ResultTable } from '../../result/table.ts'
import { downloadName } from './file-name.ts'
import { PastTerminal } from './past-terminal.tsx'
import { SessionOutput, useOutput } from './session-output.tsx'
import { Statements } from './statements.tsx'
import { useTables } from './tables.ts'

export type TabName = 'output' | 'table' | 'chart' | 'script'

interface Tab {
  readonly name: TabName
  readonly title: string
  readonly icon: IconName
}

const TABS: readonly Tab[] = [
  { name: 'output', title: 'Output', icon: 'terminal' },
  { name: 'table', title: 'Table', icon: 'table' },
  { name: 'chart', title: 'Chart', icon: 'chart' },
  { name: 'script', title: 'Script', icon: 'book' },
]

interface RunTabsProps {
  readonly session: Session
  readonly hasRun: boolean
  readonly reload: () => void
  readonly place?: TabPlace
}

/** Another view that shows the tabs, below the script. */
interface TabPlace {
  readonly addressOf: (tab: TabName) => string
  /** Called with the beginning of stderr when the whole output is there. */
  readonly onStderr: (text: string) => void
}

/** The tabs of a run. They show the output as text, table or chart, and the facts of the session. */
export function RunTabs({ session, hasRun, reload, place }: RunTabsProps) {
  const isTerminal = session.verb === 'connect'
  if (!hasRun) return <Script session={session} />
  if (!session.may_read_output) return <WithoutOutput session={session} />
  if (session.port) return <Statements session={session} />
  return isTerminal ? (
    <PastTerminal session={session} />
  ) : (
    <Tabs {...{ session, reload, ...(place && { place }) }} />
  )
}

/** For approvers, who see what ran and how it ended. Nothing is asked for that the gateway would refuse. */
function WithoutOutput({ session }: { readonly session: Session }) {
  return (
    <>
      <Note tone="live">
        <p>
          The output is for <Name>{session.user}</Name>, for admins and auditors, and for people whom the
          connection shows the sessions of others. You see what ran, and how it ended.
        </p>
      </Note>
      {session.script.data !== '' && <Script session={session} />}
    </>
  )
}

function Tabs({ session, reload, place }: Omit<RunTabsProps, 'hasRun'>) {
  const output = useOutput(session.id, reload)
  const { tables, isReading } = useTables(session, output)
  useEffect(() => {
    if (output.state === 'over') place?.onStderr(output.stderr.text)
  }, [output.state, output.stderr])
  const shown = TABS.filter(
    ({ name }) => isThere(name, session, tables) && (place === undefined || name !== 'script'),
  )
  const asked = query.value.get('tab') ?? ''
  const isExpected = asked === 'table' || asked === 'chart'
  const isRunning = session.status !== 'done'
  const wanted = [asked, ...usualTabs(isRunning)]
  const current = wanted.flatMap((name) => shown.find((tab) => tab.name === name) ?? [])[0]?.name ?? 'output'
  const address = place?.addressOf ?? ((tab: TabName) => addressOf(session.id, tab))
  if (isExpected && isReading && tables.length === 0) return <Loading rows={6} />
  return (
    <>
      <TabList addressOf={address} tabs={shown} current={current} />
      <div class="run-panel" role="tabpanel" id="run-panel" aria-labelledby={`tab-${current}`}>
        {isExpected && current === 'output' && (
          <p class="soft small" role="status">
            This output has no clear table.
          </p>
        )}
        {current === 'output' && <SessionOutput session={session} output={output} />}
        {current === 'table' && (
          <Opened
            load={loadTables}
            props={{
              tables,
              session,
              // A stream counts the bytes that the session lacks, too.
              cutBytes: Math.max(output.missing, session.truncated_bytes),
              isCut: output.stdout.isCut,
            }}
          />
        )}
        {current === 'chart' && (
          <Opened
            load={loadChart}
            props={{
              tables,
              fileName: (ending: string) => downloadName(session, ending),
            }}
          />
        )}
        {current === 'script' && <Script session={session} />}
      </div>
    </>
  )
}

const loadTables = () =>
  import('../result/tables.tsx').then(({ ResultTables }) => ({ default: ResultTables }))
const loadChart = () => import('../result/chart.tsx').then(({ ResultChart }) => ({ default: ResultChart }))

/** The browser keeps how the user last looked at a result. */
const KEPT = 'runbook-page-result'

function keepChoice(name: TabName): void {
  if (name !== 'script') localStorage.setItem(KEPT, name)
}

/**
 * What is shown without a tab in the address, best first. The address of a line shows the output. So does a running
 * command, because a table that takes the place of the output would disturb the reader.
 */
function usualTabs(isRunning: boolean): readonly string[] {
  if (lineInAddress.value !== undefined) return ['output']
  const usual = isRunning ? 'output' : 'table'
  return [localStorage.getItem(KEPT) ?? usual, usual]
}

function isThere(name: TabName, session: Session, tables: readonly ResultTable[]): boolean {
  if (name === 'table') return tables.length > 0
  if (name === 'chart')
    return tables.some(({ columns, rows }) => rows.length > 1 && columns.some((one) => one.isNumeric))
  return name === 'output' || session.script.data !== ''
}

interface TabListProps {
  readonly addressOf: (tab: TabName) => string
  readonly tabs: readonly Tab[]
  readonly current: TabName
}

/** Tabs are links, so that each tab has an address. The arrow keys move between them. */
function TabList({ addressOf, tabs, current }: TabListProps) {
  const list = useRef<HTMLDivElement>(null)
  const hasFocus = useRef(false)
  useEffect(() => {
    if (hasFocus.current) list.current?.querySelector<HTMLElement>('[aria-selected=true]')?.focus()
    hasFocus.current = false
  }, [current])
  const onKeyDown = (event: KeyboardEvent) => {
    const index = tabs.findIndex(({ name }) => name === current)
    const next = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key]
    const tab = next === undefined ? undefined : tabs.at(next % tabs.length)
    if (tab === undefined) return
    event.preventDefault()
    hasFocus.current = true
    keepChoice(tab.name)
    go(addressOf(tab.name))
  }
  return (
    <div class="tabs" role="tablist" aria-label="Views of the run" ref={list} onKeyDown={onKeyDown}>
      {tabs.map(({ name, title, icon }) => (
        <a
          key={name}
          role="tab"
          id={`tab-${name}`}
          href={addressOf(name)}
          onClick={() => keepChoice(name)}
          aria-selected={name === current}
          aria-current={name === current ? 'page' : undefined}
          aria-controls={name === current ? 'run-panel' : undefined}
          tabIndex={name === current ? 0 : -1}
        >
          <Icon name={icon} small />
          {title}
        </a>
      ))}
    </div>
  )
}

function addressOf(session: string, tab: TabName): string {
  return `${sessionPath(session)}?tab=${tab}`
}

function Script({ session }: { readonly session: Session }) {
  const { data } = session.script
  if (data === '')
    return (
      <Empty icon="book">This session has no script: the command of the connection ran without one.</Empty>
    )
  const lines = visibleLines(data).replace(/\n$/, '').split('\n')
  return (
    <section class="card fills column" aria-label="Script">
      <pre class="output script-text fills" tabIndex={0} aria-label="Script">
        {lines.map((line, index) => (
          <span class="row" key={index}>
            <span class="line-number" data-n={index + 1} />
            <span class="line-text">{`${line}\n`}</span>
          </span>
        ))}
      </pre>
    </section>
  )
}
