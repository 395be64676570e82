import { useState } from 'preact/hooks'
import { decide, type Decision } from '../../api/gateway.ts'
import { mayRun, person } from '../../api/person.ts'
import type { Review } from '../../api/types.ts'
import { TextField } from '../../form/text-field.tsx'
import { useAction } from '../../parts/action.ts'
import { Problem } from '../../parts/messages.tsx'

type Decided = Pick<Review, 'id' | 'status' | 'owner' | 'review_groups_data' | 'force_approval_groups'>

interface DecisionButtonsProps {
  readonly review: Decided
  readonly onDecided: () => void
}

/** Approve, or reject with a reason. */
export function DecisionButtons({ review, onDecided }: DecisionButtonsProps) {
  const [reason, setReason] = useState('')
  const { busy, error, act } = useAction(onDecided)
  const send = (decision: Decision) => act(() => decide(review.id, decision))
  if (!mayRun()) return <p class="hint">Auditors look at approvals, and decide nothing.</p>
  if (review.status === 'APPROVED')
    return (
      <div class="actions">
        <button disabled={busy} onClick={() => send({ status: 'REVOKED' })}>
          Revoke
        </button>
        {error !== undefined && <Problem error={error} />}
      </div>
    )
  if (review.status !== 'PENDING') return null
  return (
    <div class="decision">
      <div class="actions">
        {mayApprove(review) && (
          <button class="primary" disabled={busy} onClick={() => send({ status: 'APPROVED' })}>
            Approve
          </button>
        )}
        <button
          class="danger"
          disabled={busy}
          onClick={() => send({ status: 'REJECTED', ...(reason !== '' && { rejection_reason: reason }) })}
        >
          Reject
        </button>
        {mayForce(review) && (
          <button disabled={busy} onClick={() => send({ status: 'APPROVED', force_review: true })}>
            Force approval
          </button>
        )}
      </div>
      <TextField label="Reason" hint="Said with a rejection." value={reason} onValue={setReason} />
      {error !== undefined && <Problem error={error} />}
    </div>
  )
}

/** Somebody of a group that has not decided yet. Whether it is one's own is the gateway's to say. */
function mayApprove({ review_groups_data: groups }: Decided): boolean {
  const mine = person.value?.groups ?? []
  return groups.some(({ group, status }) => status === 'PENDING' && mine.includes(group))
}

function mayForce({ force_approval_groups: groups }: Decided): boolean {
  const mine = person.value?.groups ?? []
  return groups.some((group) => mine.includes(group))
}
