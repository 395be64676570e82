import { Dialog } from '../../parts/dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Problem } from '../../parts/messages.tsx'
import { Name } from '../../parts/text.tsx'
import type { AboutUserProps } from './change-groups.tsx'

const pathOf = ({ name }: { readonly name: string }) => `/api/users/${encodeURIComponent(name)}`

/** Asks before a user is deactivated; this can be undone. */
export function Deactivate({ user, busy, error, make, onClose }: AboutUserProps) {
  return (
    <Dialog
      title={
        <>
          Deactivate <Name>{user.name}</Name>?
        </>
      }
      onClose={onClose}
    >
      {error !== undefined && <Problem error={error} />}
      <p>
        None of the user's tokens is accepted until you activate the user again. Terminals and commands that
        the user follows end within a second.
      </p>
      <div class="line">
        <button type="button" class="button push" onClick={onClose}>
          Leave active
        </button>
        <button
          type="button"
          class="button is-danger"
          disabled={busy}
          onClick={() => make({ method: 'PUT', path: pathOf(user), body: { status: 'inactive' } })}
        >
          <Icon name="ban" />
          Deactivate
        </button>
      </div>
    </Dialog>
  )
}

export function Remove({ user, busy, error, make, onClose }: AboutUserProps) {
  return (
    <Dialog
      title={
        <>
          Remove <Name>{user.name}</Name>?
        </>
      }
      onClose={onClose}
    >
      {error !== undefined && <Problem error={error} />}
      <p>
        The user is removed with all tokens, which never come back. The sessions stay, under this name. To
        shut the user out for a time, deactivate instead.
      </p>
      <div class="line">
        <button type="button" class="button push" onClick={onClose}>
          Keep the user
        </button>
        <button
          type="button"
          class="button is-danger"
          disabled={busy}
          onClick={() => make({ method: 'DELETE', path: pathOf(user) })}
        >
          <Icon name="cross" />
          Remove user
        </button>
      </div>
    </Dialog>
  )
}
