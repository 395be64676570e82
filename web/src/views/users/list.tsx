import type { Change } from '../../api/fresh.ts'
import { readTokens, readUsers } from '../../api/gateway.ts'
import { mayAdminister } from '../../api/person.ts'
import type { User } from '../../api/types.ts'
import { ListView } from '../../parts/lists/list-view.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { NewButton } from '../../parts/new-button.tsx'
import { userPath } from '../../parts/paths.ts'
import { changeQuery, go, query } from '../../parts/router.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'
import { useChange } from '../people/use-change.ts'
import { NewUser } from './new-user.tsx'
import { lastUses, plainGroups, roleText } from './of-user.ts'

interface Listed extends User {
  readonly lastUse: string | undefined
}

async function readListed(signal: AbortSignal): Promise<readonly Listed[]> {
  const [users, tokens] = await Promise.all([readUsers(signal), readTokens(undefined, signal)])
  const uses = lastUses(tokens)
  return users.map((user) => ({ ...user, lastUse: uses.get(user.name) }))
}

const isOfUsers = ({ method, path }: Change) => method === 'POST' && path === '/api/users'

/** Shows people and machines. `?new=user` in the address opens the form for a new user. */
export default function Users() {
  const users = useLoaded(readListed)
  const close = () => changeQuery({ new: '' })
  const { busy, error, make } = useChange(isOfUsers, (made) => {
    const { name } = made as User
    toast(`${visible(name)} is created. Create a token for this user`, { icon: 'user' })
    go(userPath(name))
  })
  const isNew = query.value.get('new') === 'user' && mayAdminister()
  return (
    <>
      <ListView
        title="Users"
        about="People and machines that may use this gateway. Users are set in gateway.yaml, created by an admin, or created at their first sign-in with an account."
        actions={mayAdminister() ? <NewButton what="user" look="is-primary" /> : undefined}
        items={users}
        textOf={(user) =>
          `${user.name} ${user.groups.join(' ')} ${user.kind} ${user.status} ${roleText(user)}`
        }
        columns={['Name', 'Role', 'Groups', 'State', 'Last use']}
        row={(user) => <Row key={user.name} user={user} />}
        none={
          <Empty icon="user" title="No user exists yet">
            Create users here, or set them under <code>users</code> in gateway.yaml.
          </Empty>
        }
      />
      {error !== undefined && !isNew && <Problem error={error} />}
      {isNew && <NewUser busy={busy} error={error} make={make} onClose={close} />}
    </>
  )
}

function Row({ user }: { readonly user: Listed }) {
  const { name, kind, declared, status, lastUse } = user
  const groups = plainGroups(user)
  return (
    <tr>
      <th scope="row">
        <a href={userPath(name)}>
          <Name>{name}</Name>
        </a>
        <span class="under">
          {kind}
          {declared && ', in gateway.yaml'}
        </span>
      </th>
      <td data-name="Role">{roleText(user)}</td>
      <td data-name={groups.length === 0 ? undefined : 'Groups'}>
        <Name>{groups.join(', ')}</Name>
      </td>
      <td>
        <UserState status={status} />
      </td>
      <td data-name="Last use">{lastUse === undefined ? 'never' : <Moment at={lastUse} />}</td>
    </tr>
  )
}

export function UserState({ status }: Pick<User, 'status'>) {
  return status === 'active' ? <State kind="approved">active</State> : <State kind="off">deactivated</State>
}
