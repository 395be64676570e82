import { readConnections } from '../api/gateway.ts'
import { mayRun } from '../api/person.ts'
import type { Connection } from '../api/types.ts'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Loading, Problem } from '../parts/messages.tsx'
import { sessionsOf, terminalPath } from '../parts/paths.ts'
import { Name } from '../parts/text.tsx'

/** Where runbooks run, and whether the agents there are connected. */
export default function Connections() {
  const { value, error, reload } = useLoaded(readConnections, ['agents'])
  return (
    <section class="view">
      <h1>Connections</h1>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value?.length === 0 && (
        <Empty>
          There is no connection for you yet. Whoever runs the gateway adds them to gateway.yaml, for everybody or
          for your groups.
        </Empty>
      )}
      <ul class="cards">
        {value?.map((connection) => (
          <li key={connection.name}>
            <Card connection={connection} />
          </li>
        ))}
      </ul>
    </section>
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
          Its agent is away: nothing runs here until it is started. <a href="/agents">Look at the agents.</a>
        </p>
      )}
      <p class="actions">
        <a href={sessionsOf(name)}>Sessions</a>
        {connection.access_mode_connect === 'enabled' && mayRun() && <a href={terminalPath(name)}>Terminal</a>}
      </p>
    </>
  )
}
