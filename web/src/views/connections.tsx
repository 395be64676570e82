import { readConnections } from '../api/gateway.ts'
import { mayRun } from '../api/person.ts'
import type { Connection } from '../api/types.ts'
import { CardList } from '../parts/lists/card-list.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { sessionsOf, terminalPath } from '../parts/paths.ts'
import { Name } from '../parts/text.tsx'
import { visible } from '../parts/visible.ts'

/** Where runbooks run, and whether the agents there are connected. */
export default function Connections() {
  return (
    <CardList
      title="Connections"
      items={useLoaded(readConnections, ['agents'])}
      keyOf={({ name }) => name}
      card={(connection) => <Card connection={connection} />}
      none="There is no connection for you yet. Whoever runs the gateway adds them to gateway.yaml, for everybody or for your groups."
    />
  )
}

function Card({ connection }: { readonly connection: Connection }) {
  const { name, type, subtype, status, agent_id: agent, connection_tags: tags } = connection
  return (
    <>
      <h2>
        <Name>{name}</Name> <span class={`badge badge-${status}`}>{status}</span>
      </h2>
      <p class="hint">
        {type}
        {subtype !== '' && `, ${subtype}`} · agent <Name>{agent}</Name>
        {Object.entries(tags).map(([tag, value]) => (
          <span class="tag" key={tag}>
            <Name>{`${tag}=${value}`}</Name>
          </span>
        ))}
      </p>
      {status === 'offline' && (
        <p class="hint">
          Its agent is not connected: nothing runs here until it is started.{' '}
          <a href="/agents">Look at the agents.</a>
        </p>
      )}
      {connection.access_mode_connect_reason !== '' && (
        <p class="hint">No terminal: {visible(connection.access_mode_connect_reason)}.</p>
      )}
      <p class="actions">
        <a href={sessionsOf(name)}>Sessions</a>
        {connection.access_mode_connect === 'enabled' && mayRun() && (
          <a href={terminalPath(name)}>Terminal</a>
        )}
      </p>
    </>
  )
}
