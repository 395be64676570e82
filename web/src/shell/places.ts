import { mayRun, readsAll } from '../api/person.ts'
import type { IconName } from '../parts/icon.tsx'

export interface Place {
  readonly to: string
  readonly name: string
  readonly icon: IconName
  /** The letter after `g` in the shortcut. */
  readonly key?: string
  /** Whether the view is only for people who may read everything. */
  readonly isForAuditors?: boolean
  /** Whether the view is only for people who may run something. */
  readonly isForRunning?: boolean
}

/** The groups of the sidebar. The first group has no heading. */
export const PLACES: readonly { readonly heading?: string; readonly places: readonly Place[] }[] = [
  {
    places: [
      { to: '/', name: 'Home', icon: 'home', key: 'h' },
      { to: '/runbooks', name: 'Runbooks', icon: 'book', key: 'r' },
      { to: '/run', name: 'Script', icon: 'script', key: 'x', isForRunning: true },
      { to: '/sessions', name: 'Sessions', icon: 'sessions', key: 's' },
      { to: '/approvals', name: 'Approvals', icon: 'approve', key: 'a' },
    ],
  },
  {
    heading: 'Automation',
    places: [
      { to: '/batches', name: 'Batches', icon: 'waves', key: 'b' },
      { to: '/schedules', name: 'Schedules', icon: 'calendar', key: 'd' },
    ],
  },
  {
    heading: 'Systems',
    places: [
      { to: '/connections', name: 'Connections', icon: 'plug', key: 'c' },
      { to: '/agents', name: 'Agents', icon: 'agent', key: 'e' },
    ],
  },
  {
    heading: 'Administration',
    places: [
      { to: '/users', name: 'Users', icon: 'user', key: 'u', isForAuditors: true },
      { to: '/access', name: 'Access', icon: 'lock', isForAuditors: true },
      { to: '/tokens', name: 'Tokens', icon: 'key', key: 't', isForAuditors: true },
      { to: '/machines', name: 'Budgets', icon: 'chart', isForAuditors: true },
      { to: '/audit', name: 'Audit log', icon: 'audit', isForAuditors: true },
      { to: '/settings', name: 'Settings', icon: 'table', isForAuditors: true },
    ],
  },
]

export const ALL_PLACES = PLACES.flatMap(({ places }) => places)

export function isAt({ to }: Place, pathname: string): boolean {
  return pathname === to || (to !== '/' && pathname.startsWith(`${to}/`))
}

export function isForPerson({ isForAuditors = false, isForRunning = false }: Place): boolean {
  return (!isForAuditors || readsAll()) && (!isForRunning || mayRun())
}
