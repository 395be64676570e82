import { useCallback } from 'preact/hooks'
import { readTokens } from '../../api/gateway.ts'
import { isPerson, person, readsAll } from '../../api/person.ts'
import type { Token } from '../../api/types.ts'
import { ClearSearch, searchOf, SearchField, searchedText } from '../../parts/lists/search.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Note, Problem } from '../../parts/messages.tsx'
import { NewButton } from '../../parts/new-button.tsx'
import { changeQuery, query } from '../../parts/router.ts'
import { visible } from '../../parts/visible.ts'
import { daysLeft } from './token.ts'
import { TokenTable } from './token-table.tsx'

/** Tokens of the signed-in person. Admins and auditors can also list all tokens. */
export default function Tokens() {
  const isOfAll = query.value.get('of') === 'all' && readsAll()
  const own = person.value?.name
  const load = useCallback(
    (signal: AbortSignal) => readTokens(isOfAll ? undefined : own, signal),
    [isOfAll, own],
  )
  const { value, error, reload } = useLoaded(load)
  const isFound = searchOf()
  const shown = value?.filter((token) => isWanted(token) && isFound(`${token.name} ${token.user}`))
  return (
    <>
      <header class="head">
        <h1>Tokens</h1>
        {shown !== undefined && shown.length > 0 && <span class="soft">{shown.length}</span>}
        {isPerson() && <NewButton what="token" look="is-primary push" />}
        <p>
          With a token, programs and command lines sign in as its user. A token is shown only once, when it is
          created.
        </p>
      </header>
      {readsAll() && <Whose isOfAll={isOfAll} />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading rows={5} />}
      {value !== undefined && <ExpiringNote tokens={value} />}
      {value !== undefined && value.length > 0 && <Filters />}
      {shown?.length === 0 && <NoToken isSearched={searchedText() !== ''} />}
      {shown !== undefined && (
        <TokenTable tokens={shown} reload={reload} {...(!isOfAll && own !== undefined && { user: own })} />
      )}
    </>
  )
}

function Whose({ isOfAll }: { readonly isOfAll: boolean }) {
  return (
    <nav class="tabs" aria-label="Whose tokens">
      <a href="/tokens" aria-current={isOfAll ? undefined : 'page'}>
        Mine
      </a>
      <a href="/tokens?of=all" aria-current={isOfAll ? 'page' : undefined}>
        All users
      </a>
    </nav>
  )
}

/**
 * Whether the token is shown. Ended tokens and sign-ins are hidden at first, because there are many of them.
 */
function isWanted({ kind, status }: Token): boolean {
  const asked = query.value
  const isEnded = status === 'revoked' || status === 'expired'
  if (isEnded && asked.get('ended') !== '1') return false
  return kind !== 'sign-in' || asked.get('sign-ins') === '1'
}

function ExpiringNote({ tokens }: { readonly tokens: readonly Token[] }) {
  const now = Date.now()
  const soon = tokens.filter((token) => daysLeft(token, now) !== undefined)
  if (soon.length === 0) return null
  const names = soon.slice(0, 5).map(({ name, user }) => `${name} of ${user}`)
  return (
    <Note
      tone="wait"
      title={soon.length === 1 ? 'A token expires soon' : `${soon.length} tokens expire soon`}
    >
      {visible(names.join(', '))}
      {soon.length > names.length && ' and others'}. Rotate a token to get a new token before the old token
      expires.
    </Note>
  )
}

function Filters() {
  return (
    <div class="filters">
      <SearchField name="Tokens" />
      <Tick name="sign-ins" words="Sign-ins" />
      <Tick name="ended" words="Ended tokens" />
    </div>
  )
}

function Tick({ name, words }: { readonly name: string; readonly words: string }) {
  return (
    <label class="tick">
      <input
        type="checkbox"
        checked={query.value.get(name) === '1'}
        onChange={(event) => changeQuery({ [name]: event.currentTarget.checked ? '1' : '' })}
      />
      {words}
    </label>
  )
}

function NoToken({ isSearched }: { readonly isSearched: boolean }) {
  if (isSearched)
    return (
      <Empty icon="search" title="No token matches the search" actions={<ClearSearch />}>
        Names of tokens and users were searched. Tick the boxes to search sign-ins and ended tokens, too.
      </Empty>
    )
  return (
    <Empty icon="key" title="No token exists yet" actions={isPerson() && <NewButton what="token" />}>
      Create a token for a program, or for <code>runbook-agent login</code> on a command line.
    </Empty>
  )
}
