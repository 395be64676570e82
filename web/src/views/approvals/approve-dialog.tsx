import type { ComponentChildren } from 'preact'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { decide, readReview, readSession } from '../../api/gateway.ts'
import type { Review, Session } from '../../api/types.ts'
import { TextField } from '../../form/text-field.tsx'
import { useAction } from '../../parts/action.ts'
import { Coloured } from '../../parts/coloured.tsx'
import { Dialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Loading, Note, Problem } from '../../parts/messages.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visibleLines } from '../../parts/visible.ts'
import { recordedParameters } from '../runbooks/recorded.ts'
import { fileToColour } from '../../parts/marks.ts'
import { doNothing } from './decision.tsx'
import { RequestFacts } from './request-facts.tsx'
import { RequestName } from './request-name.tsx'
import { placeOf } from './place-of.ts'
import { effectText, ruleText } from './rule-text.ts'
import { hasValues, Values } from './values.tsx'

/** Maximum number of characters and lines of a script that the question shows. Others have to be opened. */
const MAX_CHARACTERS = 4000
const MAX_LINES = 30

interface QuestionProps {
  readonly review: Review
  readonly onDecided: (after: Review) => void
  readonly onClose: () => void
}

function shown({ whole: review, session }: { readonly whole: Review; readonly session: Session }) {
  return { review, session }
}

/** Asks before an approval, and shows the whole script and all values. A long or changed script has to be opened first. */
export function ApproveDialog({ review, onDecided, onClose }: QuestionProps) {
  const { id } = review
  const load = useCallback(
    async (signal: AbortSignal) => {
      const whole = await readReview(id, signal)
      return { whole, session: await readSession(whole.session, signal) }
    },
    [id],
  )
  const { value, error } = useLoaded(load)
  const unseen = value === undefined ? undefined : unseenOf(value.whole, value.session)
  return (
    <ApproveForm
      review={value?.whole ?? review}
      isOff={value === undefined || unseen !== undefined}
      isOpened={unseen !== undefined}
      isReady={value !== undefined}
      onDecided={onDecided}
      onClose={onClose}
    >
      {error !== undefined && <Problem error={error} />}
      {value === undefined && error === undefined && <Loading rows={3} />}
      {unseen !== undefined && (
        <Note tone="wait" title={unseen}>
          <p>Open the request to decide. It shows everything but the values of variables and files.</p>
        </Note>
      )}
      {value !== undefined && unseen === undefined && hasValues(shown(value)) && <Values {...shown(value)} />}
      {value !== undefined && unseen === undefined && (
        <pre class="script" tabIndex={0} aria-label="Script">
          <Coloured
            text={visibleLines(value.session.script.data)}
            file={fileToColour(value.whole, value.session)}
          />
        </pre>
      )}
    </ApproveForm>
  )
}

interface ApproveFormProps extends QuestionProps {
  /** Whether the request cannot be approved here. */
  readonly isOff?: boolean
  /** Whether the request has to be opened instead. */
  readonly isOpened?: boolean
  /** Whether all is shown that the answer depends on. */
  readonly isReady: boolean
  /** Shown below the facts of the request. */
  readonly children?: ComponentChildren
}

/** The question before an approval, with a comment. */
function ApproveForm(props: ApproveFormProps) {
  const { review, isOff = false, isOpened = false, isReady, onDecided, onClose, children } = props
  const [comment, setComment] = useState('')
  const { busy, error, act } = useAction(() => undefined)
  const runs = review.batch?.connections ?? 1
  const buttons = useRef<HTMLDivElement>(null)
  // Enter approves from here on, and not before the script is shown. A comment that was begun keeps the focus.
  useEffect(() => {
    if (isReady && comment === '')
      buttons.current?.querySelector<HTMLElement>('.is-primary')?.focus({ preventScroll: true })
  }, [isReady])
  const approve = () =>
    act(async () => {
      onDecided(await decide(review.id, { status: 'APPROVED', ...(comment !== '' && { comment }) }))
    })
  return (
    <Dialog
      title={
        <>
          Approve <RequestName review={review} />?
        </>
      }
      onClose={onClose}
    >
      <form class="stack" onSubmit={doNothing}>
        <p>
          <Name>{review.owner}</Name> asks for it on <Name>{placeOf(review)}</Name>.
        </p>
        <RequestFacts review={review} />
        {children}
        <p>
          <strong>{ruleText(review.rule)}.</strong> {effectText(review)}
        </p>
        {error !== undefined && <Problem error={error} />}
        {!isOpened && (
          <TextField
            label="Comment"
            hint={`${review.owner} can read the comment.`}
            value={comment}
            onValue={setComment}
          />
        )}
        <div class="line" ref={buttons}>
          <button type="button" class="button push" onClick={onClose}>
            Cancel
          </button>
          {isOpened ? (
            <a class="button is-primary" href={approvalPath(review.id)}>
              Open the request
            </a>
          ) : (
            <button
              type="button"
              class="button is-primary"
              disabled={busy || isOff || !review.can.approve}
              onClick={approve}
            >
              <Icon name="check" />
              {runs > 1 ? `Approve ${runs} runs` : 'Approve'}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  )
}

/** Says why this dialog does not show all that an approver has to see. */
function unseenOf(review: Review, session: Session): string | undefined {
  const { data: script } = session.script
  const { client_args: args, env_vars: variables, facts, is_shortened: isLost } = review
  const values = Object.values(recordedParameters(session.labels)).join('')
  if (isLost === true || session.is_shortened === true) return 'A part of this request is lost.'
  if (facts.is_runbook_changed === true) return 'The runbook has changed since the last approved run.'
  if (review.brings_input ?? args.length + variables.length > 0)
    return 'This request has arguments or variables.'
  if (script.length > MAX_CHARACTERS || script.split('\n').length > MAX_LINES)
    return 'The script is too long for this question.'
  if (values.length > MAX_CHARACTERS) return 'The values are too long for this question.'
  return undefined
}
