import { useCallback } from 'preact/hooks'
import { readRunbooks, readUsers } from '../api/gateway.ts'
import { person } from '../api/person.ts'
import { ask } from '../api/request.ts'
import type { AccessAmount, AccessExplanation, AccessMatrix } from '../api/types.ts'
import { Choice } from '../form/choice.tsx'
import { TextField } from '../form/text-field.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Loading, Problem } from '../parts/messages.tsx'
import { changeQuery, query } from '../parts/router.ts'
import { Name } from '../parts/text.tsx'

type UseName = keyof AccessMatrix['users'][number]['cells'][number]['uses']

const USES = [
  ['runbooks', 'run runbooks', 'runbooks'],
  ['exec', 'run own scripts', 'scripts'],
  ['connect', 'open a terminal', 'terminal'],
  ['port', 'use a native client', 'port'],
] as const satisfies readonly (readonly [use: UseName, question: string, badge: string])[]

const AMOUNTS: Readonly<Record<Exclude<AccessAmount, 'no'>, readonly [tone: string, words: string]>> = {
  free: ['is-good', ''],
  some: ['is-wait', 'partly after approval'],
  approval: ['is-wait', 'after approval'],
}

/** Answers for admins and auditors what a user may do, and shows the access of each group. */
export default function Access() {
  return (
    <section class="view">
      <h1>Who may do what</h1>
      <Question />
      <Groups />
    </section>
  )
}

/** The answer is the gateway's own: the functions that decide a run give it. */
function Question() {
  const asked = (name: string) => query.value.get(name) ?? ''
  const [who, on, runbook] = [asked('who'), asked('on'), asked('runbook')]
  const use = query.value.get('use') ?? USES[0][0]
  const users = useLoaded(readUsers)
  const connections = useLoaded(readNames)
  const runbooks = useLoaded(readRunbooks)
  const files = (runbooks.value?.repositories ?? []).flatMap(({ items }) =>
    items.filter((item) => item.connections?.includes(on) === true).map(({ name }) => name),
  )
  const names = (list: readonly { readonly name: string }[] | undefined, first: string) =>
    [['', first], ...(list ?? []).map(({ name }) => [name, name] as const)] as const
  return (
    <form class="card card-body" aria-label="Question" onSubmit={(event) => event.preventDefault()}>
      <div class="filters">
        <Choice
          label="May"
          value={who}
          options={names(users.value, 'choose a user')}
          onValue={(value) => changeQuery({ who: value })}
        />
        <Choice
          label="do this"
          value={use}
          options={USES.map(([name, words]) => [name, words])}
          onValue={(value) => changeQuery({ use: value, runbook: '' })}
        />
        <Choice
          label="on"
          value={on}
          options={names(connections.value, 'choose a connection')}
          onValue={(value) => changeQuery({ on: value, runbook: '' })}
        />
        {use === 'runbooks' && (
          <Choice
            label="Runbook"
            value={runbook}
            options={[['', 'any'], ...[...new Set(files)].map((file) => [file, file] as const)]}
            onValue={(value) => changeQuery({ runbook: value })}
          />
        )}
      </div>
      {users.error !== undefined && <Problem error={users.error} onRetry={users.reload} />}
      {who !== '' && on !== '' && <Answer who={who} on={on} use={use} runbook={runbook} />}
    </form>
  )
}

/** The longest list to choose from. A connection after these can be asked about by REST and the command line. */
const MAX_CONNECTIONS = 1000

/** Also those that the admin may not see as a user. An answer of the gateway has at most 50. */
async function readNames(signal: AbortSignal): Promise<readonly { readonly name: string }[]> {
  const names: string[] = []
  for (let more = 1; more > 0 && names.length < MAX_CONNECTIONS;) {
    const asked = new URLSearchParams({
      user: person.peek()?.name ?? '',
      connection_offset: `${names.length}`,
    })
    const page = await ask<AccessMatrix>('GET', `/api/access?${asked.toString()}`, { signal })
    names.push(...page.connections)
    more = page.more_connections
  }
  return names.map((name) => ({ name }))
}

interface AnswerProps {
  readonly who: string
  readonly on: string
  readonly use: string
  readonly runbook: string
}

function Answer({ who, on, use, runbook }: AnswerProps) {
  const load = useCallback(
    (signal: AbortSignal) => {
      const asked = new URLSearchParams({ runbook }).toString()
      return ask<AccessExplanation>(
        'GET',
        `/api/access/${encodeURIComponent(who)}/${encodeURIComponent(on)}?${asked}`,
        { signal },
      )
    },
    [who, on, runbook],
  )
  const { value, error, reload } = useLoaded(load)
  if (error !== undefined) return <Problem error={error} onRetry={reload} />
  if (value === undefined) return <Loading />
  const [name] = USES.find(([one]) => one === use) ?? USES[0]
  return (
    <div class="stack" role="status">
      <p class="answer">{value.uses[name].verdict}</p>
      <p class="soft small">All uses: {value.text}.</p>
    </div>
  )
}

/** Connections and groups. */
function Groups() {
  const [group, connection] = [query.value.get('group') ?? '', query.value.get('connection') ?? '']
  const load = useCallback(
    (signal: AbortSignal) => {
      const asked = new URLSearchParams({ by: 'groups', user: group, connection }).toString()
      return ask<AccessMatrix>('GET', `/api/access?${asked}`, { signal })
    },
    [group, connection],
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <>
      <div class="filters">
        <TextField label="Group" value={group} onValue={(text) => changeQuery({ group: text })} />
        <TextField
          label="Connection"
          value={connection}
          onValue={(text) => changeQuery({ connection: text })}
        />
      </div>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined && <Matrix matrix={value} />}
    </>
  )
}

function Matrix({ matrix }: { readonly matrix: AccessMatrix }) {
  const { users: groups, connections, more_users: moreGroups, more_connections: moreConnections } = matrix
  if (groups.length === 0 || connections.length === 0)
    return <Empty title="No group or connection has these names.">Try a shorter part of a name.</Empty>
  return (
    <>
      <div class="card scroll" tabIndex={0} role="region" aria-label="Connections and groups">
        <table class="folds matrix">
          <thead>
            <tr>
              <th scope="col">Connection</th>
              {groups.map(({ name, members }) => (
                <th scope="col" key={name}>
                  <Name>{name}</Name> <span class="soft small">{members}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {connections.map((name, at) => (
              <tr key={name}>
                <th scope="row">
                  <Name>{name}</Name>
                </th>
                {groups.map(({ name: group, cells }) => (
                  <td key={group} data-name={group} title={cells[at]?.text}>
                    <Badges uses={cells[at]?.uses} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="hint">
        A cell says what somebody may do whose only group is this one; the number counts the members. People
        with more groups may do more, or need no approval: ask above.
      </p>
      {moreGroups + moreConnections > 0 && (
        <p class="hint" role="status">
          {moreGroups} more groups and {moreConnections} more connections are not shown. Search for a part of
          their names.
        </p>
      )}
    </>
  )
}

function Badges({ uses }: { readonly uses: Readonly<Record<UseName, AccessAmount>> | undefined }) {
  if (uses === undefined || USES.every(([use]) => uses[use] === 'no'))
    return <span class="soft">nothing</span>
  return (
    <span class="badges">
      {USES.map(([use, , badge]) => {
        const amount = uses[use]
        if (amount === 'no') return null
        const [tone, words] = AMOUNTS[amount]
        return (
          <span key={use} class={`chip is-plain ${tone}`}>
            {badge} {words}
          </span>
        )
      })}
    </span>
  )
}
