import { computed, signal } from '@preact/signals'

// The address holds the state of the view, so that a link shows the same view to other people.

const address = signal(new URL(location.href))

export const path = computed(() => address.value.pathname)
export const query = computed(() => address.value.searchParams)
export const hash = computed(() => address.value.hash)

/** Asks whether the user may leave the view, and calls `leave` if so. */
type Guard = (leave: () => void) => void
let guard: Guard | undefined

/** Calls `ask` before the user leaves the view. Returns a function that ends this. */
export function askBeforeLeaving(ask: Guard): () => void {
  guard = ask
  // The browser asks in its own words before it closes or reloads the tab.
  const hold = (event: Event) => event.preventDefault()
  window.addEventListener('beforeunload', hold)
  return () => {
    window.removeEventListener('beforeunload', hold)
    if (guard === ask) guard = undefined
  }
}

/** Returns true when the view stays open until the user has answered. */
function isHeld(pathname: string, leave: () => void): boolean {
  const asking = guard
  if (asking === undefined || pathname === path.peek()) return false
  asking(() => {
    if (guard === asking) guard = undefined
    leave()
  })
  return true
}

export function go(to: string): void {
  if (isHeld(new URL(to, location.href).pathname, () => go(to))) return
  if (to !== location.pathname + location.search) history.pushState(null, '', to)
  address.value = new URL(location.href)
  window.scrollTo(0, 0)
}

/** Replaces the address in the history, so that the back button skips the old one. */
function replaceAddress(to: string): void {
  history.replaceState(null, '', to)
  address.value = new URL(location.href)
}

/** Returns the present address with other values in its query. An empty value removes its name from the query. */
export function addressWith(changes: Readonly<Record<string, string>>): string {
  const next = new URLSearchParams(query.value)
  for (const [name, value] of Object.entries(changes))
    if (value === '') next.delete(name)
    else next.set(name, value)
  const text = next.toString()
  return text === '' ? path.value : `${path.value}?${text}`
}

/** Changes values of the query in the address. */
export function changeQuery(changes: Readonly<Record<string, string>>): void {
  replaceAddress(addressWith(changes))
}

/** Handles clicks on the page's own links by a change of view. The browser handles all other links. */
export function followLinks(): void {
  window.addEventListener('popstate', () => {
    // The browser has already gone back, so the address is restored until the user has answered.
    if (isHeld(location.pathname, () => history.back())) history.pushState(null, '', address.peek())
    else address.value = new URL(location.href)
  })
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || event.defaultPrevented || !isForPage(event, link)) return
    event.preventDefault()
    go(link.pathname + link.search)
  })
}

function isForPage(event: MouseEvent, link: HTMLAnchorElement): boolean {
  const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
  const isOurs = link.origin === location.origin && !link.pathname.startsWith('/api/')
  return isPlain && isOurs && link.target === '' && !link.hasAttribute('download') && link.hash === ''
}
