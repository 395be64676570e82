import type { Person } from './api/types.ts'
import { matched } from './parts/matched.ts'
import { VIEWS } from './views.ts'

// The browser runs this small file while it still loads the others. On a slow line, the view's own files and the
// question who is signed in then need no time of their own.

/** On the sign-in page, and after a one-time link, the user may be another one than before. */
const isSignIn = location.pathname === '/sign-in' || location.hash !== ''

/** Undefined if nobody is signed in, or if the answer is not usable. */
export const firstPerson: Promise<Person | undefined> = isSignIn
  ? Promise.resolve(undefined)
  : fetch('/api/userinfo', { credentials: 'same-origin', headers: { 'x-runbook-page': '1' } }).then(
      async (response) => (response.ok ? ((await response.json()) as Person) : undefined),
      () => undefined,
    )

const pattern = Object.keys(VIEWS).find((one) => matched(one, location.pathname) !== undefined)
// A file that cannot be loaded is asked for again, and reported, when the view is shown.
if (pattern !== undefined) VIEWS[pattern as keyof typeof VIEWS]().catch(() => undefined)
