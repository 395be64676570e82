import { useCallback, useEffect, useState } from 'preact/hooks'
import { keepForReturn } from '../api/fresh.ts'
import { readPublicServer, signIn } from '../api/gateway.ts'
import { signedIn, signedOutBecause } from '../api/person.ts'
import { ask, asRefused, type Refused } from '../api/request.ts'
import { TextField } from '../form/text-field.tsx'
import { Icon, Logo } from '../parts/icon.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Note, Problem } from '../parts/messages.tsx'
import { go } from '../parts/router.ts'
import { ThemeButton } from '../parts/theme.tsx'
import { visible } from '../parts/visible.ts'

/**
 * Returns the one-time code of the link that `npm start` prints. Removes it from the address, so that it does
 * not get into the browser's history.
 */
export function takeCode(): string | undefined {
  const code = /^#code=(.+)$/.exec(location.hash)?.[1]
  if (code !== undefined) history.replaceState(null, '', location.pathname)
  return code
}

interface SignInProps {
  readonly code: string | undefined
}

/** Shows the sign-in. After the sign-in, the page shows the view that the address names. */
export function SignIn({ code }: SignInProps) {
  const [token, setToken] = useState('')
  const { busy, error, enter } = useSignIn(code)
  const hasAccounts = useHasAccounts()
  const submit = (event: Event) => {
    event.preventDefault()
    enter({ token: token.trim() })
  }
  return (
    <div class="door">
      <aside aria-label="About">
        <p>
          <strong>runbook-agent</strong>
        </p>
        <Logo />
        <p class="motto">Reviewed scripts, run where they are needed, with a record of everything.</p>
      </aside>
      <main id="main">
        <div class="stack">
          <h1>Sign in</h1>
          <p class="soft">
            to <strong>{location.host}</strong>
          </p>
          {signedOutBecause.value !== '' && error === undefined && (
            <Note tone="wait" role="alert" title="You are signed out">
              The gateway says: {visible(signedOutBecause.value)}. Sign in again to return to the same view.
            </Note>
          )}
          {error !== undefined && <Problem error={error} />}
          {error?.code === 'sign-in-expired' && (
            <p class="small">
              Sign in with the token instead: <code>npm start</code> prints a line <code>token</code> with the
              name of its file.
            </p>
          )}
          {hasAccounts && <WithAccount />}
          <form class="stack" onSubmit={submit}>
            <TextField
              label="Token"
              hint="The admins of this gateway give out tokens."
              type="password"
              value={token}
              onValue={setToken}
              required
            />
            <div class="line">
              <button
                type="submit"
                class={hasAccounts ? 'button' : 'button is-primary'}
                disabled={busy || token.trim() === ''}
              >
                Sign in
              </button>
              <span class="push" />
              <ThemeButton />
            </div>
          </form>
          <p class="hint">
            You stay signed in for 12 hours in this browser. The browser stores a cookie that scripts cannot
            read. The token is not stored. All your runs are recorded.
          </p>
        </div>
      </main>
    </div>
  )
}

function useSignIn(code: string | undefined) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Refused | undefined>(undefined)
  const enter = useCallback((body: { readonly token: string } | { readonly code: string }) => {
    setBusy(true)
    setError(undefined)
    signIn(body)
      .then(
        ({ next, ...who }) => {
          signedIn(who)
          if (next !== null) go(next)
          else if (location.pathname === '/sign-in') go('/')
        },
        (failure: unknown) => setError(asRefused(failure)),
      )
      .finally(() => setBusy(false))
  }, [])
  useEffect(() => {
    if (code !== undefined) enter({ code })
  }, [code, enter])
  return { busy, error, enter }
}

/** Whether people can also sign in with an external account. */
export function useHasAccounts(): boolean {
  return useLoaded(readPublicServer).value?.sign_in?.includes('browser') === true
}

/** A link to sign in with an external account. After the sign-in, the page shows the open view again. */
export function WithAccount() {
  const [error, setError] = useState<Refused | undefined>(undefined)
  const begin = () => {
    setError(undefined)
    ask<{ login_url: string }>('GET', '/api/login?page=1').then(
      ({ login_url: url }) => {
        keepForReturn()
        location.assign(url)
      },
      (failure: unknown) => setError(asRefused(failure)),
    )
  }
  return (
    <>
      <button type="button" class="button is-primary" onClick={begin}>
        <Icon name="user" />
        Sign in with your account
      </button>
      {error !== undefined && <Problem error={error} />}
      <p class="soft small or">
        <span>or with a token</span>
      </p>
    </>
  )
}
