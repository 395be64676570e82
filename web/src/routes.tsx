import { person } from './api/person.ts'
import { Opened, type Load } from './parts/opened.tsx'
import { shortName } from './parts/paths.ts'
import { matched } from './parts/matched.ts'
import { path } from './parts/router.ts'
import { visible } from './parts/visible.ts'
import { VIEWS } from './views.ts'
import { NotFound } from './views/not-found.tsx'

interface Route {
  readonly pattern: string
  /** Title of the window. */
  readonly title: string | ((parameters: Readonly<Record<string, string>>) => string)
  readonly load: Load
}

/** Views are loaded when the user opens them. */
const ROUTES: readonly Route[] = [
  { pattern: '/', title: 'Home', load: VIEWS['/'] },
  { pattern: '/runbooks', title: 'Runbooks', load: VIEWS['/runbooks'] },
  {
    pattern: '/runbooks/:repository/*',
    title: ({ rest = '' }) => visible(shortName(rest)),
    load: VIEWS['/runbooks/:repository/*'],
  },
  { pattern: '/run', title: 'Script', load: VIEWS['/run'] },
  { pattern: '/sessions', title: 'Sessions', load: VIEWS['/sessions'] },
  { pattern: '/sessions/:id', title: 'Session', load: VIEWS['/sessions/:id'] },
  {
    pattern: '/sessions/:first/diff/:second',
    title: 'Compare',
    load: VIEWS['/sessions/:first/diff/:second'],
  },
  { pattern: '/approvals', title: 'Approvals', load: VIEWS['/approvals'] },
  { pattern: '/approvals/:id', title: 'Approval', load: VIEWS['/approvals/:id'] },
  { pattern: '/connections', title: 'Connections', load: VIEWS['/connections'] },
  {
    pattern: '/connections/:connection/terminal',
    title: ({ connection = '' }) => visible(`Terminal on ${connection}`),
    load: VIEWS['/connections/:connection/terminal'],
  },
  { pattern: '/batches', title: 'Batches', load: VIEWS['/batches'] },
  { pattern: '/batches/:id', title: 'Batch', load: VIEWS['/batches/:id'] },
  { pattern: '/schedules', title: 'Schedules', load: VIEWS['/schedules'] },
  { pattern: '/schedules/new', title: 'New schedule', load: VIEWS['/schedules/new'] },
  { pattern: '/access', title: 'Who may do what', load: VIEWS['/access'] },
  { pattern: '/audit', title: 'Audit log', load: VIEWS['/audit'] },
  { pattern: '/settings', title: 'Settings', load: VIEWS['/settings'] },
  { pattern: '/users', title: 'Users', load: VIEWS['/users'] },
  {
    pattern: '/users/:name',
    title: ({ name = '' }) => visible(name),
    load: VIEWS['/users/:name'],
  },
  { pattern: '/machines', title: 'Machine budgets', load: VIEWS['/machines'] },
  { pattern: '/tokens', title: 'Tokens', load: VIEWS['/tokens'] },
  { pattern: '/agents', title: 'Agents', load: VIEWS['/agents'] },
]

export function CurrentView() {
  const pathname = path.value
  const found = routeOf(pathname)
  if (found === undefined) return <NotFound />
  return <Opened load={found.route.load} props={found.parameters} key={pathname} />
}

/** Returns the title of the window until the view sets a better title. */
export function titleOfView(): string {
  if (person.value === undefined) return 'Sign in'
  const found = routeOf(path.value)
  if (found === undefined) return 'Not found'
  const { title } = found.route
  return typeof title === 'string' ? title : title(found.parameters)
}

/** Whether the address is a view's. The sign-in page counts as a view. */
export function isKnown(pathname: string): boolean {
  return pathname === '/sign-in' || routeOf(pathname) !== undefined
}

function routeOf(pathname: string) {
  for (const route of ROUTES) {
    const parameters = matched(route.pattern, pathname)
    if (parameters !== undefined) return { route, parameters }
  }
  return undefined
}
