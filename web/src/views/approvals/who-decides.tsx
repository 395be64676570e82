import { person } from '../../api/person.ts'
import type { Review } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { State, type StateKind } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { Decided } from './review-facts.tsx'
import { effectText, ruleText } from './rule-text.ts'

/** The rule of a request as a sentence, and who can decide by name. */
export function WhoDecides({ review }: { readonly review: Review }) {
  const effect = effectText(review)
  const { approvers = [], usual_wait: wait } = review
  const forcing = approvers.filter(({ can_force: can }) => can === true)
  return (
    <>
      <div class="rule">
        <Icon name="approve" />
        <p>
          <strong>{ruleText(review.rule)}.</strong>
          {effect !== undefined && <span class="under">{effect}</span>}
        </p>
      </div>
      <ul class="who-decides" aria-label="Who can decide">
        {review.review_groups_data.map((one) => (
          <li key={one.id}>
            <State kind={STATES[one.status]}>
              <Name>{one.group}</Name>
            </State>
            <span>
              {one.status === 'PENDING' ? (
                <Names {...(approvers.find(({ group }) => group === one.group) ?? NOBODY)} />
              ) : (
                <Decided group={one} />
              )}
            </span>
          </li>
        ))}
        {forcing.map((one) => (
          <li key={`force ${one.group}`}>
            <State kind="off">
              <Name>{one.group}</Name>
            </State>
            <span>
              <Names {...one} />, alone and by force
            </span>
          </li>
        ))}
      </ul>
      {wait !== undefined && (
        <p class="hint">
          Such requests usually wait {waitText(wait.seconds)}: half of the last {wait.requests} were decided
          sooner.
        </p>
      )}
    </>
  )
}

const STATES = {
  PENDING: 'waiting',
  APPROVED: 'approved',
  REJECTED: 'rejected',
  REVOKED: 'rejected',
} as const satisfies Readonly<Record<Review['review_groups_data'][number]['status'], StateKind>>

type Approvers = NonNullable<Review['approvers']>[number]
const NOBODY = { names: [], others: 0 }

function Names({ names, others }: Pick<Approvers, 'names' | 'others'>) {
  if (names.length === 0) return <>nobody can decide for this group now</>
  const mine = person.value?.name
  const sorted = names.toSorted((a, b) => Number(b === mine) - Number(a === mine))
  return (
    <>
      {sorted.map((name, at) => (
        <span key={name}>
          {at > 0 && ', '}
          {name === mine ? 'you' : <Name>{name}</Name>}
        </span>
      ))}
      {others > 0 && ` and ${others} more`}
    </>
  )
}

function waitText(seconds: number): string {
  if (seconds < 60) return 'less than a minute'
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}
