import type { Review } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { waitingForMe } from '../../shell/mine.tsx'
import { byEnd } from './waiting-row.tsx'

/**
 * The requests before and after this one that wait for this person, and the number of all but this one. A decided
 * request keeps its place, so that nobody is led back to the requests that they have passed.
 */
export function neighbours(review: Review): {
  readonly previous: string | undefined
  readonly next: string | undefined
  readonly others: number
} {
  const others = waitingForMe.value.filter(({ id }) => id !== review.id)
  const all = byEnd([...others, review]).map(({ id }) => id)
  const at = all.indexOf(review.id)
  const first = at === 0 ? undefined : all[0]
  return { previous: all[at - 1], next: all[at + 1] ?? first, others: others.length }
}

interface NextRequestProps {
  readonly review: Review
  readonly isPrimary?: boolean
  /** Whether the link has only one word. */
  readonly isShort?: boolean
}

/** A link to the next request that waits for this person; nothing if there is none. */
export function NextRequest({ review, isPrimary = false, isShort = false }: NextRequestProps) {
  const { next, others } = neighbours(review)
  if (next === undefined) return null
  return (
    <a class={`button ${isPrimary ? 'is-primary' : ''}`} href={approvalPath(next)}>
      <Icon name="down" />
      {isShort ? 'Next' : 'Next request'}
      {!isShort && (
        <span class={isPrimary ? undefined : 'soft'}>{others === 1 ? '1 waits' : `${others} wait`}</span>
      )}
    </a>
  )
}
