import type { ComponentChildren } from 'preact'
import { person } from '../../api/person.ts'
import type { Review } from '../../api/types.ts'
import { Icon, type IconName } from '../../parts/icon.tsx'
import { Moment, TimeLeft } from '../../parts/moment.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import './queue.css'
import { RequestFacts } from './request-facts.tsx'
import { RequestName } from './request-name.tsx'
import { placeOf } from './place-of.ts'
import { ruleText } from './rule-text.ts'

interface WaitingRowProps {
  readonly review: Review
  /** Buttons of the row. */
  readonly children?: ComponentChildren
}

/** A request that waits: what it is, who asks, where, since when, and facts. */
export function WaitingRow({ review, children }: WaitingRowProps) {
  const { id, owner, created_at: created, expires_at: expires, batch, summary } = review
  return (
    <li data-review={id}>
      <Icon name={iconOf(review)} />
      <div class="row-text">
        <a class="whole" href={approvalPath(id)}>
          <RequestName review={review} hasNames />
        </a>
        <span>
          <b>{owner === person.value?.name ? 'You' : <Name>{owner}</Name>}</b>
          {summary?.lines !== undefined && `, a script of ${count(summary.lines, 'line')},`} on{' '}
          <Name>{placeOf(review)}</Name>
          {batch !== undefined && batch.waves.length > 0 && (
            <>
              : <Name>{someOf(batch.waves.flat())}</Name>
            </>
          )}
        </span>
        <RequestFacts review={review} />
      </div>
      {children}
      <div class="ask-when">
        <Moment at={created} />
        <TimeLeft until={expires} />
      </div>
      <div class="ask-who">
        <State kind="waiting">
          {review.missing.length > 0 ? ruleText(review.missing) : 'waits for approval'}
        </State>
      </div>
    </li>
  )
}

function iconOf({ batch, type, runbook }: Review): IconName {
  if (batch !== undefined) return 'waves'
  return type === 'jit' || runbook === undefined ? 'terminal' : 'book'
}

function count(number: number, word: string): string {
  return `${number.toLocaleString()} ${word}${number === 1 ? '' : 's'}`
}

/** The first and the last name of many. */
function someOf(names: readonly string[]): string {
  return names.length <= 4 ? names.join(', ') : `${names.slice(0, 2).join(', ')}, … ${names.at(-1) ?? ''}`
}

/** Returns requests in the order in which they end. */
export function byEnd(reviews: readonly Review[]): readonly Review[] {
  return reviews.toSorted((a, b) => a.expires_at.localeCompare(b.expires_at))
}
