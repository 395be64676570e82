import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { readSession } from '../../api/gateway.ts'
import { ask, Refused } from '../../api/request.ts'
import type { PreviousRun, Review, Session } from '../../api/types.ts'
import { Note } from '../../parts/messages.tsx'
import { TimeLeft } from '../../parts/moment.tsx'
import './approval.css'
import { Changes, changesLeftOut, changesText } from './changes.tsx'
import { DecisionButtons } from './decision.tsx'
import { FirstRunCard } from './first-run-card.tsx'
import { NextRequest } from './next-request.tsx'
import { Outcomes } from './outcomes.tsx'
import { requestDiff, type RequestDiff } from './request-diff.ts'
import { RequestFacts } from './request-facts.tsx'
import { placeOf } from './place-of.ts'
import { ReviewedBatch, ReviewFacts } from './review-facts.tsx'
import { MAX_CHARACTERS, ScriptCard, type How } from './script-card.tsx'
import { hasValues, Values } from './values.tsx'
import { WhoDecides } from './who-decides.tsx'

interface RequestProps {
  readonly review: Review
  readonly session: Session
  readonly before: Session | undefined
  /** Heading of the decision. */
  readonly title: string
  /** False when the view already has a button that withdraws the request. */
  readonly withdraws?: boolean | undefined
  readonly onDecided: (after?: Review) => void
  /** Shown above the facts of the review. */
  readonly children?: ComponentChildren
}

/** Shows the whole request beside the decision. What is not drawn has to be opened before an approval. */
export function Request({ review, session, before, title, withdraws, onDecided, children }: RequestProps) {
  const { data: script } = session.script
  const diff = useMemo(
    () => (before === undefined ? undefined : requestDiff(before, session, review)),
    [before, session, review],
  )
  const [seen, setSeen] = useState<Seen>({})
  // What is the same as in the last approved run was seen then.
  const isScriptCut = diff === undefined && script.length > MAX_CHARACTERS
  const unseen = [
    diff !== undefined && seen.diff === undefined && changesLeftOut(diff),
    isScriptCut && seen.script === undefined && 'Not the whole script is shown.',
  ].filter((reason) => typeof reason === 'string')
  // Only a repair of the gateway's history shortens what is not from a list.
  const isLost = review.is_shortened === true || session.is_shortened === true
  const waits = review.status === 'PENDING'
  return (
    <>
      <div class="split is-wide-first">
        <div class="stack">
          {diff === undefined ? (
            <ScriptCard
              review={review}
              session={session}
              isWhole={seen.script === 'opened'}
              onWhole={(how) => setSeen({ ...seen, script: how })}
            >
              {hasValues({ review, session }) ? <Values review={review} session={session} /> : undefined}
            </ScriptCard>
          ) : (
            <Changes
              diff={diff}
              review={review}
              session={session}
              isWhole={seen.diff === 'opened'}
              onWhole={(how) => setSeen({ ...seen, diff: how })}
            />
          )}
          {review.first !== undefined && <FirstRunCard first={review.first} />}
          <ReviewedBatch review={review} />
          <Outcomes review={review} session={session} />
        </div>
        <section class="card stays" aria-labelledby="decision">
          <div class="card-head">
            <h2 id="decision" tabIndex={-1}>
              {title}
            </h2>
            {waits && (
              <span class="chip is-plain push">
                <TimeLeft until={review.expires_at} />
              </span>
            )}
          </div>
          <div class="card-body">
            {children}
            {waits ? <WhoDecides review={review} /> : <ReviewFacts review={review} />}
            {waits && review.reason === undefined && review.reason_need !== undefined && (
              <p class="soft">No reason is given.</p>
            )}
            {waits && <RequestFacts review={review} />}
            {isLost && (
              <Note tone="bad" title="A part of this request is lost.">
                <p>
                  It cannot be approved, because nobody can see it whole. Reject it, and ask for it again.
                </p>
              </Note>
            )}
            <DecisionButtons
              key={review.id}
              review={isLost ? withoutApproval(review) : review}
              withdraws={withdraws}
              unseen={unseen}
              onDecided={onDecided}
            />
          </div>
        </section>
      </div>
      {waits && decides(review) && <DecisionBar review={review} diff={diff} />}
    </>
  )
}

/** Requesters may withdraw their request, which is no decision. */
function decides({ can }: Review): boolean {
  return can.approve || (can.reject && !can.withdraw)
}

interface DecisionBarProps {
  readonly review: Review
  readonly diff: RequestDiff | undefined
}

/** Stays at the lower edge of a narrow window, where the decision is below the request. */
function DecisionBar({ review, diff }: DecisionBarProps) {
  const decide = () => {
    const heading = document.getElementById('decision')
    heading?.closest('section')?.querySelector('.decide')?.scrollIntoView({ block: 'end' })
    heading?.focus({ preventScroll: true })
  }
  return (
    <div class="bar decision-bar only-narrow" role="group" aria-label="Decision">
      <div class="row-text">
        <strong>{placeOf(review)}</strong>
        <span class="under">{diff === undefined ? 'no approved run before' : changesText(diff)}</span>
      </div>
      <NextRequest review={review} isShort />
      <button type="button" class="button is-primary" onClick={decide}>
        Decide
      </button>
    </div>
  )
}

function withoutApproval(review: Review): Review {
  return { ...review, can: { ...review.can, approve: false, force: false } }
}

/** How the person has seen the whole of what is not drawn at first. */
interface Seen {
  readonly diff?: How
  readonly script?: How
}

/** Returns the last approved run of the same runbook, or undefined when the person can see no such run. */
export async function readBefore(id: string, signal: AbortSignal): Promise<Session | undefined> {
  try {
    const path = `/api/reviews/${encodeURIComponent(id)}/previous`
    const before = await ask<PreviousRun>('GET', path, { signal })
    return before === null ? undefined : await readSession(before.session, signal)
  } catch (error) {
    // Leaves out the comparison, because the view works without it.
    if (error instanceof Refused) return undefined
    throw error
  }
}
