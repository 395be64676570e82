import type { ComponentType } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { loadFailure } from './api/request.ts'
import { followChanges, isLive, stopsAt } from './api/changes.ts'
import { waitingForSignIn } from './api/fresh.ts'
import { person } from './api/person.ts'
import { Loading, Note } from './parts/messages.tsx'
import { Opened } from './parts/opened.tsx'
import { path } from './parts/router.ts'
import { fetchAhead } from './shell/ahead.ts'
import { isPaletteOpen, type PaletteProps } from './shell/palette-state.ts'
import { Shortcuts } from './shell/shortcuts.tsx'
import { toast, Toasts } from './parts/toasts.tsx'
import { CurrentView, isKnown } from './routes.tsx'
import { Watch } from './shell/mine.tsx'
import { Sidebar, sidebarClass } from './shell/sidebar.tsx'
import { Topbar } from './shell/topbar.tsx'
import { NotFound } from './views/not-found.tsx'
import { SignIn } from './views/sign-in.tsx'

const SIGN_IN_AGAIN = () => import('./shell/sign-in-again.tsx')

/** `code` is the code of a one-time link. */
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

function Frame() {
  useEffect(() => {
    const ended = new AbortController()
    void followChanges(ended.signal)
    void fetchAhead(ended.signal)
    return () => ended.abort()
  }, [])
  useFocusOnNewView()
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <div class={sidebarClass()}>
        <Sidebar />
        <Topbar />
        <main id="main" tabIndex={-1}>
          {!isLive.value && (
            <Note tone="wait" role="status" title="The gateway does not answer">
              The content of this page may be out of date. The page reconnects automatically.
            </Note>
          )}
          {isLive.value && stopsAt.value !== undefined && (
            <Note tone="wait" role="status">
              This gateway is stopping. Running sessions may continue until {clock(stopsAt.value)}; new
              sessions are refused.
            </Note>
          )}
          <CurrentView />
        </main>
      </div>
      <Toasts />
      <Watch />
      <Shortcuts />
      <Search />
      {waitingForSignIn.value !== undefined && <Opened load={SIGN_IN_AGAIN} props={{}} />}
    </>
  )
}

/** The search. The page loads it when the user opens it for the first time. */
function Search() {
  const [palette, setPalette] = useState<{ readonly View: ComponentType<PaletteProps> } | undefined>(
    undefined,
  )
  const typed = useRef('')
  const isOpen = isPaletteOpen.value
  // What is typed before the search is there would otherwise be lost, or act as single keys.
  useLayoutEffect(() => {
    if (!isOpen || palette !== undefined) return
    typed.current = ''
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === 'Escape') isPaletteOpen.value = false
      else if (event.key === 'Backspace') typed.current = typed.current.slice(0, -1)
      else if (event.key.length === 1) typed.current += event.key
      event.preventDefault()
      event.stopPropagation()
    }
    document.addEventListener('keydown', onKey, true)
    return () => document.removeEventListener('keydown', onKey, true)
  }, [isOpen, palette])
  useEffect(() => {
    if (!isOpen) return
    import('./shell/palette.tsx').then(
      ({ default: View }) => setPalette({ View }),
      async () => {
        isPaletteOpen.value = false
        const { message } = await loadFailure()
        toast(`The search could not be loaded. ${message}`, { tone: 'bad', icon: 'alert' })
      },
    )
  }, [isOpen])
  return isOpen && palette !== undefined ? <palette.View typed={typed.current} /> : null
}

function clock(at: string): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
}

/** Moves the focus to the heading of a new view, for users who do not see the change. */
function useFocusOnNewView(): void {
  const pathname = path.value
  // A key that is pressed after the view is drawn would otherwise lose the focus that it has moved.
  useLayoutEffect(() => {
    if (!firstView) document.getElementById('main')?.focus({ preventScroll: true })
    firstView = false
  }, [pathname])
}

let firstView = true
