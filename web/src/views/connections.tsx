import { readConnections } from '../api/gateway.ts'
import { mayRun } from '../api/person.ts'
import type { Connection } from '../api/types.ts'
import { Icon, type IconName } from '../parts/icon.tsx'
import { ListView } from '../parts/lists/list-view.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Note } from '../parts/messages.tsx'
import { sessionsOf, terminalPath } from '../parts/paths.ts'
import { State } from '../parts/state.tsx'
import { Name } from '../parts/text.tsx'
import { visible } from '../parts/visible.ts'
import { ruleText } from './approvals/rule-text.ts'

export default function Connections() {
  return (
    <ListView
      title="Connections"
      about="Databases and servers on which runbooks run. You see the connections that your groups may use."
      items={useLoaded(readConnections, ['agents'])}
      textOf={(connection) =>
        `${connection.name} ${kindOf(connection)} ${connection.agent_id} ${tagsOf(connection)}`
      }
      notes={(connections) => <OfflineNote connections={connections} />}
      columns={['Name', 'State', 'Kind', 'Agent', 'Approval', '']}
      row={(connection) => <Row key={connection.name} connection={connection} />}
      none={
        <Empty icon="plug" title="You have no access to a connection yet">
          Admins add connections to gateway.yaml, for all users or for some groups.
        </Empty>
      }
    />
  )
}

function OfflineNote({ connections }: { readonly connections: readonly Connection[] }) {
  const offline = connections.filter(({ status }) => status === 'offline')
  const agents = [...new Set(offline.map(({ agent_id: agent }) => agent))]
  if (agents.length === 0) return null
  return (
    <Note
      tone="bad"
      title={
        <>
          <Name>{agents.join(', ')}</Name> {agents.length === 1 ? 'is' : 'are'} not connected
        </>
      }
    >
      Nothing runs on <Name>{offline.map(({ name }) => name).join(', ')}</Name> until the agent is started.{' '}
      <a href="/agents">Look at the agents.</a>
    </Note>
  )
}

/** Types and subtypes of hoop's connections that are not databases. */
const SHELLS = /^(bash|shell|ssh|custom|command-line|.*sh)$/

function iconOf({ type, subtype }: Connection): IconName {
  if (type === 'database') return 'database'
  return SHELLS.test(subtype === '' ? type : subtype) ? 'terminal' : 'plug'
}

function kindOf({ type, subtype }: Connection): string {
  return subtype === '' ? type : subtype
}

function tagsOf({ connection_tags: tags }: Connection): string {
  return Object.entries(tags)
    .map(([tag, value]) => `${tag}=${value}`)
    .join(' ')
}

function Row({ connection }: { readonly connection: Connection }) {
  const {
    name,
    status,
    agent_id: agent,
    reviewers,
    unreviewed,
    runbook_reviews: rules,
    access_mode_connect_reason: reason,
  } = connection
  const port = connection.native_port
  const tags = tagsOf(connection)
  return (
    <tr>
      <th scope="row">
        <div class="line nowrap-wide">
          <span class="soft only-wide">
            <Icon name={iconOf(connection)} />
          </span>
          <div>
            <Name>{name}</Name>
            {tags !== '' && (
              <span class="under">
                <Name>{tags}</Name>
              </span>
            )}
            {reason !== '' && <span class="under">No terminal: {visible(reason)}.</span>}
            {port !== null && mayRun() && (
              <span class="under">
                Port for {port} clients: <code>runbook-agent connect {visible(name)} --port</code>
              </span>
            )}
          </div>
        </div>
      </th>
      <td>
        <State kind={status} />
      </td>
      <td data-name="Kind">{visible(kindOf(connection))}</td>
      <td data-name="Agent">
        <Name>{agent}</Name>
      </td>
      <td>
        {reviewers.length > 0 && (
          <span class="chip">
            <Icon name="lock" small />
            <span>
              approval by {ruleText([{ groups: reviewers, minimum: connection.min_review_approvals ?? 1 }])}
            </span>
          </span>
        )}
        {rules.map(({ path, groups, minimum }) => (
          <span class="under" key={path}>
            {groups.length === 0 ? (
              <>
                <code>{visible(path)}</code>: no approval
              </>
            ) : (
              <>
                <code>{visible(path)}</code>: approval by {ruleText([{ groups, minimum }])}
              </>
            )}
          </span>
        ))}
        {unreviewed !== '' && <span class="under">{visible(unreviewed)}</span>}
      </td>
      <td>
        <div class="line row-actions">
          <a class="button is-small" href={sessionsOf(name)} aria-label={`Sessions on ${visible(name)}`}>
            <Icon name="sessions" small />
            Sessions
          </a>
          {connection.access_mode_connect === 'enabled' && mayRun() && (
            <a class="button is-small" href={terminalPath(name)} aria-label={`Terminal on ${visible(name)}`}>
              <Icon name="terminal" small />
              Terminal
            </a>
          )}
        </div>
      </td>
    </tr>
  )
}
