import { useState } from 'preact/hooks'
import type { Change } from '../../api/fresh.ts'
import { person } from '../../api/person.ts'
import type { IssuedToken, Token } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { Problem } from '../../parts/messages.tsx'
import { RowBlocks } from '../../parts/lists/row-blocks.tsx'
import { Moment } from '../../parts/moment.tsx'
import { userPath } from '../../parts/paths.ts'
import { changeQuery, query } from '../../parts/router.ts'
import { State } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'
import { useChange } from '../people/use-change.ts'
import { Issued, showIssued } from './issued.tsx'
import { NewToken } from './new-token.tsx'
import { Revoke, Rotate } from './questions.tsx'
import { daysLeft, mayRevoke, mayRotate, originOf } from './token.ts'

interface TokenTableProps {
  readonly tokens: readonly Token[]
  readonly reload: () => void
  /** The owner of all tokens. Undefined if the tokens have different owners. */
  readonly user?: string
}

interface Asking {
  readonly about: 'rotate' | 'revoke'
  readonly token: Token
}

const isOfTokens = ({ path }: Change) => path.startsWith('/api/tokens')

/** Shows tokens. `?new=token` in the address opens the form for a new token. */
export function TokenTable({ tokens, reload, user }: TokenTableProps) {
  const [asking, setAsking] = useState<Asking | undefined>(undefined)
  const close = () => {
    setAsking(undefined)
    changeQuery({ new: '' })
  }
  const { busy, error, make } = useChange(isOfTokens, (issued, { method }) => {
    close()
    const isIssued = issued !== undefined && 'token' in (issued as object)
    if (isIssued) showIssued(issued as IssuedToken)
    toast(
      method === 'DELETE'
        ? 'The token is revoked'
        : isIssued
          ? 'The token is created'
          : 'The token is changed',
    )
    reload()
  })
  const asked = { busy, error, make, onClose: close }
  const isNew = query.value.get('new') === 'token'
  return (
    <>
      {error !== undefined && asking === undefined && !isNew && <Problem error={error} />}
      {tokens.length > 0 && (
        <section class="card scroll" aria-label="Tokens" tabIndex={0}>
          <table class="folds">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">State</th>
                <th scope="col">Expires</th>
                <th scope="col">Last use</th>
                <th scope="col">
                  <span class="said-only">Actions</span>
                </th>
              </tr>
            </thead>
            <RowBlocks
              items={tokens}
              columns={5}
              row={(token) => (
                <Row
                  key={token.id}
                  token={token}
                  hasUser={user === undefined}
                  ask={(about) => setAsking({ about, token })}
                  pause={() => {
                    const word = token.paused_at === undefined ? 'pause' : 'resume'
                    make({ method: 'POST', path: `/api/tokens/${encodeURIComponent(token.id)}/${word}` })
                  }}
                />
              )}
            />
          </table>
        </section>
      )}
      {isNew && <NewToken {...asked} {...(user !== undefined && { user })} />}
      {asking?.about === 'rotate' && <Rotate {...asked} token={asking.token} />}
      {asking?.about === 'revoke' && <Revoke {...asked} token={asking.token} />}
      <Issued />
    </>
  )
}

interface RowProps {
  readonly token: Token
  readonly hasUser: boolean
  readonly ask: (about: Asking['about']) => void
  readonly pause: () => void
}

function Row({ token, hasUser, ask, pause }: RowProps) {
  const { id, name, user, expires_at: end, last_used_at: used } = token
  return (
    <tr>
      <th scope="row">
        <span id={`token-${id}`}>
          <Name>{name}</Name>
        </span>
        <span class="under">
          {hasUser && (
            <>
              of{' '}
              <a href={userPath(user)}>
                <Name>{user}</Name>
              </a>
              ,{' '}
            </>
          )}
          <Name>{originOf(token)}</Name>
          {token.for === 'mcp' && ', only for /mcp'}
          {token.current === true && ', used by this browser'}
        </span>
      </th>
      <td>
        <TokenState token={token} />
      </td>
      <td data-name="Expires">{end === null ? 'never' : <Moment at={end} />}</td>
      <td data-name="Last use">{used === null ? 'never' : <Moment at={used} />}</td>
      <td>
        <div class="line row-actions">
          {token.for === 'mcp' && mayRevoke(token) && (
            <button
              type="button"
              class="button is-small"
              aria-describedby={`token-${id}`}
              onClick={() => pause()}
            >
              <Icon name={token.paused_at === undefined ? 'pause' : 'run'} small />
              {token.paused_at === undefined ? 'Pause' : 'Resume'}
            </button>
          )}
          {mayRotate(token) && (
            <button
              type="button"
              class="button is-small"
              aria-describedby={`token-${id}`}
              onClick={() => ask('rotate')}
            >
              <Icon name="again" small />
              Rotate
            </button>
          )}
          {mayRevoke(token) && (
            <button
              type="button"
              class="button is-small is-danger-quiet"
              aria-describedby={`token-${id}`}
              onClick={() => ask('revoke')}
            >
              <Icon name="ban" small />
              Revoke
            </button>
          )}
        </div>
      </td>
    </tr>
  )
}

function TokenState({ token }: { readonly token: Token }) {
  const { status, revoked_by: by, replaced_by: next } = token
  const days = daysLeft(token, Date.now())
  if (status === 'revoked')
    return (
      <State kind="withdrawn">
        revoked
        {by !== undefined && by !== person.value?.name && (
          <>
            {' '}
            by <Name>{by}</Name>
          </>
        )}
      </State>
    )
  if (status === 'expired') return <State kind="expired">expired</State>
  if (status === 'inactive') return <State kind="off">user is not active</State>
  if (token.paused_at !== undefined)
    return <State kind="off">paused by {visible(token.paused_by ?? '')}</State>
  if (next !== undefined) return <State kind="skipped">rotated, still valid</State>
  if (days === undefined) return <State kind="approved">valid</State>
  return (
    <State kind="waiting">
      {days < 1 ? 'expires today' : `expires in ${days} ${days === 1 ? 'day' : 'days'}`}
    </State>
  )
}
