import { useState } from 'preact/hooks'
import { ask, type Refused } from '../../api/request.ts'
import type { Batch } from '../../api/types.ts'
import { ConfirmationField, focusOnProblem, useConfirmation } from '../../form/confirmation.tsx'
import { ReasonField, useReason } from '../../form/reason-field.tsx'
import { useAction } from '../../parts/action.ts'
import { FormDialog } from '../../parts/form-dialog.tsx'
import { batchPath } from '../../parts/paths.ts'
import { go } from '../../parts/router.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { DiffText } from '../diff/diff-text.tsx'
import { ForeseenNotes, reasonNeed, textToConfirm, useForeseen } from '../runbooks/foreseen.tsx'
import { JiraFields } from '../runbooks/jira.tsx'
import { GROUPS, groupOf } from './groups.ts'
import { UnrecordedFields, useUnrecorded } from './unrecorded.tsx'

interface RetryDialogProps {
  readonly batch: Batch
  readonly onClose: () => void
}

/** Asks which connections run again, and for the values that are not recorded. */
export function RetryDialog({ batch, onClose }: RetryDialogProps) {
  const { chosen, choose } = useChoice(batch)
  const unrecorded = useUnrecorded(batch)
  const jira = useJiraValues()
  const [whenApproved, setWhenApproved] = useState(true)
  const { busy, error, act } = useAction(() => undefined)
  const on = batch.runs.map(({ connection }) => connection).filter((name) => chosen.has(name))
  const answers = useForeseen(batch.repository, batch.file_name, on)
  const reason = useReason(reasonNeed(answers))
  const confirmation = useConfirmation(textToConfirm(answers, on))
  const isReviewed = answers.some(({ review }) => review !== null)
  const fields = new Map(answers.flatMap(({ jira_fields: all }) => all.map((one) => [one.jira_field, one])))
  const commit = error?.retry.present?.commit
  const send = async () => {
    const body = {
      connections: on,
      ...unrecorded.sent(),
      ...(fields.size > 0 && { jira_fields: jira.values }),
      ...reason.sent(),
      ...(isReviewed && { when_approved: whenApproved }),
      ...(commit !== undefined && { commit }),
    }
    const { id } = await ask<Batch>('POST', `/api/batches/${encodeURIComponent(batch.id)}/retry`, { body })
    onClose()
    go(batchPath(id))
  }
  const submit = () => {
    if ([reason.check(), confirmation.check()].every(Boolean)) act(send)
    else focusOnProblem(document.querySelector<HTMLElement>('dialog[open]'))
  }
  return (
    <FormDialog
      title="Run again"
      error={error}
      onSubmit={submit}
      onClose={onClose}
      action={actionOf(on.length, isReviewed, commit)}
      icon={isReviewed ? 'approve' : 'again'}
      disabled={busy || on.length === 0}
    >
      <Refusal error={error} />
      <p class="soft">
        A new batch with the same commit, waves and values. A batch can be run again once: later, run the new
        batch again.
      </p>
      {GROUPS.map(({ group, title, hint }) => (
        <Group
          key={group}
          {...{ title, hint, chosen, choose }}
          names={batch.runs.filter((run) => groupOf(run) === group).map(({ connection }) => connection)}
        />
      ))}
      <UnrecordedFields unrecorded={unrecorded} />
      <JiraFields jira={{ fields: [...fields.values()], error: undefined, ...jira }} />
      <ReasonField reason={reason} />
      <ForeseenNotes answers={answers} />
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
      <ConfirmationField confirmation={confirmation} />
    </FormDialog>
  )
}

function useChoice({ runs }: Batch) {
  const usual = GROUPS.filter(({ isUsual }) => isUsual).map(({ group }) => group)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(
    () =>
      new Set(
        runs
          .filter((run) => usual.some((group) => group === groupOf(run)))
          .map(({ connection }) => connection),
      ),
  )
  const choose = (names: readonly string[], isChosen: boolean) =>
    setChosen((before) => (isChosen ? before.union(new Set(names)) : before.difference(new Set(names))))
  return { chosen, choose }
}

function useJiraValues() {
  const [values, setValues] = useState<Readonly<Record<string, string>>>({})
  const set = (field: string, value: string) => setValues((before) => ({ ...before, [field]: value }))
  return { values, set }
}

function actionOf(count: number, isReviewed: boolean, commit: string | undefined): string {
  const runs = count === 1 ? '1 run' : `${count} runs`
  const at = commit === undefined ? '' : ` at commit ${commit.slice(0, 7)}`
  return isReviewed ? `Ask for approval of ${runs}${at}` : `Start ${runs}${at}`
}

/** What to do after the refusal: look at the new batch, or at what the present commit changes. */
function Refusal({ error }: { readonly error: Refused | undefined }) {
  if (error === undefined) return null
  const { retried_by: by, present } = error.retry
  if (by !== undefined) return <a href={batchPath(by)}>Open the new batch</a>
  if (present === undefined) return null
  return (
    <>
      {present.note !== null && <p class="soft small">{visible(present.note)}</p>}
      {present.diff !== null && <DiffText diff={present.diff} />}
    </>
  )
}

interface GroupProps {
  readonly title: string
  readonly hint: string
  readonly names: readonly string[]
  readonly chosen: ReadonlySet<string>
  readonly choose: (names: readonly string[], isChosen: boolean) => void
}

function Group({ title, hint, names, chosen, choose }: GroupProps) {
  if (names.length === 0) return null
  const count = names.filter((name) => chosen.has(name)).length
  return (
    <fieldset class="stack is-tight">
      <legend>{title}</legend>
      <p class="hint">{hint}</p>
      {names.length > 1 && (
        <label class="tick strong">
          <input
            type="checkbox"
            checked={count === names.length}
            // Some browsers announce it as "mixed".
            ref={(box) => {
              if (box !== null) box.indeterminate = count > 0 && count < names.length
            }}
            onChange={(event) => choose(names, event.currentTarget.checked)}
          />
          All {names.length}
        </label>
      )}
      <div class="choices">
        {names.map((name) => (
          <label class="tick" key={name}>
            <input
              type="checkbox"
              checked={chosen.has(name)}
              onChange={(event) => choose([name], event.currentTarget.checked)}
            />
            <Name>{name}</Name>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
