import './schedules.css'
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import { readConnections, readRunbooks } from '../api/gateway.ts'
import { person } from '../api/person.ts'
import { ask } from '../api/request.ts'
import type { ForeseenSchedule, RunbookItem } from '../api/types.ts'
import { Choice } from '../form/choice.tsx'
import { TextField } from '../form/text-field.tsx'
import { CopiedLines } from '../parts/copied-lines.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Loading, Note, Problem } from '../parts/messages.tsx'
import { Moment } from '../parts/moment.tsx'
import { visible } from '../parts/visible.ts'

interface Draft {
  readonly name: string
  readonly runbook: string
  readonly connection: string
  readonly cron: string
  readonly timezone: string
  readonly as: string
  readonly parameters: Readonly<Record<string, string>>
  readonly reason: string
}

const NIGHTLY = '30 2 * * *'

const WHEN = [
  [NIGHTLY, 'each night at 2:30'],
  ['0 * * * *', 'each hour'],
  ['0 8 * * 1-5', 'on working days at 8:00'],
  ['0 6 * * 1', 'on Mondays at 6:00'],
  ['0 5 1 * *', 'on the first of the month at 5:00'],
] as const

/** Prepares the lines of gateway.yaml. The page itself creates nothing. */
export default function NewSchedule() {
  const { value: lists, error, reload } = useLoaded(readRunbooks)
  const connections = useLoaded(readConnections).value
  const runbooks = useMemo(() => lists?.repositories.flatMap(({ items }) => items), [lists])
  return (
    <>
      <header class="head">
        <h1>New schedule</h1>
        <p>
          Schedules are set in gateway.yaml, so that changes can be reviewed. This form writes the lines.
          Paste the lines into gateway.yaml, then reload the settings.
        </p>
      </header>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {(runbooks === undefined || connections === undefined) && error === undefined && <Loading rows={6} />}
      {runbooks?.length === 0 && (
        <Empty icon="book" title="No runbook is available">
          Add a repository of runbooks to gateway.yaml, and set it as the repository of a connection.
        </Empty>
      )}
      {runbooks !== undefined && runbooks.length > 0 && connections !== undefined && (
        <Form runbooks={runbooks} usual={connections[0]?.name ?? ''} />
      )}
    </>
  )
}

function Form({ runbooks, usual }: { readonly runbooks: readonly RunbookItem[]; readonly usual: string }) {
  const [draft, setDraft] = useState<Draft>(() => ({
    name: '',
    runbook: '',
    connection: usual,
    cron: NIGHTLY,
    parameters: {},
    reason: '',
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    as: person.value?.name ?? '',
  }))
  const set = (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes }))
  const chosen = runbooks.find(({ name }) => name === draft.runbook)
  const foreseen = useForeseen(draft)
  const problemOf = (field: string) =>
    foreseen.value?.problems.find((problem) => problem.field === field)?.message
  return (
    <div class="draft">
      <form class="card card-body" aria-label="Schedule" onSubmit={(event) => event.preventDefault()}>
        <TextField
          label="Name"
          value={draft.name}
          hint="such as nightly-report"
          onValue={(name) => set({ name })}
        />
        <RunbookField runbooks={runbooks} draft={draft} set={set} />
        <Choice
          label="Connection"
          value={draft.connection}
          onValue={(connection) => set({ connection })}
          options={(chosen?.connections ?? [usual]).map((name) => [name, visible(name)])}
        />
        <WhenField draft={draft} set={set} />
        <TextField
          label="Time zone"
          value={draft.timezone}
          hint="such as Europe/Berlin or UTC"
          onValue={(timezone) => set({ timezone })}
        />
        {person.value?.is_admin === true && (
          <TextField
            label="Runs as"
            value={draft.as}
            hint="runs of the schedule have the rights of this user, and are sessions of this user"
            onValue={(as) => set({ as })}
          />
        )}
        <TextField
          label="Reason"
          value={draft.reason}
          hint="why these runs are needed; approvers see it"
          onValue={(reason) => set({ reason })}
        />
        <Parameters runbook={chosen} draft={draft} set={set} />
      </form>
      <section class="card card-body" aria-label="Forecast">
        <h2>Next times</h2>
        <Times times={foreseen.value?.next_runs ?? []} problem={problemOf('cron') ?? problemOf('timezone')} />
        {foreseen.error !== undefined && <Problem error={foreseen.error} />}
        <h2>Lines for gateway.yaml</h2>
        <Lines foreseen={foreseen.value} />
      </section>
    </div>
  )
}

interface FieldProps {
  readonly draft: Draft
  readonly set: (changes: Partial<Draft>) => void
}

function RunbookField({ runbooks, draft, set }: FieldProps & { readonly runbooks: readonly RunbookItem[] }) {
  const names = [...new Set(runbooks.map(({ name }) => name))]
  const choose = (name: string) => {
    const { connections = [], metadata = {} } = runbooks.find((one) => one.name === name) ?? {}
    const connection = connections.includes(draft.connection) ? draft.connection : (connections[0] ?? '')
    const defaults = Object.entries(metadata).map(([key, { default: usual }]) => [
      key,
      typeof usual === 'string' ? usual : '',
    ])
    set({ runbook: name, connection, parameters: Object.fromEntries(defaults) as Draft['parameters'] })
  }
  return (
    <Choice
      label="Runbook"
      value={draft.runbook}
      onValue={choose}
      options={[['', 'choose one'], ...names.map((name) => [name, visible(name)] as const)]}
    />
  )
}

function WhenField({ draft, set }: FieldProps) {
  const isUsual = WHEN.some(([cron]) => cron === draft.cron)
  return (
    <>
      <Choice
        label="How often"
        value={isUsual ? draft.cron : ''}
        onValue={(cron) => cron !== '' && set({ cron })}
        options={[...WHEN, ['', 'at other times']]}
      />
      <TextField
        label="When"
        value={draft.cron}
        hint="in the form of cron: minute, hour, day, month and weekday"
        onValue={(cron) => set({ cron })}
      />
    </>
  )
}

function Parameters({ runbook, draft, set }: FieldProps & { readonly runbook: RunbookItem | undefined }) {
  const known = Object.entries(runbook?.metadata ?? {})
  if (known.length === 0) return null
  return (
    <fieldset class="group-of-fields">
      <legend>Parameters</legend>
      <p class="hint">The values become a part of gateway.yaml, so do not enter a secret here.</p>
      {known.map(([name, { description, required }]) => (
        <TextField
          key={name}
          label={visible(name)}
          value={draft.parameters[name] ?? ''}
          {...(typeof description === 'string' && { hint: visible(description) })}
          isMarked={required === true}
          onValue={(value) => set({ parameters: { ...draft.parameters, [name]: value } })}
        />
      ))}
    </fieldset>
  )
}

/** Pause between typing and the request to the gateway. */
const TYPED_MS = 250

function useForeseen(draft: Draft) {
  const [asked, setAsked] = useState(draft)
  useEffect(() => {
    const timer = setTimeout(() => setAsked(draft), TYPED_MS)
    return () => clearTimeout(timer)
  }, [draft])
  const load = useCallback(
    (signal: AbortSignal) => {
      // An empty parameter is left out, so that the runbook's default applies.
      const filled = Object.entries(asked.parameters).filter(([, value]) => value !== '')
      const body = { ...asked, parameters: Object.fromEntries(filled) }
      return ask<ForeseenSchedule>('POST', '/api/schedules/foresee', { body, signal })
    },
    [asked],
  )
  return useKeptValue(useLoaded(load))
}

/** Keeps the last forecast while a new one is loaded, so that the layout does not jump. */
function useKeptValue<Loaded extends { readonly value: ForeseenSchedule | undefined }>(
  loaded: Loaded,
): Loaded {
  const [kept, setKept] = useState<ForeseenSchedule | undefined>(undefined)
  useEffect(() => {
    if (loaded.value !== undefined) setKept(loaded.value)
  }, [loaded.value])
  return { ...loaded, value: loaded.value ?? kept }
}

function Times({
  times,
  problem,
}: {
  readonly times: readonly string[]
  readonly problem: string | undefined
}) {
  if (times.length === 0) return <p class="soft">{problem ?? 'No times.'}</p>
  return (
    <ul class="times" aria-label="Next times">
      {times.map((at) => (
        <li key={at}>
          <Moment at={at} />
        </li>
      ))}
    </ul>
  )
}

const FIELDS: Readonly<Record<string, string>> = {
  name: 'Name',
  cron: 'When',
  timezone: 'Time zone',
  runbook: 'Runbook',
  connection: 'Connection',
  as: 'Runs as',
  parameters: 'Parameters',
  reason: 'Reason',
}

function Lines({ foreseen }: { readonly foreseen: ForeseenSchedule | undefined }) {
  if (foreseen === undefined) return <p role="status">Asking the gateway …</p>
  const { problems, lines } = foreseen
  return (
    <>
      {problems.length > 0 && (
        <Note
          tone={lines === null ? 'live' : 'wait'}
          role="status"
          title={lines === null ? 'Missing or wrong' : 'A run would fail now'}
        >
          <ul>
            {problems.map(({ field, message }) => (
              <li key={`${field} ${message}`}>
                {field === '' ? '' : `${FIELDS[field] ?? field}: `}
                {visible(message)}
              </li>
            ))}
          </ul>
        </Note>
      )}
      {lines !== null && <CopiedLines label="The lines for gateway.yaml" text={lines} />}
      {lines !== null && !lines.startsWith('schedules:') && (
        <p class="hint">
          Paste these lines at the end of the list below <code>schedules:</code>.
        </p>
      )}
    </>
  )
}
