import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { runRunbook, type RunRequest } from '../../api/gateway.ts'
import { mayRun } from '../../api/person.ts'
import { asRefused, type Refused } from '../../api/request.ts'
import { ConfirmationField, focusOnProblem, useConfirmation } from '../../form/confirmation.tsx'
import type { Offer } from '../../form/choices-field.tsx'
import { useDraft, type Draft } from '../../form/draft.ts'
import { Field } from '../../form/field.tsx'
import { forgetDraft, keepDraft, linkQuery, type KeptDraft } from '../../form/kept-draft.ts'
import { labelOf, type Parameter } from '../../form/parameters.ts'
import { ReasonField, useReason } from '../../form/reason-field.tsx'
import { copyText } from '../../parts/clipboard.ts'
import { Icon } from '../../parts/icon.tsx'
import { Note, Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { runbookPath, sessionPath } from '../../parts/paths.ts'
import { go } from '../../parts/router.ts'
import { Name } from '../../parts/text.tsx'
import { toast } from '../../parts/toasts.tsx'
import { BatchFields, startBatch, useBatchDraft } from './batch.tsx'
import { AwayNote, ConnectionField } from './connection-field.tsx'
import { ForeseenNotes, reasonNeed, textToConfirm, useForeseen } from './foreseen.tsx'
import { linesOf, variableOf } from './variables.ts'
import { JiraFields, useJira } from './jira.tsx'
import { Preview } from './preview.tsx'
import type { Opened } from './opened.ts'
import { PairNotes, pairWord, usePair } from './pair.tsx'

interface FormProps {
  readonly opened: Opened
}

export function RunbookForm({ opened }: FormProps) {
  const { repository, item, connections } = opened
  const draft = useDraft(item, opened.values)
  const [connection, setConnection] = useState(opened.chosen)
  const batch = useBatchDraft(connection)
  const jira = useJira(connections.find(({ name }) => name === connection))
  const [whenApproved, setWhenApproved] = useState(true)
  const advanced = useAdvanced()
  const on = batch.isOpen ? [...batch.chosen] : [connection]
  const pair = usePair(opened, { connection, values: draft.sent() })
  const answers = useForeseen(repository, pair.file, on)
  const confirmation = useConfirmation(textToConfirm(answers, on))
  useEffect(
    () => keepDraft(repository, item, { values: draft.values, connection }),
    [repository, item, draft.values, connection],
  )
  const isReviewed = answers.some(({ review }) => review !== null)
  const reason = useReason(reasonNeed(answers))
  const request = (): RunRequest => ({
    repository,
    connection_name: batch.first ?? connection,
    file_name: item.name,
    parameters: draft.sent(),
    when_approved: whenApproved,
    ...(jira.fields.length > 0 && { jira_fields: jira.values }),
    ...reason.sent(),
    ...pair.sent(),
    ...(answers.every(({ client_input }) => client_input) && advanced.sent()),
  })
  const check = () => [draft.check(), reason.check(), confirmation.check()].every(Boolean)
  const { form, error, busy, onRun } = useActions(check, async () => {
    await (batch.isOpen ? startBatch(batch, request()) : start(request())).catch((failure: unknown) => {
      pair.failed(asRefused(failure))
      throw failure
    })
    forgetDraft(repository, item.name)
  })
  const takesMore = answers.length > 0 && answers.every(({ client_input }) => client_input)
  return (
    <div class="split is-form">
      <form ref={form} class="card" noValidate onSubmit={onRun} aria-label="Parameters">
        <div class="card-body">
          {opened.earlier && <EarlierRun {...opened.earlier} />}
          <PairNotes pair={pair} earlier={opened.first} />
          {!batch.isOpen && <ConnectionField {...{ connections, connection, setConnection }} />}
          {pair.step === 'alone' && <BatchFields batch={batch} connections={connections} />}
          <AwayNote connections={connections.filter(({ name }) => on.includes(name))} />
          <ForeseenNotes answers={answers} />
          {draft.parameters.map((parameter) => (
            <Field
              key={parameter.name}
              parameter={parameter}
              value={draft.values[parameter.name] ?? ''}
              problem={draft.problem(parameter)}
              onValue={(value) => draft.set(parameter.name, value)}
              onLeave={() => draft.leave(parameter.name)}
              offer={offerOf(parameter, draft, { connection: batch.first ?? connection, file: item.name })}
            />
          ))}
          <JiraFields jira={jira} />
          <ReasonField reason={reason} />
          {takesMore && <AdvancedFields advanced={advanced} />}
          <ConfirmationField confirmation={confirmation} />
          {isReviewed && (
            <label class="tick">
              <input
                type="checkbox"
                checked={whenApproved}
                onChange={(event) => setWhenApproved(event.currentTarget.checked)}
              />
              Run when approved
            </label>
          )}
          {error !== undefined && <Problem error={error} />}
        </div>
        <div class="card-foot line">
          <button
            type="submit"
            class="button is-primary"
            disabled={busy || !mayRun() || on.length === 0 || (pair.hasFailed && !pair.goesOn)}
          >
            <Icon name={isReviewed ? 'approve' : 'run'} />
            {pairWord(pair, isReviewed) ?? actionWord(isReviewed)}
            {batch.isOpen && ` on ${on.length} ${on.length === 1 ? 'connection' : 'connections'}`}
          </button>
          {!mayRun() && (
            <span class="hint">Auditors can see the runs of others, but cannot run anything.</span>
          )}
          <span class="push" />
          <LinkButton {...{ repository, item, connection }} values={draft.values} />
        </div>
      </form>
      <Preview request={{ ...request(), file_name: pair.file }} draft={draft} file={pair.file} on={on} />
    </div>
  )
}

/** Returns where the values of the parameter come from; undefined if it has no list. */
function offerOf(
  { optionsFrom }: Parameter,
  { parameters, values }: Draft,
  place: Pick<Offer, 'connection' | 'file'>,
): Offer | undefined {
  if (optionsFrom === undefined) return undefined
  const other = parameters.find(({ name }) => name === optionsFrom.of)
  if (other === undefined) return { ...place, of: undefined }
  const given = values[other.name] ?? ''
  return { ...place, of: { label: labelOf(other), value: given === '' ? (other.default ?? '') : given } }
}

/** Says whose run the values of the form come from. */
function EarlierRun({ id, user_name: user, start_date: start }: NonNullable<Opened['earlier']>) {
  return (
    <Note tone="live">
      <p>
        The form has the values of <a href={sessionPath(id)}>an earlier run</a> by <Name>{user}</Name>,
        started <Moment at={start} />. Secret values are not recorded: type them again.
      </p>
    </Note>
  )
}

/** Says what the button does: a run that needs approval only asks for it. */
function actionWord(isReviewed: boolean): string {
  return isReviewed ? 'Ask for approval' : 'Run'
}

type LinkButtonProps = Pick<Opened, 'repository' | 'item'> & Pick<KeptDraft, 'values' | 'connection'>

/** Copies the address of the form with its values, without secrets. */
function LinkButton({ repository, item, ...draft }: LinkButtonProps) {
  const copy = () => {
    const address = `${runbookPath(repository, item.name)}?${linkQuery(item, draft)}`
    copyText(location.origin + address).then(
      () => toast('The link is copied. Secrets and files are not in it.'),
      () => {
        history.replaceState(null, '', address)
        toast('The browser does not allow copying here. Copy the link from the address bar.', {
          tone: 'wait',
          icon: 'info',
        })
      },
    )
  }
  return (
    <button type="button" class="button is-quiet" onClick={copy}>
      <Icon name="copy" />
      Copy link
    </button>
  )
}

/** Arguments and variables of a run, for connections that accept them. The saved draft does not have them. */
function useAdvanced() {
  const [args, setArgs] = useState('')
  const [variables, setVariables] = useState('')
  const sent = (): Pick<RunRequest, 'client_args' | 'env_vars'> => ({
    ...(args.trim() !== '' && { client_args: linesOf(args) }),
    ...(variables.trim() !== '' && { env_vars: Object.fromEntries(linesOf(variables).map(variableOf)) }),
  })
  return { args, setArgs, variables, setVariables, sent }
}

function AdvancedFields({ advanced }: { readonly advanced: ReturnType<typeof useAdvanced> }) {
  const id = useId()
  return (
    <details class="fold">
      <summary>
        <Icon name="chevron" small />
        Advanced
      </summary>
      <div class="field">
        <label for={`${id}-args`}>Arguments</label>
        <p class="hint">One argument on each line, added to the command of the connection.</p>
        <textarea
          id={`${id}-args`}
          rows={2}
          value={advanced.args}
          spellcheck={false}
          onInput={(event) => advanced.setArgs(event.currentTarget.value)}
        />
      </div>
      <div class="field">
        <label for={`${id}-variables`}>Variables</label>
        <p class="hint">One variable on each line, as NAME=value.</p>
        <textarea
          id={`${id}-variables`}
          rows={2}
          value={advanced.variables}
          spellcheck={false}
          onInput={(event) => advanced.setVariables(event.currentTarget.value)}
        />
      </div>
    </details>
  )
}

/** Only one action runs at a time, so a double click does not run a script twice. */
function useActions(check: () => boolean, run: () => Promise<void>) {
  const form = useRef<HTMLFormElement>(null)
  const [error, setError] = useState<Refused | undefined>(undefined)
  const [busy, setBusy] = useState(false)
  const act = (action: () => Promise<void>) => {
    if (busy) return
    setError(undefined)
    if (!check()) {
      focusOnProblem(form.current)
      return
    }
    setBusy(true)
    action()
      .catch((failure: unknown) => setError(asRefused(failure)))
      .finally(() => setBusy(false))
  }
  const onRun = (event: Event) => {
    event.preventDefault()
    act(run)
  }
  return { form, error, busy, onRun }
}

async function start(request: RunRequest): Promise<void> {
  const { session_id: id } = await runRunbook(request)
  go(sessionPath(id))
}
