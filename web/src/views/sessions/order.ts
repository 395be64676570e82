import { changeQuery } from '../../parts/router.ts'

// The order of the list and its folded rows. The page stores both in the address.

export const ORDERS = [
  ['', 'newest first'],
  ['oldest', 'oldest first'],
  ['longest', 'longest first'],
  ['shortest', 'shortest first'],
  ['runbook', 'by runbook'],
  ['runbook-down', 'by runbook, Z to A'],
  ['connection', 'by connection'],
  ['connection-down', 'by connection, Z to A'],
  ['user', 'by user'],
  ['user-down', 'by user, Z to A'],
] as const
export type Order = (typeof ORDERS)[number][0]

const GATEWAY_ORDERS: Readonly<Record<Order, readonly [sort: string, order: 'asc' | 'desc']>> = {
  '': ['started', 'desc'],
  oldest: ['started', 'asc'],
  longest: ['took', 'desc'],
  shortest: ['took', 'asc'],
  runbook: ['runbook', 'asc'],
  'runbook-down': ['runbook', 'desc'],
  connection: ['connection', 'asc'],
  'connection-down': ['connection', 'desc'],
  user: ['user', 'asc'],
  'user-down': ['user', 'desc'],
}

export function orderOf(asked: URLSearchParams): Order {
  return ORDERS.find(([order]) => order === asked.get('sort'))?.[0] ?? ''
}

/** Chooses the first order, or the second one if the list has the first one already. */
export function turnOrder(present: Order, [first, second]: readonly [Order, Order]): void {
  changeQuery({ sort: present === first ? second : first })
}

/** Whether the runs of a schedule on one day are one row. */
export function foldsSchedules(asked: URLSearchParams): boolean {
  return asked.get('fold') !== 'no'
}

/** The options of an export, which has the list's order. */
export function orderQuery(asked: URLSearchParams): URLSearchParams {
  const [sort, order] = GATEWAY_ORDERS[orderOf(asked)]
  return new URLSearchParams({ sort, order })
}

/** The options of the list for its order and folded rows. The sessions of one batch or schedule are not folded. */
export function rowsQuery(asked: URLSearchParams): URLSearchParams {
  const isOf = (name: string) => (asked.get(name) ?? '') !== ''
  const group = [
    ...(isOf('batch') ? [] : ['batches']),
    ...(isOf('schedule') || !foldsSchedules(asked) ? [] : ['schedules']),
  ]
  const result = orderOf(asked) === '' ? new URLSearchParams() : orderQuery(asked)
  if (group.length > 0) result.set('group', group.join())
  if (group.includes('schedules')) result.set('time_zone', Intl.DateTimeFormat().resolvedOptions().timeZone)
  return result
}
