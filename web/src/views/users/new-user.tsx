import type { Change } from '../../api/fresh.ts'
import type { Refused } from '../../api/request.ts'
import { Choice } from '../../form/choice.tsx'
import { useTabDraft } from '../../form/tab-draft.ts'
import { TextField } from '../../form/text-field.tsx'
import { FormDialog } from '../../parts/form-dialog.tsx'
import { GroupsField } from './groups-field.tsx'
import { groupsOf, type Role } from './of-user.ts'

interface NewUserProps {
  readonly busy: boolean
  readonly error: Refused | undefined
  readonly make: (change: Change) => void
  readonly onClose: () => void
}

interface Draft {
  readonly name: string
  readonly kind: string
  readonly role: Role
  readonly groups: string
}

const KINDS = [
  ['person', 'Person'],
  ['machine', 'Machine: never approves, and may have a budget'],
] as const

export function NewUser({ busy, error, make, onClose }: NewUserProps) {
  const draft = useTabDraft<Draft>('user', { name: '', kind: 'person', role: 'standard', groups: '' })
  const { name, kind, role, groups } = draft.values
  const submit = () => {
    draft.forget()
    const body = { email: name.trim(), kind, groups: groupsOf(role, groups) }
    make({ method: 'POST', path: '/api/users', body })
  }
  return (
    <FormDialog
      title="New user"
      error={error}
      onSubmit={submit}
      onClose={onClose}
      action="Create user"
      disabled={busy || name.trim() === ''}
    >
      <TextField
        label="Name"
        hint="An email address, or a name without spaces. Sessions are recorded under this name. The name cannot be changed later."
        value={name}
        onValue={(value) => draft.set({ name: value })}
        required
        autoFocus
      />
      <Choice label="Kind" value={kind} onValue={(value) => draft.set({ kind: value })} options={KINDS} />
      <GroupsField role={role} groups={groups} onChange={draft.set} />
      <p class="hint">The user signs in with a token, which you create next.</p>
    </FormDialog>
  )
}
