import type { Review } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { State, type StateKind } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { DeciderNames, usualWaitText } from './deciders.tsx'
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
                <DeciderNames {...(approvers.find(({ group }) => group === one.group) ?? NOBODY)} />
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
              <DeciderNames {...one} />
            </span>
          </li>
        ))}
      </ul>
      {wait !== undefined && <p class="hint">{usualWaitText(wait)}</p>}
    </>
  )
}

const STATES = {
  PENDING: 'waiting',
  APPROVED: 'approved',
  REJECTED: 'rejected',
  REVOKED: 'rejected',
} as const satisfies Readonly<Record<Review['review_groups_data'][number]['status'], StateKind>>

const NOBODY = { names: [], others: 0 }
