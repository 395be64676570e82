import { useRef, useState } from 'preact/hooks'
import { renderRunbook, runRunbook, type RunRequest } from '../../api/gateway.ts'
import { mayRun } from '../../api/person.ts'
import { asRefused, type Refused } from '../../api/request.ts'
import type { Rendered } from '../../api/types.ts'
import { useDraft, type Draft } from '../../form/draft.ts'
import { Field } from '../../form/field.tsx'
import { Problem } from '../../parts/messages.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { go } from '../../parts/router.ts'
import { BatchFields, startBatch, useBatchDraft } from './batch.tsx'
import { ConnectionField } from './connection-field.tsx'
import { JiraFields, useJira } from './jira.tsx'
import { Preview } from './preview.tsx'
import type { Opened } from './opened.ts'

interface FormProps {
  readonly opened: Opened
}

export function RunbookForm({ opened }: FormProps) {
  const { repository, item, connections } = opened
  const draft = useDraft(item, opened.values)
  const [connection, setConnection] = useState(opened.chosen)
  const batch = useBatchDraft(connections)
  const jira = useJira(connections.find(({ name }) => name === connection))
  const [whenApproved, setWhenApproved] = useState(true)
  const chosen = batch.isOpen ? [...batch.chosen] : [connection]
  const isReviewed = connections.some(({ name, reviewers }) => chosen.includes(name) && reviewers.length > 0)
  const request = (): RunRequest => ({
    ...{ repository, connection_name: batch.first ?? connection, file_name: item.name },
    parameters: draft.sent(),
    when_approved: whenApproved,
    ...(jira.fields.length > 0 && { jira_fields: jira.values }),
  })
  const { form, error, preview, busy, onPreview, onRun } = useActions(draft, request, () =>
    batch.isOpen ? startBatch(batch, request()) : start(request()),
  )
  return (
    <form ref={form} class="run-form" noValidate onSubmit={onRun}>
      {!batch.isOpen && <ConnectionField {...{ connections, connection, setConnection }} />}
      <BatchFields batch={batch} connections={connections} />
      {draft.parameters.map((parameter) => (
        <Field
          key={parameter.name}
          parameter={parameter}
          value={draft.values[parameter.name] ?? ''}
          problem={draft.problem(parameter)}
          onValue={(value) => draft.set(parameter.name, value)}
          onLeave={() => draft.leave(parameter.name)}
        />
      ))}
      <JiraFields jira={jira} />
      {isReviewed && (
        <label class="check">
          <input
            type="checkbox"
            checked={whenApproved}
            onChange={(event) => setWhenApproved(event.currentTarget.checked)}
          />
          Run when approved
        </label>
      )}
      <div class="actions">
        <button type="button" onClick={onPreview} disabled={busy}>
          Preview
        </button>
        <button type="submit" class="primary" disabled={busy || !mayRun()}>
          Run
        </button>
        {!mayRun() && <span class="hint">Auditors look at what others run, and run nothing.</span>}
      </div>
      {error !== undefined && <Problem error={error} />}
      {preview !== undefined && <Preview {...preview} parameters={draft.parameters} />}
    </form>
  )
}

interface Previewed {
  readonly rendered: Rendered
  /** Those of the moment in which it was asked for. */
  readonly values: Readonly<Record<string, string>>
}

/** What the buttons do. One thing at a time: a second click runs nothing twice. */
function useActions(draft: Draft, request: () => RunRequest, run: () => Promise<void>) {
  const form = useRef<HTMLFormElement>(null)
  const [error, setError] = useState<Refused | undefined>(undefined)
  const [preview, setPreview] = useState<Previewed | undefined>(undefined)
  const [busy, setBusy] = useState(false)
  const act = (action: () => Promise<void>) => {
    if (busy) return
    setError(undefined)
    if (!draft.check()) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
      return
    }
    setBusy(true)
    action()
      .catch((failure: unknown) => setError(asRefused(failure)))
      .finally(() => setBusy(false))
  }
  const onPreview = () =>
    act(async () => {
      const values = { ...draft.values }
      setPreview({ rendered: await renderRunbook(request()), values })
    })
  const onRun = (event: Event) => {
    event.preventDefault()
    act(run)
  }
  return { form, error, preview, busy, onPreview, onRun }
}

async function start(request: RunRequest): Promise<void> {
  const { session_id: id } = await runRunbook(request)
  go(sessionPath(id))
}
