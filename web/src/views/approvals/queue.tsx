import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { decide } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import type { Review } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { Icon } from '../../parts/icon.tsx'
import { Problem } from '../../parts/messages.tsx'
import { useSingleKeys } from '../../parts/single-keys.ts'
import { takeDecided } from '../../shell/mine.tsx'
import { ApproveDialog } from './approve-dialog.tsx'
import { Rejecting, withdraw } from './decision.tsx'
import { byEnd, WaitingRow } from './waiting-row.tsx'

interface QueueProps {
  readonly waiting: readonly Review[]
  readonly onDecided: (after: Review) => void
  readonly reload: () => void
}

interface Asked {
  readonly review: Review
  readonly verdict: 'approve' | 'reject'
}

/** Requests that wait: those that this person can decide, and others. Keys go through them and decide. */
export function Queue({ waiting, onDecided, reload }: QueueProps) {
  const lists = useRef<HTMLDivElement>(null)
  const [asked, setAsked] = useState<Asked>()
  const { busy, error, act } = useAction(reload)
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set())
  const { sorted, mine, others } = useMemo(() => {
    const sorted = byEnd(waiting.filter(({ id }) => !gone.has(id)))
    return {
      sorted,
      mine: sorted.filter(isForMe),
      others: sorted.filter((review) => !isForMe(review)),
    }
  }, [waiting, gone])
  /** Row that gets the focus when the decided one has left the list. */
  const next = useRef<string | undefined>(undefined)
  // A decided request leaves the list at once, so that the keys go on from the next one, whenever they are pressed.
  useLayoutEffect(() => {
    const row = rowsIn(lists.current).find(({ dataset }) => dataset['review'] === next.current)
    row?.querySelector<HTMLElement>('a.whole')?.focus()
    next.current = undefined
  }, [gone])
  useEffect(() => {
    const ids = new Set(waiting.map(({ id }) => id))
    setGone((before) => (before.isSubsetOf(ids) ? before : before.intersection(ids)))
  }, [waiting])
  const move = (step: 1 | -1) => moveFocus(lists.current, step)
  const ask = (verdict: Asked['verdict']) => {
    const row = rowsIn(lists.current).find((one) => one.contains(document.activeElement))
    // The first press without a chosen row shows which request the next one asks about.
    if (row === undefined) {
      move(1)
      return true
    }
    const review = sorted.find((one) => one.id === row.dataset['review'])
    if (review === undefined || !review.can[verdict] || isOwn(review)) return false
    setAsked({ review, verdict })
    return true
  }
  useSingleKeys({
    j: () => move(1),
    k: () => move(-1),
    a: () => ask('approve'),
    r: () => ask('reject'),
  })
  const close = () => setAsked(undefined)
  const decided = (after: Review) => {
    close()
    if (after.status !== 'PENDING') {
      const at = mine.findIndex(({ id }) => id === after.id)
      next.current = (mine[at + 1] ?? mine[at - 1])?.id
      setGone((before) => new Set([...before, after.id]))
    }
    takeDecided(after)
    onDecided(after)
    reload()
  }
  // The same rows are not drawn again when a question opens: there may be hundreds.
  const rows = useMemo(
    () => (
      <>
        {mine.length > 0 && (
          <Rows title="Waiting for you" reviews={mine} hasKeys>
            {(review) => <Actions review={review} onAsk={(verdict) => setAsked({ review, verdict })} />}
          </Rows>
        )}
        {others.length > 0 && (
          <Rows title="Waiting for others" reviews={others}>
            {(review) => review.can.withdraw && <Withdraw review={review} reload={reload} />}
          </Rows>
        )}
      </>
    ),
    [mine, others, reload],
  )
  return (
    <div class="stack" ref={lists}>
      {error !== undefined && asked === undefined && <Problem error={error} />}
      {rows}
      {asked?.verdict === 'approve' && (
        <ApproveDialog review={asked.review} onDecided={decided} onClose={close} />
      )}
      {asked?.verdict === 'reject' && (
        <Rejecting
          // The list has the request as it is now, until somebody decides.
          review={waiting.find(({ id }) => id === asked.review.id) ?? withoutDecision(asked.review)}
          {...{ busy, error }}
          onClose={close}
          onReject={(reason) => {
            const { id } = asked.review
            act(async () => decided(await decide(id, { status: 'REJECTED', rejection_reason: reason })))
          }}
        />
      )}
    </div>
  )
}

function withoutDecision(review: Review): Review {
  return { ...review, can: { ...review.can, approve: false, reject: false, force: false } }
}

function isOwn({ owner }: Review): boolean {
  return owner === person.value?.name
}

/** Whether this person can decide about the request of another person. */
function isForMe(review: Review): boolean {
  return !isOwn(review) && (review.can.approve || review.can.force)
}

interface RowsProps {
  readonly title: string
  readonly reviews: readonly Review[]
  /** Whether the keys that decide are told. */
  readonly hasKeys?: boolean
  readonly children: (review: Review) => preact.ComponentChildren
}

function Rows({ title, reviews, hasKeys = false, children }: RowsProps) {
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <span class="count" aria-hidden="true">
          {reviews.length}
        </span>
      </div>
      <ul class="rows is-asks">
        {reviews.map((review) => (
          <WaitingRow key={review.id} review={review}>
            {children(review)}
          </WaitingRow>
        ))}
      </ul>
      {hasKeys && (
        <p class="card-foot soft small only-wide">
          <kbd>j</kbd> <kbd>k</kbd> next, previous · <kbd>Enter</kbd> open · <kbd>a</kbd> approve ·{' '}
          <kbd>r</kbd> reject, both after a question
        </p>
      )}
    </section>
  )
}

interface ActionsProps {
  readonly review: Review
  readonly onAsk: (verdict: Asked['verdict']) => void
}

function Actions({ review: { can }, onAsk }: ActionsProps) {
  return (
    <span class="line above asks-actions">
      {can.approve && (
        <button type="button" class="button is-small" onClick={() => onAsk('approve')}>
          <Icon name="check" small />
          Approve…
        </button>
      )}
      {can.reject && (
        <button type="button" class="button is-small is-danger-quiet" onClick={() => onAsk('reject')}>
          <Icon name="ban" small />
          Reject…
        </button>
      )}
    </span>
  )
}

/** Withdraws the person's own request in the list. */
function Withdraw({ review, reload }: { readonly review: Review; readonly reload: () => void }) {
  const { busy, error, act } = useAction(reload)
  return (
    <span class="above">
      <button
        type="button"
        class="button is-small"
        disabled={busy}
        title={error?.message}
        onClick={() => act(() => withdraw(review))}
      >
        Withdraw
      </button>
    </span>
  )
}

function rowsIn(lists: HTMLElement | null): HTMLElement[] {
  return [...(lists?.querySelectorAll<HTMLElement>('li[data-review]') ?? [])]
}

function moveFocus(lists: HTMLElement | null, step: 1 | -1): void {
  const rows = rowsIn(lists)
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const next = at < 0 ? rows.at(step > 0 ? 0 : -1) : rows[at + step]
  next?.querySelector<HTMLElement>('a.whole')?.focus()
}
