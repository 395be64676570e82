import { useState } from 'preact/hooks'
import type { Change } from '../../api/fresh.ts'
import type { Refused } from '../../api/request.ts'
import type { User } from '../../api/types.ts'
import { FormDialog } from '../../parts/form-dialog.tsx'
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

/** Changes apply to the user's next request. */
export function ChangeGroups({ user, busy, error, make, onClose }: AboutUserProps) {
  const [draft, setDraft] = useState({ role: roleOf(user), groups: plainGroups(user).join(' ') })
  const submit = () => {
    const body = { groups: groupsOf(draft.role, draft.groups) }
    make({ method: 'PUT', path: `/api/users/${encodeURIComponent(user.name)}`, body })
  }
  return (
    <FormDialog
      title={
        <>
          Groups of <Name>{user.name}</Name>
        </>
      }
      error={error}
      onSubmit={submit}
      onClose={onClose}
      action="Save"
      disabled={busy}
    >
      <GroupsField {...draft} onChange={(changed) => setDraft((before) => ({ ...before, ...changed }))} />
    </FormDialog>
  )
}
