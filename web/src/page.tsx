import { useEffect } from 'preact/hooks'
import { followChanges, isLive, stopsAt } from './api/changes.ts'
import { signOut } from './api/gateway.ts'
import { person, signedOut } from './api/person.ts'
import { Loading } from './parts/messages.tsx'
import { go, path } from './parts/router.ts'
import { Shortcuts } from './parts/shortcuts.tsx'
import { Name } from './parts/text.tsx'
import { ThemeButton } from './parts/theme.tsx'
import { CurrentView, isKnown } from './routes.tsx'
import { NotFound } from './views/not-found.tsx'
import { SignIn } from './views/sign-in.tsx'

/** All of the page. @param code of a one-time link */
export function Page({ code }: { readonly code: string | undefined }) {
  if (person.value === null) return <Loading />
  if (person.value !== undefined) return <Frame />
  if (isKnown(path.value)) return <SignIn code={code} />
  return (
    <main id="main">
      <NotFound />
    </main>
  )
}

const PLACES = [
  ['/runbooks', 'Runbooks'],
  ['/sessions', 'Sessions'],
  ['/approvals', 'Approvals'],
  ['/connections', 'Connections'],
  ['/batches', 'Batches'],
  ['/schedules', 'Schedules'],
  ['/agents', 'Agents'],
] as const

function Frame() {
  useEffect(() => {
    const ended = new AbortController()
    void followChanges(ended.signal)
    return () => ended.abort()
  }, [])
  useFocusOnNewView()
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <nav aria-label="Main">
          {PLACES.map(([to, name]) => (
            <a key={to} href={to} aria-current={isHere(to) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <Person />
      </header>
      {!isLive.value && (
        <p class="warning" role="status">
          The gateway does not answer: lists may be old. It is tried again by itself.
        </p>
      )}
      {isLive.value && stopsAt.value !== undefined && (
        <p class="warning" role="status">
          This gateway is stopping: running jobs go on until {clock(stopsAt.value)}, new ones are refused.
        </p>
      )}
      <main id="main" tabIndex={-1}>
        <CurrentView />
      </main>
      <Shortcuts />
    </>
  )
}

function clock(at: string): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
}

function isHere(to: string): boolean {
  const pathname = path.value
  return pathname === to || pathname.startsWith(`${to}/`) || (pathname === '/' && to === '/runbooks')
}

function Person() {
  const leave = () => {
    const out = () => {
      signedOut()
      go('/sign-in')
    }
    signOut().then(out, out)
  }
  return (
    <div class="person">
      <ThemeButton />
      <span>
        <Name>{person.value?.name ?? ''}</Name>
      </span>
      <button onClick={leave}>Sign out</button>
    </div>
  )
}

/** A new view begins at its heading for whoever does not see that the page has changed. */
function useFocusOnNewView(): void {
  const pathname = path.value
  useEffect(() => {
    if (!firstView) document.getElementById('main')?.focus({ preventScroll: true })
    firstView = false
  }, [pathname])
}

let firstView = true
