import { useCallback, useEffect, useState } from 'preact/hooks'
import { readPublicServer, signIn } from '../api/gateway.ts'
import { signedIn, signedOutBecause } from '../api/person.ts'
import { ask, asRefused, type Refused } from '../api/request.ts'
import { TextField } from '../form/text-field.tsx'
import { useLoaded } from '../parts/loaded.ts'
import { Problem } from '../parts/messages.tsx'
import { go } from '../parts/router.ts'
import { visible } from '../parts/visible.ts'

/** The one-time code of the link that `npm start` prints. It leaves the address at once, and goes into no history. */
export function takeCode(): string | undefined {
  const code = /^#code=(.+)$/.exec(location.hash)?.[1]
  if (code !== undefined) history.replaceState(null, '', location.pathname)
  return code
}

interface SignInProps {
  readonly code: string | undefined
}

/** The view that was wanted comes after it. */
export function SignIn({ code }: SignInProps) {
  const [token, setToken] = useState('')
  const { busy, error, enter } = useSignIn(code)
  const submit = (event: Event) => {
    event.preventDefault()
    enter({ token: token.trim() })
  }
  return (
    <main class="sign-in" id="main">
      <h1>Sign in</h1>
      {signedOutBecause.value !== '' && error === undefined && (
        <p class="warning" role="alert" dir="auto">
          You were signed out: {visible(signedOutBecause.value)}. Sign in again to go on where you were.
        </p>
      )}
      {error !== undefined && <Problem error={error} />}
      {error?.code === 'sign-in-expired' && (
        <p>
          Without the link, take the token: the line <code>token</code> that <code>npm start</code> prints
          says which file it is in.
        </p>
      )}
      <form onSubmit={submit}>
        <TextField label="Token" type="password" value={token} onValue={setToken} required />
        <button type="submit" class="primary" disabled={busy || token.trim() === ''}>
          Sign in
        </button>
      </form>
      <WithAccount />
      <p class="hint">
        Whoever runs the gateway gives out tokens. The browser keeps a cookie that this page cannot read; the
        token is kept nowhere.
      </p>
    </main>
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

/** Where people sign in with an account elsewhere. */
function WithAccount() {
  const { value } = useLoaded(readPublicServer)
  const [error, setError] = useState<Refused | undefined>(undefined)
  if (value?.sign_in?.includes('browser') !== true) return null
  const begin = () => {
    setError(undefined)
    ask<{ login_url: string }>('GET', '/api/login?page=1').then(
      ({ login_url: url }) => location.assign(url),
      (failure: unknown) => setError(asRefused(failure)),
    )
  }
  return (
    <>
      <button onClick={begin}>Sign in with your account</button>
      {error !== undefined && <Problem error={error} />}
    </>
  )
}
