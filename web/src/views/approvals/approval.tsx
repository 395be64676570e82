import { useCallback } from 'preact/hooks'
import { readReview, readSession } from '../../api/gateway.ts'
import { ask, Refused } from '../../api/request.ts'
import type { PreviousRun, Review, Session } from '../../api/types.ts'
import { fileOf, sessionName } from '../../parts/called.ts'
import { Coloured } from '../../parts/coloured.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { LoadedView } from '../../parts/loaded-view.tsx'
import { Fact, NamedValues } from '../../parts/facts.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { useTitle } from '../../parts/title.ts'
import { Trail } from '../../parts/trail.tsx'
import { visible, visibleLines } from '../../parts/visible.ts'
import { recordedParameters } from '../runbooks/recorded.ts'
import { DiffText } from '../diff/diff-text.tsx'
import { DecisionButtons } from './decision.tsx'
import { Held, namesOf, placeOf, ReviewedBatch, ReviewFacts, ReviewState, Sent } from './review-facts.tsx'

const LIST = { href: '/approvals', list: 'Approvals', label: 'All approvals' }

/** A request in full detail, and the decision about it. */
export default function Approval({ id }: { readonly id: string }) {
  const load = useCallback(
    async (signal: AbortSignal) => {
      const review = await readReview(id, signal)
      const session = await readSession(review.session, signal)
      return { review, session, before: await readBefore(id, signal) }
    },
    [id],
  )
  const loaded = useLoaded(load, ['reviews'])
  return (
    <LoadedView loaded={loaded} trail={<Trail {...LIST} />} heading="Approval">
      {(value) => <Shown {...value} reload={loaded.reload} />}
    </LoadedView>
  )
}

interface ShownProps {
  readonly review: Review
  readonly session: Session
  readonly before: Session | undefined
  readonly reload: () => void
}

function Shown({ review, session, before, reload }: ShownProps) {
  const name = sessionName(session)
  useTitle(visible(`${name} on ${placeOf(review)}`))
  return (
    <>
      <header class="head">
        <Trail {...LIST} file={fileOf(session)} />
        <h1>
          <Name>{name}</Name> on <bdi>{visible(placeOf(review))}</bdi>
          {review.batch !== undefined && ', once on each'}
        </h1>
        <ReviewState review={review} />
        <p>
          <Name>{review.owner}</Name> {review.status === 'PENDING' ? 'asks' : 'asked'} for it.{' '}
          <a href={sessionPath(session.id)}>The session</a>
        </p>
      </header>
      <Held review={review} />
      <div class="split is-wide-first">
        <div class="stack">
          <WhatRuns review={review} session={session} />
          {before !== undefined && <Changes before={before} now={session} />}
          <ReviewedBatch review={review} />
          <Given review={review} session={session} />
        </div>
        <section class="card stays" aria-labelledby="decision">
          <div class="card-head">
            <h2 id="decision">Decision</h2>
          </div>
          <div class="card-body">
            <ReviewFacts review={review} />
            <DecisionButtons review={review} onDecided={reload} />
          </div>
        </section>
      </div>
    </>
  )
}

function WhatRuns({ review, session }: Pick<ShownProps, 'review' | 'session'>) {
  const { data: script } = session.script
  return (
    <section class="card" aria-labelledby="what">
      <div class="card-head">
        <h2 id="what">What runs</h2>
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
          <pre class="script" tabIndex={0} aria-label="Script">
            <Coloured text={visibleLines(script)} file={review.runbook?.file ?? ''} />
          </pre>
        </>
      )}
    </section>
  )
}

/** Returns the last approved run of the same runbook, or undefined when the person can see no such run. */
async function readBefore(id: string, signal: AbortSignal): Promise<Session | undefined> {
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

/**
 * Shows the differences from the last approved run of the same runbook. The parameters come first, then the
 * lines of the script.
 */
function Changes({ before, now }: { readonly before: Session; readonly now: Session }) {
  const [was, is] = [recordedParameters(before.labels), recordedParameters(now.labels)]
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => was[name] !== is[name],
  )
  const lines = changedLines(before.script.data, now.script.data)
  return (
    <section class="card" aria-label="Changes">
      <div class="card-head">
        <h2>What is different</h2>
      </div>
      <div class="card-body">
        <p class="soft small">
          {names.length + lines.length === 0 ? 'Nothing, compared with ' : 'Compared with '}
          <a href={sessionPath(before.id)}>the last approved run</a> of this runbook.
        </p>
        {names.length > 0 && (
          <dl class="facts is-list" aria-label="Changed parameters">
            {names.map((name) => (
              <Fact key={name} name={<Name>{name}</Name>}>
                {visible(was[name] ?? 'not given')} → {visible(is[name] ?? 'not given')}
              </Fact>
            ))}
          </dl>
        )}
      </div>
      {lines.length > 0 && <DiffText diff={lines.join('\n')} />}
    </section>
  )
}

/** Maximum number of shown lines of the difference. */
const MOST_LINES = 1000

/** Returns the lines from the first to the last difference, marked with `-` and `+`. */
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

function Given({ review, session }: Pick<ShownProps, 'review' | 'session'>) {
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
