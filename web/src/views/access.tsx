import { useCallback } from 'preact/hooks'
import { readRunbooks, readUsers } from '../api/gateway.ts'
import { person } from '../api/person.ts'
import { ask } from '../api/request.ts'
import type { AccessAmount, AccessExplanation, AccessMatrix } from '../api/types.ts'
import { Choice } from '../form/choice.tsx'
import { TextField } from '../form/text-field.tsx'
import { Icon } from '../parts/icon.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Empty, Loading, Problem } from '../parts/messages.tsx'
import { changeQuery, query } from '../parts/router.ts'
import { Name } from '../parts/text.tsx'

type UseName = keyof AccessMatrix['users'][number]['cells'][number]['uses']

const USES = [
  ['runbooks', 'run runbooks', 'R', 'runbooks'],
  ['exec', 'run own scripts', 'S', 'own scripts'],
  ['connect', 'open a terminal', 'T', 'terminal'],
  ['port', 'use a native client', 'N', 'native client'],
] as const satisfies readonly (readonly [use: UseName, question: string, letter: string, noun: string])[]

const AMOUNTS: Readonly<Record<AccessAmount, readonly [look: string, words: string]>> = {
  free: ['is-yes', ''],
  some: ['is-ask', ' partly after approval'],
  approval: ['is-ask', ' after approval'],
  no: ['is-no', ': no'],
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
      <Verdict use={value.uses[name]} />
      <p class="soft small">All uses: {value.text}.</p>
    </div>
  )
}

function Verdict({ use }: { readonly use: AccessExplanation['uses'][UseName] }) {
  const needing = use.approvals.filter(({ groups }) => groups.length > 0)
  const [tone, icon] = !use.allowed
    ? (['is-bad', 'ban'] as const)
    : needing.length > 0
      ? (['is-wait', 'wait'] as const)
      : (['is-good', 'check'] as const)
  return (
    <p class={`answer ${tone}`}>
      <Icon name={icon} />
      <span>{use.verdict}</span>
    </p>
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
        <TextField
          label="Group"
          placeholder="any"
          value={group}
          onValue={(text) => changeQuery({ group: text })}
        />
        <TextField
          label="Connection"
          placeholder="any, or pg-*"
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
      <Legend />
      <div class="card scroll is-wide" tabIndex={0} role="region" aria-label="Connections and groups">
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
                    <Uses cell={cells[at]} />
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

function Legend() {
  return (
    <ul class="line small soft legend" aria-hidden="true">
      <li>
        <i class="may is-yes">R</i> yes
      </li>
      <li>
        <i class="may is-ask">R</i> after approval
      </li>
      <li>
        <i class="may is-no">·</i> no
      </li>
      {USES.map(([use, , letter, noun]) => (
        <li key={use}>
          <strong>{letter}</strong> {noun}
        </li>
      ))}
    </ul>
  )
}

type Cell = AccessMatrix['users'][number]['cells'][number]

/** Shows a letter for each use. Screen readers get the words. */
function Uses({ cell }: { readonly cell: Cell | undefined }) {
  if (cell?.level === 'reads')
    return (
      <span class="chip is-plain" title="sees the sessions, and runs nothing">
        <Icon name="eye" small />
        <span>
          sees<span class="said-only"> the sessions, and runs nothing</span>
        </span>
      </span>
    )
  if (cell === undefined || USES.every(([use]) => cell.uses[use] === 'no'))
    return (
      <span class="soft">
        <span aria-hidden="true">–</span>
        <span class="said-only">nothing</span>
      </span>
    )
  const wordsOf = (use: UseName, noun: string) => `${noun}${AMOUNTS[cell.uses[use]][1]}`
  return (
    <>
      <span class="mays" aria-hidden="true">
        {USES.map(([use, , letter, noun]) => (
          <i key={use} class={`may ${AMOUNTS[cell.uses[use]][0]}`} title={wordsOf(use, noun)}>
            {cell.uses[use] === 'no' ? '·' : letter}
          </i>
        ))}
      </span>
      <span class="said-only">
        {USES.filter(([use]) => cell.uses[use] !== 'no')
          .map(([use, , , noun]) => wordsOf(use, noun))
          .join(', ')}
      </span>
    </>
  )
}
