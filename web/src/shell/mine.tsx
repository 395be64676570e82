import { computed, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { changesOf, type Topic } from '../api/changes.ts'
import { readOwnSessions, readReviews } from '../api/gateway.ts'
import { person } from '../api/person.ts'
import type { ListedSession, Review } from '../api/types.ts'
import { reviewedName, sessionName } from '../parts/called.ts'
import { approvalPath, sessionPath } from '../parts/paths.ts'
import { path } from '../parts/router.ts'
import { toast } from '../parts/toasts.tsx'
import { visible } from '../parts/visible.ts'
import { placeOf } from '../views/approvals/place-of.ts'
import { isApproved, isBad, isRunning, isWaiting } from '../views/sessions/state.tsx'
import { notify } from './notices.tsx'

// Lists for every view: the person's newest sessions, and the requests that wait for them. They are loaded
// again when the gateway announces a change.

/** Undefined before the first answer. */
export const ownSessions = signal<readonly ListedSession[] | undefined>(undefined)
const reviews = signal<readonly Review[] | undefined>(undefined)
/** Whether a run outside the open view has failed since the user opened this view. */
export const hasFailed = signal(false)

/** Requests that this person may see, the newest 1,000. Undefined before the first answer. */
export const knownReviews = computed(() => reviews.value)
export const waitingForMe = computed(() => (reviews.value ?? []).filter(isForMe))
/** Takes the answer to a decision into the list, which is otherwise loaded again only some time later. */
export function takeDecided(review: Review): void {
  reviews.value = reviews.peek()?.map((one) => (one.id === review.id ? review : one))
}

/** Sessions that run or wait for a lock. */
export const runningOfMine = computed(() => (ownSessions.value ?? []).filter(isRunning))

/** Sessions that wait for an approval, or are approved and have not run. */
export const askedByMe = computed(() =>
  (ownSessions.value ?? []).filter((session) => isWaiting(session) || isApproved(session)),
)

/** Whether this person can decide about the request. A person's own request waits for other people. */
function isForMe({ owner, can }: Review): boolean {
  return owner !== person.value?.name && (can.approve || can.force)
}

/** Minimum time in ms between two requests, because a busy gateway announces changes every second. */
const MIN_PAUSE_MS = 2000

/** Draws nothing: keeps the lists above up to date, and reports events of other views. */
export function Watch() {
  useKept(['sessions', 'reviews'], readOwnSessions, (value) => {
    tellEnded(ownSessions.peek(), value)
    ownSessions.value = value
  })
  useKept(['reviews'], readReviews, (value) => {
    tellAsked(reviews.peek(), value)
    reviews.value = value
  })
  const here = path.value
  useEffect(() => {
    hasFailed.value = false
  }, [here])
  useEffect(
    () => () => {
      ownSessions.value = undefined
      reviews.value = undefined
    },
    [],
  )
  return null
}

function useKept<Value>(
  topics: readonly Topic[],
  read: (signal: AbortSignal) => Promise<Value>,
  take: (value: Value) => void,
): void {
  const changes = changesOf(topics)
  useEffect(() => {
    const ended = new AbortController()
    const begin = () => {
      // Ignores an error, because the open view shows it. The lists keep their last values.
      read(ended.signal).then(take, () => undefined)
    }
    const timer = setTimeout(begin, changes === 0 ? 0 : MIN_PAUSE_MS)
    return () => {
      clearTimeout(timer)
      ended.abort()
    }
  }, [changes])
}

/** Returns the name of a session, such as `Refund an order on pg-shop`. */
function nameOf(session: ListedSession): string {
  return visible(`${sessionName(session)} on ${session.connection}`)
}

function tellEnded(before: readonly ListedSession[] | undefined, now: readonly ListedSession[]): void {
  const known = new Map(before?.map((session) => [session.id, session]))
  for (const session of now) {
    const earlier = known.get(session.id)
    const to = sessionPath(session.id)
    const hasEnded = session.status === 'done' && earlier !== undefined && earlier.status !== 'done'
    if (hasEnded && document.hidden && session.session_batch_id === undefined)
      notify({ id: `ended ${session.id}`, title: nameOf(session), body: visible(session.state.text), to })
    // No toast for a session of a batch. A batch has its own page, and there would be one toast per
    // connection.
    const isHere = path.peek() === to || session.session_batch_id !== undefined
    if (earlier === undefined || earlier.state.name === session.state.name || isHere) continue
    if (session.state.name === 'approved') toast(`${nameOf(session)} is approved`, { to })
    if (session.status !== 'done') continue
    const failed = isBad(session)
    if (failed) hasFailed.value = true
    toast(`${nameOf(session)}: ${visible(session.state.text)}`, {
      to,
      ...(failed && { tone: 'bad', icon: 'alert' }),
    })
  }
}

/** Reports new requests. Does not report the requests of the first load, because the badge shows them. */
function tellAsked(before: readonly Review[] | undefined, now: readonly Review[]): void {
  if (before === undefined) return
  const known = new Set(before.map(({ id }) => id))
  for (const review of now) {
    if (!isForMe(review) || known.has(review.id)) continue
    const to = approvalPath(review.id)
    notify({
      id: `asked ${review.id}`,
      title: 'A request waits for your approval',
      body: askedText(review),
      to,
    })
    if (!path.peek().startsWith('/approvals'))
      toast(visible(`${review.owner} asks for your approval on ${placeOf(review)}`), {
        tone: 'wait',
        icon: 'approve',
        to,
      })
  }
}

/** Returns a sentence such as `ann asks for Refund an order on pg-shop`. */
function askedText(review: Review): string {
  const what = reviewedName(review) ?? (review.type === 'jit' ? 'a terminal' : 'a script')
  return visible(`${review.owner} asks for ${what} on ${placeOf(review)}`)
}
