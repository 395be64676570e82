import type { ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { decide, stopSession, type Decision } from '../../api/gateway.ts'
import { mayRun } from '../../api/person.ts'
import { ask, type Refused } from '../../api/request.ts'
import type { Review } from '../../api/types.ts'
import { TextField } from '../../form/text-field.tsx'
import { useAction } from '../../parts/action.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Note, Problem } from '../../parts/messages.tsx'
import { useSingleKeys } from '../../parts/single-keys.ts'
import { Name } from '../../parts/text.tsx'
import { effectText } from './rule-text.ts'
import { takeDecided } from '../../shell/mine.tsx'
import { RequestName } from './request-name.tsx'

interface DecisionButtonsProps {
  readonly review: Review
  /** False when the view already has a button that withdraws the request. */
  readonly withdraws?: boolean | undefined
  /** What the view does not show of the request. The person has to see it before an approval. */
  readonly unseen?: readonly string[]
  /** Called with the review after a decision; without it after a withdrawal. */
  readonly onDecided: (after?: Review) => void
}

/** Approves with a comment and hours, or rejects with a reason. The requester can withdraw. */
export function DecisionButtons({ review, withdraws = true, unseen = [], onDecided }: DecisionButtonsProps) {
  const { busy, error, act } = useAction(() => undefined)
  const [isRejecting, setRejecting] = useState(false)
  const [comment, setComment] = useState('')
  const send = (decision: Decision) =>
    act(async () => {
      const after = await decide(review.id, decision)
      setRejecting(false)
      takeDecided(after)
      onDecided(after)
    })
  const isDecider = !review.can.withdraw
  useSingleKeys({
    r: () => {
      if (!review.can.reject || !isDecider) return false
      setRejecting(true)
      return true
    },
  })
  if (!mayRun()) return <p class="hint">Auditors can look at approvals, but cannot decide on them.</p>
  const { can } = review
  const problem = error !== undefined && !isRejecting && <Problem error={error} />
  const rejecting = isRejecting && (
    <Rejecting
      {...{ review, busy, error }}
      begun={comment}
      onClose={() => setRejecting(false)}
      onReject={(reason) => send({ status: 'REJECTED', rejection_reason: reason })}
    />
  )
  if (can.revoke && !can.withdraw)
    return (
      <div class="line">
        <button class="button" disabled={busy} onClick={() => send({ status: 'REVOKED' })}>
          Revoke
        </button>
        {rejecting}
        {problem}
      </div>
    )
  if (!Object.values(can).includes(true)) return rejecting || null
  const others = (
    <>
      {can.withdraw && withdraws && (
        <button
          type="button"
          class="button"
          disabled={busy}
          onClick={() => act(() => withdraw(review).then(() => onDecided()))}
        >
          Withdraw
        </button>
      )}
      {can.reject && !can.withdraw && (
        <button
          type="button"
          class="button is-danger-quiet"
          disabled={busy}
          onClick={() => setRejecting(true)}
        >
          Reject
        </button>
      )}
      {can.force && (
        <button
          type="button"
          class="button"
          disabled={busy || unseen.length > 0}
          onClick={() => send({ status: 'APPROVED', force_review: true })}
        >
          Force approval
        </button>
      )}
    </>
  )
  return (
    <div class="stack">
      {(can.approve || can.force) && <Unseen reasons={unseen} />}
      {can.approve ? (
        <Approving {...{ review, send, comment }} onComment={setComment} isOff={busy || unseen.length > 0}>
          {others}
        </Approving>
      ) : (
        <div class="line decide">{others}</div>
      )}
      {rejecting}
      {problem}
    </div>
  )
}

function Unseen({ reasons }: { readonly reasons: readonly string[] }) {
  if (reasons.length === 0) return null
  return (
    <Note tone="bad" title={reasons.join(' ')}>
      <p>You can approve after you have opened or downloaded the whole.</p>
    </Note>
  )
}

interface ApprovingProps {
  readonly review: Review
  readonly isOff: boolean
  readonly send: (decision: Decision) => void
  readonly comment: string
  readonly onComment: (comment: string) => void
  readonly children: ComponentChildren
}

function Approving({ review, isOff, send, comment, onComment, children }: ApprovingProps) {
  const form = useRef<HTMLFormElement>(null)
  const [isTimed, setTimed] = useState(false)
  const [isAsking, setAsking] = useState(false)
  const [[from, until], setHours] = useState(['18:00', '20:00'])
  const runs = review.batch?.connections ?? 1
  const takesHours = review.type === 'onetime' && review.time_window === null
  const approve = () => {
    const hours = { configuration: { start_time: from, end_time: until } }
    const window = isTimed && takesHours && { time_window: hours }
    send({ status: 'APPROVED', ...(comment !== '' && { comment }), ...window })
  }
  useSingleKeys({
    a: () => {
      if (isOff || form.current?.reportValidity() !== true) return false
      setAsking(true)
      return true
    },
  })
  return (
    <form class="stack" ref={form} onSubmit={doNothing}>
      <TextField
        label="Comment"
        hint={`${review.owner} can read the comment.`}
        value={comment}
        onValue={onComment}
      />
      {takesHours && (
        <label class="tick">
          <input
            type="checkbox"
            checked={isTimed}
            onChange={(event) => setTimed(event.currentTarget.checked)}
          />
          Only at certain hours, in UTC
        </label>
      )}
      {takesHours && isTimed && (
        <div class="pair is-close">
          <Hour label="From" value={from} onValue={(value) => setHours([value, until])} />
          <Hour label="Until" value={until} onValue={(value) => setHours([from, value])} />
        </div>
      )}
      <div class="line decide">
        <button
          type="button"
          class="button is-primary"
          disabled={isOff}
          onClick={() => form.current?.reportValidity() === true && approve()}
        >
          <Icon name="check" />
          {runs > 1 ? `Approve ${runs} runs` : 'Approve'}
        </button>
        {children}
      </div>
      <p class="hint only-wide">
        <kbd>a</kbd> approve · <kbd>r</kbd> reject · <kbd>j</kbd> next request
      </p>
      {isAsking && (
        <Dialog
          title={
            <>
              Approve <RequestName review={review} />?
            </>
          }
          onClose={() => setAsking(false)}
        >
          <p>{effectText(review)}</p>
          {comment !== '' && (
            <p>
              Your comment: “<Name>{comment}</Name>”
            </p>
          )}
          <div class="line">
            <button type="button" class="button push" onClick={() => setAsking(false)}>
              Back
            </button>
            <button
              type="button"
              class="button is-primary"
              autofocus
              onClick={() => {
                setAsking(false)
                approve()
              }}
            >
              <Icon name="check" />
              {runs > 1 ? `Approve ${runs} runs` : 'Approve'}
            </button>
          </div>
        </Dialog>
      )}
    </form>
  )
}

/** Enter in a text field must not decide: only a press of a button does. */
export function doNothing(event: Event): void {
  event.preventDefault()
}

interface HourProps {
  readonly label: string
  readonly value: string
  readonly onValue: (value: string) => void
}

function Hour({ label, value, onValue }: HourProps) {
  return (
    <label class="field">
      {label}
      <input type="time" required value={value} onInput={(event) => onValue(event.currentTarget.value)} />
    </label>
  )
}

interface RejectingProps {
  readonly review: Review
  readonly busy: boolean
  readonly error: Refused | undefined
  /** Text with which the reason begins. */
  readonly begun?: string
  readonly onClose: () => void
  readonly onReject: (reason: string) => void
}

/**
 * Asks for a reason before the rejection, because the requester reads it. The dialog stays when somebody else
 * decides meanwhile: without it, the rest of the reason would be typed as keys of the view.
 */
export function Rejecting({ review, busy, error, begun = '', onClose, onReject }: RejectingProps) {
  const [reason, setReason] = useState(begun)
  const isOver = !review.can.reject
  return (
    <Dialog
      title={
        <>
          Reject <RequestName review={review} />?
        </>
      }
      onClose={onClose}
    >
      <form class="stack" onSubmit={doNothing}>
        <TextField
          label="Reason"
          hint="The requester can read the reason."
          value={reason}
          onValue={setReason}
          required
        />
        {isOver && (
          <Note tone="wait" role="alert" title="Somebody else has decided meanwhile.">
            <p>There is nothing to reject any more.</p>
          </Note>
        )}
        {error !== undefined && <Problem error={error} />}
        <div class="line">
          <button type="button" class="button push" onClick={onClose}>
            Back
          </button>
          <button
            type="button"
            class="button is-danger"
            disabled={busy || isOver || reason.trim() === ''}
            onClick={() => onReject(reason)}
          >
            Reject with this reason
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/**
 * Withdraws the request. The first session of a batch waits for the approval, but the batch is stopped as a
 * whole.
 */
export function withdraw({ batch, session }: Review): Promise<unknown> {
  if (batch === undefined) return stopSession(session)
  return ask('POST', `/api/batches/${encodeURIComponent(batch.id)}/stop`, { body: {} })
}
