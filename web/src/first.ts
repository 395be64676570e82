import type { Person } from './api/types.ts'
import { keepEarly } from './api/early.ts'
import { matched } from './parts/matched.ts'
import { VIEWS } from './views.ts'

// The browser runs this small file while it still loads the others. On a slow line, the view's own files, the question
// who is signed in and the first rows of the sessions then need no time of their own.

/** On the sign-in page, and after a one-time link, the user may be another one than before. */
const isSignIn = location.pathname === '/sign-in' || location.hash !== ''

/** Undefined if nobody is signed in, or if the answer is not usable. */
export const firstPerson: Promise<Person | undefined> = isSignIn
  ? Promise.resolve(undefined)
  : asked('/api/userinfo').then(
      async (response) => (response.ok ? ((await response.json()) as Person) : undefined),
      () => undefined,
    )

// The list of sessions asks for the same rows if its address has no filters.
if (location.pathname === '/sessions' && location.search + location.hash === '') {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  const rows = { group: 'batches,schedules', time_zone: timeZone, limit: '100', offset: '0' }
  const path = `/api/sessions?${new URLSearchParams(rows).toString()}`
  const answer = asked(path).catch(() => undefined)
  // Without a person, the page asks who signs in: the rows may be those of somebody else.
  keepEarly(
    path,
    firstPerson.then(async (who) => {
      const response = await answer
      return who !== undefined && response?.ok === true ? response : undefined
    }),
  )
}

const pattern = Object.keys(VIEWS).find((one) => matched(one, location.pathname) !== undefined)
// A file that cannot be loaded is asked for again, and reported, when the view is shown.
if (pattern !== undefined) VIEWS[pattern as keyof typeof VIEWS]().catch(() => undefined)

function asked(url: string): Promise<Response> {
  return fetch(url, { credentials: 'same-origin', headers: { 'x-runbook-page': '1' } })
}
