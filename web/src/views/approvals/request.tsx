import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { readSession } from '../../api/gateway.ts'
import { ask, Refused } from '../../api/request.ts'
import type { PreviousRun, Review, Session } from '../../api/types.ts'
import { Coloured } from '../../parts/coloured.tsx'
import { Icon } from '../../parts/icon.tsx'
import { NamedValues } from '../../parts/facts.tsx'
import { Note } from '../../parts/messages.tsx'
import { saveFile } from '../../parts/save-file.ts'
import { visibleLines } from '../../parts/visible.ts'
import { recordedParameters } from '../runbooks/recorded.ts'
import { Changes, changesLeftOut } from './changes.tsx'
import { DecisionButtons } from './decision.tsx'
import { requestDiff } from './request-diff.ts'
import { namesOf, placeOf, ReviewedBatch, ReviewFacts, Sent } from './review-facts.tsx'

interface RequestProps {
  readonly review: Review
  readonly session: Session
  readonly before: Session | undefined
  /** Heading of the decision. */
  readonly title: string
  /** False when the view already has a button that withdraws the request. */
  readonly withdraws?: boolean | undefined
  readonly onDecided: () => void
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
  const unseen = [
    diff !== undefined && seen.diff === undefined && changesLeftOut(diff),
    script.length > MAX_CHARACTERS && seen.script === undefined && 'Not the whole script is shown.',
  ].filter((reason) => typeof reason === 'string')
  // Only a repair of the gateway's history shortens what is not from a list.
  const isLost = review.is_shortened === true || session.is_shortened === true
  return (
    <div class="split is-wide-first">
      <div class="stack">
        {diff !== undefined && (
          <Changes
            diff={diff}
            isWhole={seen.diff === 'opened'}
            onWhole={(how) => setSeen({ ...seen, diff: how })}
          />
        )}
        <WhatRuns
          review={review}
          session={session}
          isWhole={seen.script === 'opened'}
          onWhole={(how) => setSeen({ ...seen, script: how })}
        />
        <ReviewedBatch review={review} />
        <Given review={review} session={session} />
      </div>
      <section class="card stays" aria-labelledby="decision">
        <div class="card-head">
          <h2 id="decision">{title}</h2>
        </div>
        <div class="card-body">
          {children}
          <ReviewFacts review={review} />
          {isLost && (
            <Note tone="bad" title="A part of this request is lost.">
              <p>It cannot be approved, because nobody can see it whole. Reject it, and ask for it again.</p>
            </Note>
          )}
          <DecisionButtons
            review={isLost ? withoutApproval(review) : review}
            withdraws={withdraws}
            unseen={unseen}
            onDecided={onDecided}
          />
        </div>
      </section>
    </div>
  )
}

function withoutApproval(review: Review): Review {
  return { ...review, can: { ...review.can, approve: false, force: false } }
}

type How = 'opened' | 'downloaded'

/** How the person has seen the whole of what is not drawn at first. */
interface Seen {
  readonly diff?: How
  readonly script?: How
}

/** Maximum number of characters of a script that are drawn at first. */
const MAX_CHARACTERS = 500_000

interface WhatRunsProps extends Pick<RequestProps, 'review' | 'session'> {
  readonly isWhole: boolean
  readonly onWhole: (how: How) => void
}

function WhatRuns({ review, session, isWhole, onWhole }: WhatRunsProps) {
  const { data: script } = session.script
  const isCut = !isWhole && script.length > MAX_CHARACTERS
  return (
    <section class="card" aria-labelledby="what">
      <div class="card-head">
        <h2 id="what">What runs</h2>
        {isCut && <WholeScript script={script} onWhole={onWhole} />}
      </div>
      {script === '' ? (
        <p class="card-body soft small">
          This request is for a terminal. The commands that the user will type are not known yet.
        </p>
      ) : (
        <>
          <p class="card-body soft small">
            Exactly this script runs,{' '}
            {review.batch === undefined ? 'once' : `on ${placeOf(review)}, once on each`}. Secrets in it are
            replaced here.
          </p>
          {isCut && (
            <Note tone="bad" title="Only the beginning of the script is shown.">
              <p>
                {MAX_CHARACTERS.toLocaleString()} of {script.length.toLocaleString()} characters.
              </p>
            </Note>
          )}
          <pre class="script" tabIndex={0} aria-label="Script">
            <Coloured
              text={visibleLines(isCut ? script.slice(0, MAX_CHARACTERS) : script)}
              file={review.runbook?.file ?? ''}
            />
          </pre>
        </>
      )}
    </section>
  )
}

function WholeScript({ script, onWhole }: { readonly script: string } & Pick<WhatRunsProps, 'onWhole'>) {
  const download = () => {
    saveFile(new Blob([script], { type: 'text/plain' }), 'script.txt')
    onWhole('downloaded')
  }
  return (
    <div class="line push">
      <button type="button" class="button is-small" onClick={() => onWhole('opened')}>
        Show the whole script
      </button>
      <button type="button" class="button is-small" onClick={download}>
        <Icon name="download" small />
        Download
      </button>
    </div>
  )
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

function Given({ review, session }: Pick<RequestProps, 'review' | 'session'>) {
  const parameters = recordedParameters(session.labels)
  const { client_args: args, env_vars: variables } = review
  if (Object.keys(parameters).length + args.length + variables.length === 0) return null
  return (
    <section class="card" aria-labelledby="given">
      <div class="card-head">
        <h2 id="given">Parameters and variables</h2>
      </div>
      <dl class="card-body facts is-list" aria-label="Parameters">
        <NamedValues values={parameters} />
        <Sent name="Arguments" values={args} />
        <Sent name="Variables" values={namesOf('envvar:', variables)} />
        <Sent name="Files" values={namesOf('filesystem:', variables)} />
      </dl>
    </section>
  )
}
