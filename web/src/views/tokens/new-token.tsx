import type { Change } from '../../api/fresh.ts'
import { mayAdminister, person } from '../../api/person.ts'
import type { Refused } from '../../api/request.ts'
import { useTabDraft } from '../../form/tab-draft.ts'
import { TextField } from '../../form/text-field.tsx'
import { FormDialog } from '../../parts/form-dialog.tsx'
import { visible } from '../../parts/visible.ts'
import { Lifetime, LIFETIMES, lifetimeSeconds } from './lifetime.tsx'

interface NewTokenProps {
  /** The owner, if the user cannot choose one. */
  readonly user?: string
  readonly busy: boolean
  readonly error: Refused | undefined
  readonly make: (change: Change) => void
  readonly onClose: () => void
}

export function NewToken({ user, busy, error, make, onClose }: NewTokenProps) {
  const own = person.value?.name ?? ''
  const draft = useTabDraft(`token ${user ?? ''}`, {
    name: '',
    user: user ?? own,
    lifetime: '7776000',
    use: '',
  })
  const { name, lifetime, use } = draft.values
  const owner = user ?? draft.values.user
  const seconds = lifetimeSeconds(lifetime)
  const submit = () => {
    draft.forget()
    const isForMcp = owner !== own && use === 'mcp'
    const body = { name, user: owner, expires_in: seconds, ...(isForMcp && { for: 'mcp' }) }
    make({ method: 'POST', path: '/api/tokens', body })
  }
  return (
    <FormDialog
      title="New token"
      error={error}
      onSubmit={submit}
      onClose={onClose}
      action="Create token"
      disabled={busy || name.trim() === '' || owner.trim() === '' || seconds === undefined}
    >
      <TextField
        label="Name"
        hint="What the token is for, such as laptop or ci."
        value={name}
        onValue={(value) => draft.set({ name: value })}
        required
        autoFocus
      />
      {user === undefined && mayAdminister() && (
        <TextField
          label="User"
          hint="The token has the rights of this user."
          value={owner}
          onValue={(value) => draft.set({ user: value })}
          required
        />
      )}
      <Lifetime
        label="Lifetime"
        value={lifetime}
        onValue={(value) => draft.set({ lifetime: value })}
        options={LIFETIMES}
      />
      {owner !== own && (
        <label class="tick">
          <input
            type="checkbox"
            checked={use === 'mcp'}
            onChange={(event) => draft.set({ use: event.currentTarget.checked ? 'mcp' : '' })}
          />
          Only for AI agents (/mcp)
        </label>
      )}
      <p class="hint" dir="auto">
        {owner !== own && use === 'mcp' ? (
          <>Only /mcp accepts the token. Its user has to be a machine.</>
        ) : (
          <>
            Anyone who has the token can do everything that{' '}
            {owner === own ? 'you' : visible(owner || 'its user')} may do.
          </>
        )}
      </p>
    </FormDialog>
  )
}
