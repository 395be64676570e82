import { useState } from 'preact/hooks'
import type { Change } from '../../api/fresh.ts'
import type { Refused } from '../../api/request.ts'
import type { User } from '../../api/types.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import { GroupsField } from './groups-field.tsx'
import { groupsOf, plainGroups, roleOf } from './of-user.ts'

export interface AboutUserProps {
  readonly user: User
  readonly busy: boolean
  readonly error: Refused | undefined
  readonly make: (change: Change) => void
  readonly onClose: () => void
}

/** Form for role and groups of a user; changes apply from the next request on. */
export function ChangeGroups({ user, busy, error, make, onClose }: AboutUserProps) {
  const [draft, setDraft] = useState({ role: roleOf(user), groups: plainGroups(user).join(' ') })
  const submit = (event: Event) => {
    event.preventDefault()
    const body = { groups: groupsOf(draft.role, draft.groups) }
    make({ method: 'PUT', path: `/api/users/${encodeURIComponent(user.name)}`, body })
  }
  return (
    <Dialog
      title={
        <>
          Groups of <Name>{user.name}</Name>
        </>
      }
      onClose={onClose}
    >
      <form class="stack" onSubmit={submit}>
        {error !== undefined && <Problem error={error} />}
        <GroupsField {...draft} onChange={(changed) => setDraft((before) => ({ ...before, ...changed }))} />
        <div class="line">
          <button type="button" class="button push" onClick={onClose}>
            Cancel
          </button>
          <button class="button is-primary" disabled={busy}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  )
}
