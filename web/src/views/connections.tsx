import { readConnections } from '../api/gateway.ts'
import { mayRun } from '../api/person.ts'
import type { Connection } from '../api/types.ts'
import { CopiedLines } from '../parts/copied-lines.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'
import { ListView } from '../parts/lists/list-view.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Note } from '../parts/messages.tsx'
import { scriptPath, sessionsOf, terminalPath } from '../parts/paths.ts'
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
      columns={['Name', 'State', 'Agent', 'Approval', '']}
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
  const { name, status, agent_id: agent, reviewers, unreviewed, runbook_reviews: rules } = connection
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
            <span class="under">
              <Name>{[kindOf(connection), tags].filter(Boolean).join(' · ')}</Name>
            </span>
            <Ways connection={connection} />
          </div>
        </div>
      </th>
      <td>
        <State kind={status} />
      </td>
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
          {connection.access_mode_exec === 'enabled' && mayRun() && (
            <Open href={scriptPath(name)} icon="script" word="Script" name={name} />
          )}
          {connection.access_mode_connect === 'enabled' && mayRun() && (
            <Open href={terminalPath(name)} icon="terminal" word="Terminal" name={name} />
          )}
          <Open href={sessionsOf(name)} icon="sessions" word="Sessions" name={name} />
        </div>
      </td>
    </tr>
  )
}

interface OpenProps {
  readonly href: string
  readonly icon: IconName
  readonly word: string
  readonly name: string
}

function Open({ href, icon, word, name }: OpenProps) {
  const label = `${word} on ${visible(name)}`
  return (
    <a class="button is-small" href={href} aria-label={label} title={label}>
      <Icon name={icon} small />
      <span class="word">{word}</span>
    </a>
  )
}

/** Why there is no terminal, and how native clients connect. */
function Ways({ connection }: { readonly connection: Connection }) {
  const { name, native_port: port, access_mode_connect_reason: reason } = connection
  const hasPort = port !== null && mayRun()
  if (reason === '' && !hasPort) return null
  return (
    <details class="under">
      <summary>
        {[reason !== '' && 'No terminal', hasPort && `port for ${port} clients`].filter(Boolean).join(', ')}
      </summary>
      {reason !== '' && <p>No terminal: {visible(reason)}.</p>}
      {hasPort && (
        <CopiedLines
          label={`The command that opens a port for ${port} clients`}
          text={`runbook-agent connect ${visible(name)} --port`}
        />
      )}
    </details>
  )
}
