import { useCallback } from 'preact/hooks'
import { readTokens } from '../../api/gateway.ts'
import { isPerson, person, readsAll } from '../../api/person.ts'
import type { Token } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Empty, Loading, Note, Problem } from '../../parts/messages.tsx'
import { changeQuery, query } from '../../parts/router.ts'
import { visible } from '../../parts/visible.ts'
import { daysLeft } from './token.ts'
import { TokenTable } from './token-table.tsx'

/** A longer table is slow to draw; the search finds the rest. */
const MOST = 200

/** Tokens of the signed-in person; for people who read everything also all tokens. */
export default function Tokens() {
  const isOfAll = query.value.get('of') === 'all' && readsAll()
  const own = person.value?.name
  const load = useCallback(
    (signal: AbortSignal) => readTokens(isOfAll ? undefined : own, signal),
    [isOfAll, own],
  )
  const { value, error, reload } = useLoaded(load)
  const shown = value?.filter(isWanted)
  return (
    <>
      <header class="head">
        <h1>Tokens</h1>
        {shown !== undefined && shown.length > 0 && <span class="soft">{shown.length}</span>}
        {isPerson() && <NewButton />}
        <p>
          With a token, programs and command lines sign in as its user. Its text is shown once, when it is
          made.
        </p>
      </header>
      {readsAll() && <Whose isOfAll={isOfAll} />}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading rows={5} />}
      {value !== undefined && <ExpiringNote tokens={value} />}
      {value !== undefined && value.length > 0 && <Filters />}
      {shown?.length === 0 && <NoToken isSearched={(query.value.get('search') ?? '') !== ''} />}
      {shown !== undefined && (
        <TokenTable
          tokens={shown.slice(0, MOST)}
          reload={reload}
          {...(!isOfAll && own !== undefined && { user: own })}
        />
      )}
      {shown !== undefined && shown.length > MOST && (
        <p class="hint" role="status">
          {shown.length - MOST} more: search for a part of their names.
        </p>
      )}
    </>
  )
}

function NewButton() {
  return (
    <button type="button" class="button is-primary push" onClick={() => changeQuery({ new: 'token' })}>
      <Icon name="plus" />
      New token
    </button>
  )
}

function Whose({ isOfAll }: { readonly isOfAll: boolean }) {
  return (
    <nav class="tabs" aria-label="Whose tokens">
      <a href="/tokens" aria-current={isOfAll ? undefined : 'page'}>
        Mine
      </a>
      <a href="/tokens?of=all" aria-current={isOfAll ? 'page' : undefined}>
        Everybody's
      </a>
    </nav>
  )
}

/** Whether to show the token. Ended tokens and sign-ins of browsers are many and seldom wanted. */
function isWanted({ name, user, kind, status }: Token): boolean {
  const asked = query.value
  const words = (asked.get('search') ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const isEnded = status === 'revoked' || status === 'expired'
  if (isEnded && asked.get('ended') !== '1') return false
  if (kind === 'sign-in' && asked.get('sign-ins') !== '1') return false
  return words.every((word) => `${name} ${user}`.toLowerCase().includes(word))
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
      {soon.length > names.length && ' and others'}. Rotate a token to get a new one before the old one ends.
    </Note>
  )
}

function Filters() {
  const asked = query.value
  return (
    <div class="filters">
      <div class="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Search tokens"
          placeholder="Search tokens"
          data-shortcut="search"
          value={asked.get('search') ?? ''}
          onInput={(event) => changeQuery({ search: event.currentTarget.value })}
        />
      </div>
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
      <Empty
        icon="search"
        title="No token has this in its name"
        actions={
          <button type="button" class="button" onClick={() => changeQuery({ search: '' })}>
            Clear the search
          </button>
        }
      >
        Names of tokens and users were searched. Sign-ins and ended tokens are left out unless they are
        ticked.
      </Empty>
    )
  return (
    <Empty
      icon="key"
      title="There is no token yet"
      actions={
        isPerson() && (
          <button type="button" class="button" onClick={() => changeQuery({ new: 'token' })}>
            <Icon name="plus" />
            New token
          </button>
        )
      }
    >
      Make one for a program, or for <code>runbook-agent login</code> on a command line.
    </Empty>
  )
}
