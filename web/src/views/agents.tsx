import { readAgents } from '../api/gateway.ts'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Loading, Problem } from '../parts/messages.tsx'
import { Name } from '../parts/text.tsx'

/** The programs beside the databases. */
export default function Agents() {
  const { value, error, reload } = useLoaded(readAgents, ['agents'])
  return (
    <section class="view">
      <h1>Agents</h1>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value?.length === 0 && (
        <Empty>
          There is no agent for you to see. Add one to gateway.yaml, and start it with{' '}
          <code>runbook-agent start</code>.
        </Empty>
      )}
      <ul class="cards">
        {value?.map(({ name, status, version, hostname, platform }) => (
          <li key={name}>
            <h2>
              <Name>{name}</Name>{' '}
              <span class={`badge badge-${status === 'CONNECTED' ? 'online' : 'offline'}`}>
                {status === 'CONNECTED' ? 'connected' : 'away'}
              </span>
            </h2>
            <p class="hint">
              {version === '' ? 'version not known' : <Name>{`version ${version}`}</Name>}
              {hostname !== '' && (
                <>
                  {' '}
                  · <Name>{hostname}</Name>
                </>
              )}
              {platform !== '' && (
                <>
                  {' '}
                  · <Name>{platform}</Name>
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}
