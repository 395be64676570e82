import { useCallback, useState } from 'preact/hooks'
import type { Change } from '../../api/fresh.ts'
import { readTokens, readUser } from '../../api/gateway.ts'
import { mayAdminister, person, readsAll } from '../../api/person.ts'
import type { Token, User } from '../../api/types.ts'
import { Fact } from '../../parts/facts.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Loading, Note, Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { NewButton } from '../../parts/new-button.tsx'
import { accessOf } from '../../parts/paths.ts'
import { go } from '../../parts/router.ts'
import { Name } from '../../parts/text.tsx'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'
import { useChange } from '../people/use-change.ts'
import { TokenTable } from '../tokens/token-table.tsx'
import { mayMakeFor } from '../tokens/token.ts'
import { budgetText } from './budget.ts'
import { ChangeGroups } from './change-groups.tsx'
import { UserState } from './list.tsx'
import { isOfAccount, lastUses, plainGroups, roleText } from './of-user.ts'
import { Deactivate, Delete } from './questions.tsx'

interface UserViewProps {
  readonly name: string
}

export default function UserView({ name }: UserViewProps) {
  const load = useCallback(
    async (signal: AbortSignal) => {
      const [user, tokens] = await Promise.all([readUser(name, signal), readTokens(name, signal)])
      return { user, tokens }
    },
    [name],
  )
  const { value, error, reload } = useLoaded(load)
  return (
    <>
      <ol class="trail" aria-label="Where you are">
        <li>
          <a href="/users">Users</a>
        </li>
      </ol>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value !== undefined && <Shown {...value} reload={reload} />}
    </>
  )
}

interface ShownProps {
  readonly user: User
  readonly tokens: readonly Token[]
  readonly reload: () => void
}

type Asked = 'groups' | 'deactivate' | 'delete'

function Shown({ user, tokens, reload }: ShownProps) {
  const { name, status } = user
  const [asked, setAsked] = useState<Asked | undefined>(undefined)
  const isOfUser = ({ path }: Change) => path === `/api/users/${encodeURIComponent(name)}`
  const { busy, error, make } = useChange(isOfUser, (_, { method }) => {
    setAsked(undefined)
    toast(method === 'DELETE' ? `${visible(name)} is deleted` : `${visible(name)} is changed`, {
      icon: 'user',
    })
    if (method === 'DELETE') go('/users')
    else reload()
  })
  const asking = { user, busy, error, make, onClose: () => setAsked(undefined) }
  return (
    <>
      <header class="head">
        <h1>
          <Name>{name}</Name>
        </h1>
        <UserState status={status} />
        {mayAdminister() && !user.declared && <Actions user={user} busy={busy} ask={setAsked} make={make} />}
      </header>
      {error !== undefined && asked === undefined && <Problem error={error} />}
      <Notes user={user} />
      <section class="card" aria-label="About this user">
        <div class="card-body">
          <About user={user} tokens={tokens} />
          <Links name={name} />
        </div>
      </section>
      <Tokens tokens={tokens} name={name} reload={reload} />
      {asked === 'groups' && <ChangeGroups {...asking} />}
      {asked === 'deactivate' && <Deactivate {...asking} />}
      {asked === 'delete' && <Delete {...asking} />}
    </>
  )
}

interface ActionsProps {
  readonly user: User
  readonly busy: boolean
  readonly ask: (about: Asked) => void
  readonly make: (change: Change) => void
}

function Actions({ user: { name, status }, busy, ask, make }: ActionsProps) {
  const isSelf = name === person.value?.name
  const activate = () =>
    make({ method: 'PUT', path: `/api/users/${encodeURIComponent(name)}`, body: { status: 'active' } })
  return (
    <div class="line push">
      <button type="button" class="button" onClick={() => ask('groups')}>
        <Icon name="lock" />
        Change groups
      </button>
      {status === 'inactive' && (
        <button type="button" class="button" disabled={busy} onClick={activate}>
          <Icon name="check" />
          Activate
        </button>
      )}
      {status === 'active' && !isSelf && (
        <button type="button" class="button is-danger-quiet" onClick={() => ask('deactivate')}>
          <Icon name="ban" />
          Deactivate
        </button>
      )}
      {!isSelf && (
        <button type="button" class="button is-danger-quiet" onClick={() => ask('delete')}>
          <Icon name="cross" />
          Delete
        </button>
      )}
    </div>
  )
}

function Notes({ user }: { readonly user: User }) {
  return (
    <>
      {user.warning !== undefined && <Note tone="wait">{visible(user.warning)}</Note>}
      {user.declared && (
        <Note tone="live">
          This user is set in gateway.yaml. Change the user in that file. You can still create tokens here.
        </Note>
      )}
      {isOfAccount(user) && (
        <Note tone="live">
          This user signs in with an account of the sign-in provider. Each sign-in replaces the groups. A
          deleted user can sign in again and is then created again. A deactivated user cannot sign in.
        </Note>
      )}
    </>
  )
}

function About({ user, tokens }: Pick<ShownProps, 'user' | 'tokens'>) {
  const { name, kind, budget, created_at: at, created_by: by } = user
  const groups = plainGroups(user)
  const used = lastUses(tokens).get(name)
  return (
    <dl class="facts">
      <Fact name="Kind">{kind}</Fact>
      <Fact name="Role">{roleText(user)}</Fact>
      <Fact name="Groups">{groups.length === 0 ? 'none' : <Name>{groups.join(', ')}</Name>}</Fact>
      {kind === 'machine' && <Fact name="Budget">{budget === null ? 'none' : budgetText(budget)}</Fact>}
      <Fact name="Last use">{used === undefined ? 'never' : <Moment at={used} />}</Fact>
      {at !== null && (
        <Fact name="Added">
          <Moment at={at} />
          {by !== null && !isOfAccount(user) && (
            <>
              {' '}
              by <Name>{by}</Name>
            </>
          )}
        </Fact>
      )}
    </dl>
  )
}

function Links({ name }: Pick<User, 'name'>) {
  return (
    <div class="line">
      <a class="button is-small" href={`/sessions?user=${encodeURIComponent(name)}`}>
        <Icon name="sessions" small />
        Sessions
      </a>
      {readsAll() && (
        <a class="button is-small" href={accessOf(name)}>
          <Icon name="lock" small />
          What this user may do
        </a>
      )}
    </div>
  )
}

interface TokensProps {
  readonly name: string
  readonly tokens: readonly Token[]
  readonly reload: () => void
}

/** Whether the token is shown. Ended sign-ins are hidden, because there are many of them. */
function isOfInterest({ kind, status }: Token): boolean {
  return kind === 'personal' || status === 'active'
}

function Tokens({ name, tokens, reload }: TokensProps) {
  const shown = tokens.filter(isOfInterest)
  return (
    <>
      <header class="head">
        <h2>Tokens</h2>
        {shown.length > 0 && <span class="soft">{shown.length}</span>}
        {mayMakeFor(name) && <NewButton what="token" look="push" />}
      </header>
      {shown.length === 0 && (
        <p class="soft">
          <Name>{name}</Name> has no token yet, and cannot sign in with one.
        </p>
      )}
      <TokenTable tokens={shown} reload={reload} user={name} />
    </>
  )
}
