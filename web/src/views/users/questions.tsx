import { DangerDialog } from '../../parts/danger-dialog.tsx'
import { Name } from '../../parts/text.tsx'
import type { AboutUserProps } from './change-groups.tsx'

const pathOf = ({ name }: { readonly name: string }) => `/api/users/${encodeURIComponent(name)}`

/** Asks before a user is deactivated; this can be undone. */
export function Deactivate({ user, busy, error, make, onClose }: AboutUserProps) {
  return (
    <DangerDialog
      title={
        <>
          Deactivate <Name>{user.name}</Name>?
        </>
      }
      busy={busy}
      error={error}
      keep="Leave active"
      icon="ban"
      action="Deactivate"
      onAct={() => make({ method: 'PUT', path: pathOf(user), body: { status: 'inactive' } })}
      onClose={onClose}
    >
      <p>
        None of the user's tokens is accepted until you activate the user again. Terminals and commands that
        the user follows end within a second.
      </p>
    </DangerDialog>
  )
}

export function Remove({ user, busy, error, make, onClose }: AboutUserProps) {
  return (
    <DangerDialog
      title={
        <>
          Remove <Name>{user.name}</Name>?
        </>
      }
      busy={busy}
      error={error}
      keep="Keep the user"
      icon="cross"
      action="Remove user"
      onAct={() => make({ method: 'DELETE', path: pathOf(user) })}
      onClose={onClose}
    >
      <p>
        The user is removed with all tokens, which never come back. The sessions stay, under this name. To
        shut the user out for a time, deactivate instead.
      </p>
    </DangerDialog>
  )
}
