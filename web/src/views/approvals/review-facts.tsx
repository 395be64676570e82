import type { Review } from '../../api/types.ts'
import { Fact } from '../../parts/facts.tsx'
import { Moment } from '../../parts/moment.tsx'
import { batchPath } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'

type Shown = Omit<Review, 'session'>

/** The target of an approval: `web-01`, or `12 connections`. */
export function placeOf({ connection, batch }: Shown): string {
  const count = batch?.waves.flat().length
  return count === undefined ? connection : `${count} ${count === 1 ? 'connection' : 'connections'}`
}

/** All connections of a batch, wave by wave. */
export function ReviewedBatch({ review }: { readonly review: Shown }) {
  const { batch } = review
  if (batch === undefined) return null
  return (
    <section aria-label="Connections">
      <p>
        <strong>On {placeOf(review)}, once on each</strong>: {batch.parallel} at once, wave by wave. It stops
        after {batch.threshold} {batch.threshold === 1 ? 'failure' : 'failures'}.{' '}
        <a href={batchPath(batch.id)}>The batch</a>
      </p>
      <ol>
        {batch.waves.map((connections, wave) => (
          <li key={wave}>
            <Name>{connections.join(', ')}</Name>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** Who asks, who has said what, and until when. */
export function ReviewFacts({ review }: { readonly review: Shown }) {
  const { owner, connection, created_at: created, expires_at: expires, time_window: window } = review
  const { rejection_reason: reason = '' } = review
  return (
    <dl class="about">
      <Fact name="Asked by">
        <Name>{owner}</Name>
      </Fact>
      {review.batch === undefined && (
        <Fact name="Connection">
          <Name>{connection}</Name>
        </Fact>
      )}
      <Fact name="Asked">
        <Moment at={created} />
      </Fact>
      {review.status === 'PENDING' && (
        <Fact name="Waits until">
          <Moment at={expires} />
        </Fact>
      )}
      {window !== null && (
        <Fact name="May run">
          {visible(window.configuration.start_time)} to {visible(window.configuration.end_time)} UTC
        </Fact>
      )}
      <Sent name="Arguments" values={review.client_args} />
      <Sent name="Variables" values={namesOf('envvar:', review.env_vars)} />
      <Sent name="Files" values={namesOf('filesystem:', review.env_vars)} />
      {review.review_groups_data.map((one) => (
        <Group key={one.id} group={one} />
      ))}
      {reason !== '' && (
        <Fact name="Reason">
          <Name>{reason}</Name>
        </Fact>
      )}
    </dl>
  )
}

/** Keys of a request are `envvar:NAME` and `filesystem:NAME`. */
function namesOf(kind: string, keys: readonly string[]): string[] {
  return keys.filter((key) => key.startsWith(kind)).map((key) => key.slice(kind.length))
}

function Sent({ name, values }: { readonly name: string; readonly values: readonly string[] }) {
  if (values.length === 0) return null
  return (
    <>
      <dt>{name}</dt>
      <dd class="value">
        {values.map((value, index) => (
          <code key={index}>
            <Name>{value}</Name>{' '}
          </code>
        ))}
      </dd>
    </>
  )
}

type GroupOfReview = Review['review_groups_data'][number]

const SAID: Readonly<Record<GroupOfReview['status'], string>> = {
  PENDING: 'has not decided',
  APPROVED: 'approved',
  REJECTED: 'rejected',
  REVOKED: 'revoked',
}

function Group({ group }: { readonly group: GroupOfReview }) {
  const { status, reviewed_by: by, review_date: date, forced_review: isForced } = group
  return (
    <>
      <dt>
        Group <Name>{group.group}</Name>
      </dt>
      <dd>
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
      </dd>
    </>
  )
}

const STATES: Readonly<Record<Review['status'], string>> = {
  PENDING: 'waits for approval',
  APPROVED: 'approved',
  REJECTED: 'rejected',
  REVOKED: 'revoked',
  PROCESSING: 'running',
  EXECUTED: 'has run',
}

export function ReviewBadge({ status }: { readonly status: Review['status'] }) {
  return <span class={`badge badge-${status.toLowerCase()}`}>{STATES[status]}</span>
}
