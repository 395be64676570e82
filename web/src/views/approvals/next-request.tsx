import { Icon } from '../../parts/icon.tsx'
import { approvalPath } from '../../parts/paths.ts'
import { waitingForMe } from '../../shell/mine.tsx'
import { byEnd } from './waiting-row.tsx'

/** The requests before and after this one that wait for this person, and the number of all but this one. */
export function neighbours(id: string): {
  readonly previous: string | undefined
  readonly next: string | undefined
  readonly others: number
} {
  const waiting = byEnd(waitingForMe.value).map((review) => review.id)
  const at = waiting.indexOf(id)
  const others = waiting.filter((one) => one !== id)
  return {
    previous: waiting[at - 1],
    next: at < 0 ? others[0] : (waiting[at + 1] ?? others[0]),
    others: others.length,
  }
}

interface NextRequestProps {
  readonly id: string
  readonly isPrimary?: boolean
  /** Whether the link has only one word. */
  readonly isShort?: boolean
}

/** A link to the next request that waits for this person; nothing if there is none. */
export function NextRequest({ id, isPrimary = false, isShort = false }: NextRequestProps) {
  const { next, others } = neighbours(id)
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
