import { readAgents } from '../api/gateway.ts'
import type { Agent } from '../api/types.ts'
import { CardList } from '../parts/lists/card-list.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Moment } from '../parts/moment.tsx'
import { Name } from '../parts/text.tsx'

/** The programs beside the databases. */
export default function Agents() {
  return (
    <CardList
      title="Agents"
      items={useLoaded(readAgents, ['agents'])}
      keyOf={({ name }) => name}
      card={(agent) => <Card agent={agent} />}
      none={
        <>
          There is no agent for you to see. Add one to gateway.yaml, and start it with{' '}
          <code>runbook-agent start</code>.
        </>
      }
    />
  )
}

function Card({ agent }: { readonly agent: Agent }) {
  const { name, status, version, hostname, platform, last_contact: contact } = agent
  const isConnected = status === 'CONNECTED'
  // The gateway knows an agent only once it has connected.
  const about = [version === '' ? '' : `version ${version}`, hostname, platform].filter((part) => part !== '')
  return (
    <>
      <h2>
        <Name>{name}</Name>{' '}
        <span class={`badge badge-${isConnected ? 'online' : 'offline'}`}>
          {isConnected ? 'connected' : 'disconnected'}
        </span>
      </h2>
      <p class="hint">
        <Name>{about.map((part) => `${part} · `).join('')}</Name>
        {isConnected && 'in contact now'}
        {!isConnected && contact === null && 'not seen since the gateway started'}
        {!isConnected && contact !== null && (
          <>
            last contact <Moment at={contact} />
          </>
        )}
      </p>
    </>
  )
}
