import { readAgents } from '../api/gateway.ts'
import type { Agent } from '../api/types.ts'
import { ListView } from '../parts/lists/list-view.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty } from '../parts/messages.tsx'
import { Moment } from '../parts/moment.tsx'
import { State } from '../parts/state.tsx'
import { Name } from '../parts/text.tsx'

/** The programs beside the databases. */
export default function Agents() {
  return (
    <ListView
      title="Agents"
      about="The programs beside your databases and servers. They run what the gateway sends them."
      items={useLoaded(readAgents, ['agents'])}
      textOf={({ name, hostname, platform, version }) => `${name} ${hostname} ${platform} ${version}`}
      columns={['Name', 'State', 'Version', 'Platform', 'Last contact']}
      row={(agent) => <Row key={agent.name} agent={agent} />}
      none={
        <Empty icon="agent" title="There is no agent for you to see">
          Add an agent to gateway.yaml, and start it with <code>runbook-agent start</code>.
        </Empty>
      }
    />
  )
}

function Row({ agent }: { readonly agent: Agent }) {
  const { name, status, version, hostname, platform, last_contact: contact } = agent
  const isConnected = status === 'CONNECTED'
  return (
    <tr>
      <th scope="row">
        <Name>{name}</Name>
        {/* The gateway knows the machine of an agent only once the agent has connected. */}
        {hostname !== '' && (
          <span class="under">
            <Name>{hostname}</Name>
          </span>
        )}
      </th>
      <td>
        <State kind={isConnected ? 'online' : 'offline'}>{isConnected ? 'connected' : 'disconnected'}</State>
      </td>
      <td data-name={version === '' ? undefined : 'Version'}>
        <Name>{version}</Name>
      </td>
      <td>
        <Name>{platform}</Name>
      </td>
      <td data-name="Last contact">
        {isConnected ? 'now' : contact === null ? 'not since the gateway started' : <Moment at={contact} />}
      </td>
    </tr>
  )
}
