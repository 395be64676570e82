import { person } from './api/person.ts'
import { Opened, type Load } from './parts/opened.tsx'
import { shortName } from './parts/paths.ts'
import { matched, path } from './parts/router.ts'
import { visible } from './parts/visible.ts'
import Home from './views/home.tsx'
import { NotFound } from './views/not-found.tsx'

interface Route {
  readonly pattern: string
  /** Title of the window. */
  readonly title: string | ((parameters: Readonly<Record<string, string>>) => string)
  readonly load: Load
}

/** Home is in the page; other views are loaded when the user opens them. */
const ROUTES: readonly Route[] = [
  { pattern: '/', title: 'Home', load: () => Promise.resolve({ default: Home }) },
  { pattern: '/runbooks', title: 'Runbooks', load: () => import('./views/runbooks/list.tsx') },
  {
    pattern: '/runbooks/:repository/*',
    title: ({ rest = '' }) => visible(shortName(rest)),
    load: () => import('./views/runbooks/runbook.tsx'),
  },
  { pattern: '/run', title: 'Script', load: () => import('./views/script/script.tsx') },
  { pattern: '/sessions', title: 'Sessions', load: () => import('./views/sessions/list.tsx') },
  { pattern: '/sessions/:id', title: 'Session', load: () => import('./views/sessions/session.tsx') },
  { pattern: '/sessions/:first/diff/:second', title: 'Compare', load: () => import('./views/diff/diff.tsx') },
  { pattern: '/approvals', title: 'Approvals', load: () => import('./views/approvals/list.tsx') },
  { pattern: '/approvals/:id', title: 'Approval', load: () => import('./views/approvals/approval.tsx') },
  { pattern: '/connections', title: 'Connections', load: () => import('./views/connections.tsx') },
  {
    pattern: '/connections/:connection/terminal',
    title: ({ connection = '' }) => visible(`Terminal on ${connection}`),
    load: () => import('./views/terminal/terminal.tsx'),
  },
  { pattern: '/batches', title: 'Batches', load: () => import('./views/batches/list.tsx') },
  { pattern: '/batches/:id', title: 'Batch', load: () => import('./views/batches/batch.tsx') },
  { pattern: '/schedules', title: 'Schedules', load: () => import('./views/schedules.tsx') },
  { pattern: '/schedules/new', title: 'New schedule', load: () => import('./views/new-schedule.tsx') },
  { pattern: '/access', title: 'Who may do what', load: () => import('./views/access.tsx') },
  { pattern: '/audit', title: 'Audit log', load: () => import('./views/audit/list.tsx') },
  { pattern: '/settings', title: 'Settings', load: () => import('./views/settings/settings.tsx') },
  { pattern: '/users', title: 'Users', load: () => import('./views/users/list.tsx') },
  {
    pattern: '/users/:name',
    title: ({ name = '' }) => visible(name),
    load: () => import('./views/users/user.tsx'),
  },
  { pattern: '/machines', title: 'Machine budgets', load: () => import('./views/users/machines.tsx') },
  { pattern: '/tokens', title: 'Tokens', load: () => import('./views/tokens/tokens.tsx') },
  { pattern: '/agents', title: 'Agents', load: () => import('./views/agents.tsx') },
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
