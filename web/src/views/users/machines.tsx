import { useState } from 'preact/hooks'
import type { Change } from '../../api/fresh.ts'
import { readUsers } from '../../api/gateway.ts'
import { mayAdminister } from '../../api/person.ts'
import { ask } from '../../api/request.ts'
import type { BudgetUse, User } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { ListView } from '../../parts/lists/list-view.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { userPath } from '../../parts/paths.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'
import { useChange } from '../people/use-change.ts'
import { BudgetForm } from './budget-form.tsx'
import { sizeText, spanText } from './budget.ts'

interface Machine {
  readonly user: User
  readonly use: BudgetUse | undefined
}

async function readMachines(signal: AbortSignal): Promise<readonly Machine[]> {
  const [users, uses] = await Promise.all([
    readUsers(signal),
    ask<BudgetUse[]>('GET', '/api/budgets', { signal }),
  ])
  const machines = users.filter(({ kind }) => kind === 'machine')
  return machines.map((user) => ({ user, use: uses.find((one) => one.user === user.name) }))
}

const isOfMachine = ({ method, path }: Change) => method === 'PUT' && path.startsWith('/api/users/')

export default function Machines() {
  const machines = useLoaded(readMachines, ['sessions'])
  const [asked, setAsked] = useState<User | undefined>(undefined)
  const { busy, error, make } = useChange(isOfMachine, (changed) => {
    const { name } = changed as User
    setAsked(undefined)
    toast(`The budget of ${visible(name)} is changed`, { icon: 'chart' })
    machines.reload()
  })
  return (
    <>
      <ListView
        title="Machine budgets"
        about="The budgets of machines, and how much of them is used. A machine that has used up its budget cannot start runs until a part of the budget is free again."
        items={machines}
        textOf={({ user }) => `${user.name} ${user.groups.join(' ')}`}
        columns={['Machine', 'State', 'Runs', 'Output', 'Running', '']}
        row={(machine) => <Row key={machine.user.name} machine={machine} ask={setAsked} />}
        none={
          <Empty
            icon="chart"
            title="No machine exists yet"
            actions={
              mayAdminister() && (
                <a class="button" href="/users?new=user">
                  <Icon name="plus" />
                  New user
                </a>
              )
            }
          >
            A machine is a user of the kind “machine”: a program that uses the gateway with a token.
          </Empty>
        }
      />
      {error !== undefined && asked === undefined && <Problem error={error} />}
      {asked !== undefined && (
        <BudgetForm user={asked} busy={busy} error={error} make={make} onClose={() => setAsked(undefined)} />
      )}
    </>
  )
}

interface RowProps {
  readonly machine: Machine
  readonly ask: (user: User) => void
}

function Row({ machine: { user, use }, ask }: RowProps) {
  const { name, groups, declared } = user
  return (
    <tr>
      <th scope="row">
        <a href={userPath(name)} id={`machine-${name}`}>
          <Name>{name}</Name>
        </a>
        <span class="under">
          <Name>{groups.join(', ')}</Name>
        </span>
      </th>
      <td>
        <BudgetState user={user} use={use} />
      </td>
      <Uses use={use} />
      <td>
        {mayAdminister() && !declared && (
          <div class="line row-actions">
            <button
              type="button"
              class="button is-small"
              aria-describedby={`machine-${name}`}
              onClick={() => ask(user)}
            >
              {use === undefined ? 'Set a budget' : 'Change budget'}
            </button>
          </div>
        )}
        {declared && <span class="soft small">in gateway.yaml</span>}
      </td>
    </tr>
  )
}

function BudgetState({ user, use }: { readonly user: User; readonly use: BudgetUse | undefined }) {
  if (user.status === 'inactive') return <State kind="off">deactivated</State>
  if (use === undefined) return <State kind="off">no budget</State>
  if (use.free_at === null) return <State kind="approved">within budget</State>
  return (
    <>
      <State kind="waiting">used up</State>
      <span class="under">
        free again <Moment at={use.free_at} />
      </span>
    </>
  )
}

function Uses({ use }: Pick<Machine, 'use'>) {
  if (use === undefined)
    return (
      <>
        <td />
        <td />
        <td />
      </>
    )
  const { used, budget } = use
  const span = spanText(budget.per)
  return (
    <>
      <Use name="Runs" used={used.runs} most={budget.runs} text={String} span={span} />
      <Use name="Output" used={used.bytes} most={budget.bytes} text={sizeText} span={span} />
      <Use name="Running" used={used.hours} most={budget.hours} text={hoursText} span={span} />
    </>
  )
}

function hoursText(hours: number): string {
  return hours < 1 ? `${Math.round(hours * 60)} min` : `${Math.round(hours * 10) / 10} h`
}

interface UseProps {
  readonly name: string
  readonly used: number
  /** Limit of the budget. Null means no limit. */
  readonly most: number | null
  readonly text: (value: number) => string
  readonly span: string
}

function Use({ name, used, most, text, span }: UseProps) {
  if (most === null)
    return (
      <td data-name={name}>
        {text(used)}
        <span class="under">no limit</span>
      </td>
    )
  return (
    <td data-name={name}>
      <meter aria-label={name} min={0} max={most} high={most * 0.8} optimum={0} value={used}>
        {text(used)}
      </meter>
      <span class="under">
        {text(used)} of {text(most)} in {span}
      </span>
    </td>
  )
}
