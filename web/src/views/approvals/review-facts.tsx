import { person } from '../../api/person.ts'
import type { Review, ReviewInSession } from '../../api/types.ts'
import { Fact } from '../../parts/facts.tsx'
import { Note } from '../../parts/messages.tsx'
import { Moment, TimeLeft } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { State, type StateKind } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import './approval.css'
import { placeOf } from './place-of.ts'
import { runsText, type Runs } from './outcomes-text.ts'

type Shown = ReviewInSession

export function ReviewedBatch({ review }: { readonly review: Shown }) {
  const { batch } = review
  if (batch === undefined) return null
  return (
    <section class="card" aria-label="Connections">
      <div class="card-head">
        <h2>Runs on {placeOf(review)}, once on each</h2>
        <a class="push small" href={batchPath(batch.id)}>
          Open the batch
        </a>
      </div>
      <dl class="plan">
        {batch.waves.map((connections, wave) => (
          <div key={wave}>
            <dt>{waveText(wave, connections.length, batch.parallel)}</dt>
            <dd>
              <ul class="hosts">
                {connections.map((name) => (
                  <li key={name} class="chip is-plain">
                    <Name>{name}</Name>
                  </li>
                ))}
              </ul>
            </dd>
          </div>
        ))}
      </dl>
      <p class="card-foot soft">
        The batch stops after {batch.threshold} {batch.threshold === 1 ? 'failure' : 'failures'}.
      </p>
    </section>
  )
}

/** Returns `1 first`, `then 5 at once`, or `then 12, 5 at once`. */
function waveText(wave: number, connections: number, parallel: number): string {
  if (wave === 0 && connections === 1) return '1 first'
  const start = wave === 0 ? '' : 'then '
  const atOnce = Math.min(connections, parallel)
  return atOnce === connections
    ? `${start}${connections} at once`
    : `${start}${connections}, ${atOnce} at once`
}

/** Shows why the gateway has not run the approved request yet. */
export function Held({ review: { held } }: { readonly review: Shown }) {
  if (held === undefined) return null
  return (
    <Note tone="wait" title="Approved, but on hold">
      <p>
        {visible(held.message)}
        {held.code === 'outside-time-window' && '. The gateway runs the request when its hours begin.'}
      </p>
    </Note>
  )
}

/** Shows the decisions so far, and the end of the wait. Each view that has them says above who asked for what, where and when. */
export function ReviewFacts({ review }: { readonly review: Shown }) {
  const { expires_at: expires, time_window: window } = review
  const { rejection_reason: reason = '', withdrawn_by: withdrawnBy } = review
  return (
    <dl class="facts is-list">
      {review.status === 'PENDING' && (
        <Fact name="Waits until">
          <Moment at={expires} />, <TimeLeft until={expires} />
        </Fact>
      )}
      {window !== null && (
        <Fact name="May run">
          {visible(window.configuration.start_time)} to {visible(window.configuration.end_time)} UTC
        </Fact>
      )}
      {review.review_groups_data.map((one) => (
        <Group key={one.id} group={one} />
      ))}
      {withdrawnBy !== undefined && (
        <Fact name="End">
          {withdrawnBy === person.value?.name ? (
            'You withdrew this request'
          ) : (
            <>
              Withdrawn by <Name>{withdrawnBy}</Name>
            </>
          )}
        </Fact>
      )}
      {reason !== '' && withdrawnBy === undefined && (
        <Fact name="Reason">
          <Name>{reason}</Name>
        </Fact>
      )}
    </dl>
  )
}

type GroupOfReview = ReviewInSession['review_groups_data'][number]

const SAID: Readonly<Record<GroupOfReview['status'], string>> = {
  PENDING: 'has not decided',
  APPROVED: 'approved',
  REJECTED: 'rejected',
  REVOKED: 'revoked',
}

function Group({ group }: { readonly group: GroupOfReview }) {
  return (
    <Fact
      name={
        <>
          Group <Name>{group.group}</Name>
        </>
      }
    >
      <Decided group={group} />
    </Fact>
  )
}

/** Says how a group has decided, who did, when, and with which comment. */
export function Decided({ group }: { readonly group: GroupOfReview }) {
  const { status, reviewed_by: by, review_date: date, forced_review: isForced, comment = '' } = group
  return (
    <>
      {isForced ? 'forced' : SAID[status]}
      {by !== null && (
        <>
          {' '}
          by <Name>{by.name}</Name>
        </>
      )}
      {date !== null && (
        <>
          , <Moment at={date} />
        </>
      )}
      {comment !== '' && (
        <>
          : “<Name>{comment}</Name>”
        </>
      )}
    </>
  )
}

const STATES = {
  PENDING: ['waiting', 'waits for approval'],
  APPROVED: ['approved', 'approved'],
  REJECTED: ['rejected', 'rejected'],
  REVOKED: ['rejected', 'revoked'],
  PROCESSING: ['running', 'running'],
  EXECUTED: ['closed', 'has run'],
} as const satisfies Readonly<Record<ReviewInSession['status'], readonly [StateKind, string]>>

/** A request that has run shows how it ended. */
export function ReviewState({ review }: { readonly review: Review }) {
  const { status, withdrawn_by: by, runs } = review
  if (by !== undefined) return <State kind="withdrawn" />
  const [kind, words] = STATES[status]
  if (runs === undefined) return <State kind={kind}>{words}</State>
  return <State kind={kindOfRuns(runs)}>{runsText(runs)}</State>
}

function kindOfRuns({ running, failed, succeeded, stopped }: Runs): StateKind {
  if (running > 0) return 'running'
  if (failed > 0) return 'failed'
  return stopped === 0 && succeeded > 0 ? 'succeeded' : 'stopped'
}
