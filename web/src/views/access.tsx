import { useCallback } from 'preact/hooks'
import { ask } from '../api/request.ts'
import type { AccessMatrix } from '../api/types.ts'
import { TextField } from '../form/text-field.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Loading, Problem } from '../parts/messages.tsx'
import { changeQuery, query } from '../parts/router.ts'
import { Name } from '../parts/text.tsx'

/** Users and connections for admins and auditors. Each cell has the access and its reason. */
export default function Access() {
  const [user, connection] = [query.value.get('user') ?? '', query.value.get('connection') ?? '']
  const load = useCallback(
    (signal: AbortSignal) => {
      const asked = new URLSearchParams({ user, connection }).toString()
      return ask<AccessMatrix>('GET', `/api/access?${asked}`, { signal })
    },
    [user, connection],
  )
  const { value, error, reload } = useLoaded(load, [])
  return (
    <section class="view">
      <h1>Who may do what</h1>
      <div class="filters">
        <TextField label="User or group" value={user} onValue={(value) => changeQuery({ user: value })} />
        <TextField
          label="Connection"
          value={connection}
          onValue={(value) => changeQuery({ connection: value })}
        />
      </div>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined && <Matrix matrix={value} />}
    </section>
  )
}

function Matrix({ matrix }: { readonly matrix: AccessMatrix }) {
  const { users, connections, more_users: moreUsers, more_connections: moreConnections } = matrix
  if (users.length === 0 || connections.length === 0)
    return <Empty title="No user, group or connection has these names.">Try a shorter part of a name.</Empty>
  return (
    <>
      <div class="card scroll" tabIndex={0} role="region" aria-label="Who may do what">
        <table class="folds matrix">
          <thead>
            <tr>
              <th scope="col">User</th>
              {connections.map((name) => (
                <th scope="col" key={name}>
                  <Name>{name}</Name>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {users.map(({ name, groups, cells }) => (
              <tr key={name}>
                <th scope="row">
                  <Name>{name}</Name> <span class="soft small">{groups.join(', ')}</span>
                </th>
                {cells.map(({ level, text }, at) => (
                  <td key={at} data-name={connections[at]} class={level === 'none' ? 'soft' : undefined}>
                    {text}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {moreUsers + moreConnections > 0 && (
        <p class="hint" role="status">
          {moreUsers} more users and {moreConnections} more connections are not shown. Search for a part of
          their names.
        </p>
      )}
    </>
  )
}
