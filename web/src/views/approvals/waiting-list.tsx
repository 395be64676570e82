import type { Review } from '../../api/types.ts'
import { byEnd, WaitingRow } from './waiting-row.tsx'

interface WaitingListProps {
  readonly waiting: readonly Review[]
  readonly most: number
}

/** The requests that end first, as on the list of approvals. */
export default function WaitingList({ waiting, most }: WaitingListProps) {
  return (
    <ul class="rows is-asks">
      {byEnd(waiting)
        .slice(0, most)
        .map((review) => (
          <WaitingRow key={review.id} review={review} />
        ))}
    </ul>
  )
}
