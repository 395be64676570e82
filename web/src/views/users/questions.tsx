import { DangerDialog } from '../../parts/danger-dialog.tsx'
import { Name } from '../../parts/text.tsx'
import type { AboutUserProps } from './change-groups.tsx'

const pathOf = ({ name }: { readonly name: string }) => `/api/users/${encodeURIComponent(name)}`

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
        The gateway accepts no token of the user until you activate the user again. The user's terminals and
        followed commands end within a second.{' '}
      </p>
    </DangerDialog>
  )
}

export function Delete({ user, busy, error, make, onClose }: AboutUserProps) {
  return (
    <DangerDialog
      title={
        <>
          Delete <Name>{user.name}</Name>?
        </>
      }
      busy={busy}
      error={error}
      keep="Keep the user"
      icon="cross"
      action="Delete user"
      onAct={() => make({ method: 'DELETE', path: pathOf(user) })}
      onClose={onClose}
    >
      <p>
        The user and all their tokens are deleted, and the tokens cannot be restored. The user's sessions are
        kept under this name. Requests of the user that wait for an approval never run, also if somebody
        approves them. To refuse the user only for a time, deactivate the user instead.
      </p>
    </DangerDialog>
  )
}
