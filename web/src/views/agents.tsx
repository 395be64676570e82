import { Fragment } from 'preact'
import { readAgents, readServer } from '../api/gateway.ts'
import { readsAll } from '../api/person.ts'
import type { Agent } from '../api/types.ts'
import { AgentState } from '../parts/agent-state.tsx'
import { CopiedLines } from '../parts/copied-lines.tsx'
import { ListView } from '../parts/lists/list-view.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty } from '../parts/messages.tsx'
import { ExactMoment, Moment } from '../parts/moment.tsx'
import { sessionsOf } from '../parts/paths.ts'
import { Name } from '../parts/text.tsx'
import { visible } from '../parts/visible.ts'

export default function Agents() {
  const hasAddresses = readsAll()
  return (
    <ListView
      title="Agents"
      about="Agents are programs near your databases and servers. They run the commands that the gateway sends."
      items={useLoaded(readAgents, ['agents', 'sessions'])}
      textOf={searchText}
      columns={['Name', 'State', 'Sessions', 'Version', hasAddresses ? 'Machine' : 'Platform', 'Serves']}
      row={(agent) => <Row key={agent.name} agent={agent} />}
      none={<None />}
    />
  )
}

function None() {
  if (readsAll()) return <First />
  return (
    <Empty icon="agent" title="You cannot see any agent">
      You see the agents of the connections that you may use. Ask an admin for access to a connection.
    </Empty>
  )
}

function First() {
  const server = useLoaded(readServer).value
  return (
    <Empty
      icon="agent"
      title="No agent is set up yet"
      actions={
        server !== undefined && (
          <CopiedLines label="The command that starts an agent" text={startCommand(server.grpc_url)} />
        )
      }
    >
      Add a name and a key under <code>agents</code> in gateway.yaml, reload the settings, and start the agent
      on the machine that reaches your databases.
    </Empty>
  )
}

/** `url` is the address of the gateway's streams, `grpc://HOST:PORT`. */
function startCommand(url: string): string {
  const key = `${url.replace('://', '://NAME:KEY@')}?mode=standard`
  return `(umask 077 && echo '${key}' > agent.key)\nrunbook-agent start --key-file agent.key`
}

function searchText({ name, hostname, address, platform, version, connections }: Agent): string {
  return [name, hostname, address, platform, version, ...connections].join(' ')
}

function Row({ agent }: { readonly agent: Agent }) {
  const { name, state, version, hostname, platform, address } = agent
  return (
    <tr>
      <th scope="row" class="nowrap">
        <Name>{name}</Name>
      </th>
      <td>
        <AgentState state={state} />
        <span class="under">
          <Since agent={agent} />
        </span>
        <Refused agent={agent} />
      </td>
      <td class="nowrap" data-name={loadOf(agent) === '' ? undefined : 'Sessions'}>
        {loadOf(agent)}
      </td>
      <td data-name={version === '' ? undefined : 'Version'}>
        <Name>{version}</Name>
      </td>
      <td data-name={hostname === '' ? undefined : 'Machine'}>
        {/* The gateway knows an agent's machine only after the agent has connected. */}
        <Name>{hostname}</Name>
        <span class="under">
          <Name>{[address, platform].filter(Boolean).join(' · ')}</Name>
        </span>
      </td>
      <td data-name="Serves">
        <Connections names={agent.connections} />
      </td>
    </tr>
  )
}

function Since({ agent: { state, connected_at: connected, left_at: left, last_words: words } }: RowProps) {
  if (state === 'never' || connected === null) return <>not since the gateway started</>
  if (state === 'connected')
    return (
      <>
        since <ExactMoment at={connected} />
      </>
    )
  return (
    <>
      <Moment at={left ?? connected} />: {words !== null && visible(words)}
    </>
  )
}

/** A caller cannot prove a name with a wrong key, so the text says "claims". */
function Refused({ agent: { refused_at: at, refused_from: from } }: RowProps) {
  if (at === null) return null
  return (
    <span class="under">
      wrong key refused, <Moment at={at} />: the caller {from !== null && <>at {visible(from)} </>}claims to
      be this agent
    </span>
  )
}

interface RowProps {
  readonly agent: Agent
}

function loadOf({ state, sessions, session_limit: limit }: Agent): string {
  if (state !== 'connected' && state !== 'draining') return ''
  return limit === null ? `${sessions} running` : `${sessions} of ${limit}`
}

/** Maximum number of shown names, because an agent may serve hundreds of connections. */
const MAX_NAMES = 6

function Connections({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <span class="soft">no connection</span>
  const more = names.length - MAX_NAMES
  return (
    <>
      {names.slice(0, MAX_NAMES).map((name, at) => (
        <Fragment key={name}>
          {at > 0 && ', '}
          <a href={sessionsOf(name)} title={visible(`Sessions on ${name}`)}>
            <Name>{name}</Name>
          </a>
        </Fragment>
      ))}
      {more > 0 && <span class="soft">, and {more} more</span>}
    </>
  )
}
