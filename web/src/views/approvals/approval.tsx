import { useCallback } from 'preact/hooks'
import { readReview, readSession } from '../../api/gateway.ts'
import { ask, Refused } from '../../api/request.ts'
import type { PreviousRun, Review, Session } from '../../api/types.ts'
import { useLoaded } from '../../parts/loaded.ts'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { Loading, Note, Problem } from '../../parts/messages.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { visible, visibleLines } from '../../parts/visible.ts'
import { recordedParameters } from '../runbooks/recorded.ts'
import { DiffText } from '../diff/diff-text.tsx'
import { titleOf } from '../sessions/list.tsx'
import { DecisionButtons } from './decision.tsx'
import { placeOf, ReviewBadge, ReviewedBatch, ReviewFacts } from './review-facts.tsx'

/** What somebody wants to run, exactly, and the decision. */
export default function Approval({ id }: { readonly id: string }) {
  const load = useCallback(
    async (signal: AbortSignal) => {
      const review = await readReview(id, signal)
      const session = await readSession(review.session, signal)
      return { review, session, before: await readBefore(id, signal) }
    },
    [id],
  )
  const { value, error, reload } = useLoaded(load, ['reviews'])
  return (
    <section class="view">
      <p class="back">
        <a href="/approvals">All approvals</a>
      </p>
      {value === undefined && <h1>Approval</h1>}
      {value === undefined && error === undefined && <Loading />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value !== undefined && <Shown {...value} reload={reload} />}
    </section>
  )
}

interface ShownProps {
  readonly review: Review
  readonly session: Session
  readonly before: Session | undefined
  readonly reload: () => void
}

function Shown({ review, session, before, reload }: ShownProps) {
  return (
    <>
      <h1>
        <bdi>{visible(titleOf(session))}</bdi> on <bdi>{visible(placeOf(review))}</bdi>
        {review.batch !== undefined && ', once on each'} <ReviewBadge status={review.status} />
      </h1>
      <ReviewedBatch review={review} />
      <ReviewFacts review={review} />
      {review.held !== undefined && (
        <Note tone="wait" title="Approved, and held">
          <p>{visible(review.held.message)}</p>
        </Note>
      )}
      <Parameters session={session} />
      {session.script.data === '' ? (
        <p class="hint">It asks for a terminal: what will be typed there is not known yet.</p>
      ) : (
        <>
          <h2>What runs</h2>
          <p class="hint">
            Exactly this, {review.batch === undefined ? 'once' : `on ${placeOf(review)}, once on each`}.
            Secrets in it are replaced here.
          </p>
          <pre class="script" tabIndex={0} aria-label="Script">
            {visibleLines(session.script.data)}
          </pre>
        </>
      )}
      {before !== undefined && <Changes before={before} now={session} />}
      <DecisionButtons review={review} session={session.id} onDecided={reload} />
      <p>
        <a href={sessionPath(session.id)}>The session</a>
      </p>
    </>
  )
}

/** The last approved run of the same runbook, with its script; undefined where there is none to be seen. */
async function readBefore(id: string, signal: AbortSignal): Promise<Session | undefined> {
  try {
    const path = `/api/reviews/${encodeURIComponent(id)}/previous`
    const before = await ask<PreviousRun>('GET', path, { signal })
    return before === null ? undefined : await readSession(before.session, signal)
  } catch (error) {
    // The decision does not wait for a comparison.
    if (error instanceof Refused) return undefined
    throw error
  }
}

/** What is different from the last approved run of the same runbook: parameters, then lines of the script. */
function Changes({ before, now }: { readonly before: Session; readonly now: Session }) {
  const [was, is] = [recordedParameters(before.labels), recordedParameters(now.labels)]
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => was[name] !== is[name],
  )
  const lines = changedLines(before.script.data, now.script.data)
  return (
    <section aria-label="Changes">
      <h2>What is different</h2>
      <p class="hint">
        Compared with <a href={sessionPath(before.id)}>the last approved run</a> of this runbook
        {names.length + lines.length === 0 && ': nothing'}.
      </p>
      {names.length > 0 && (
        <dl class="about" aria-label="Changed parameters">
          {names.map((name) => (
            <Fact key={name} name={visible(name)}>
              {visible(was[name] ?? 'not given')} → {visible(is[name] ?? 'not given')}
            </Fact>
          ))}
        </dl>
      )}
      {lines.length > 0 && <DiffText diff={lines.join('\n')} />}
    </section>
  )
}

/** Bound of the lines that are compared: more are shown as the script alone. */
const MOST_LINES = 1000

/** The lines of both scripts from their first to their last difference, marked; none where they are the same. */
function changedLines(before: string, now: string): string[] {
  const [was, is] = [before.split('\n'), now.split('\n')]
  let start = 0
  while (start < was.length && start < is.length && was[start] === is[start]) start++
  let end = 0
  while (end < Math.min(was.length, is.length) - start && was.at(-1 - end) === is.at(-1 - end)) end++
  const removed = was.slice(start, was.length - end).map((line) => `-${line}`)
  const added = is.slice(start, is.length - end).map((line) => `+${line}`)
  const all = [...removed, ...added]
  return all.length === 0 ? [] : [`@@ line ${start + 1} @@`, ...all.slice(0, MOST_LINES)]
}

function Parameters({ session }: { readonly session: Session }) {
  return (
    <dl class="about" aria-label="Parameters">
      <NamedValues values={recordedParameters(session.labels)} />
    </dl>
  )
}
