import { isPerson, mayAdminister, person } from '../../api/person.ts'
import type { Token } from '../../api/types.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Maximum remaining lifetime of a token that the page shows as expiring soon. */
const SOON_MS = 14 * DAY_MS
/** The same as a part of the whole lifetime, so that a new token never expires soon. */
const SOON_PART = 1 / 3

export function originOf({ kind, name, user, declared, created_by: by }: Token): string {
  if (declared) return 'in gateway.yaml'
  if (kind === 'personal') return by === null || by === user ? 'created by its user' : `created by ${by}`
  // The gateway uses this prefix for tokens of cookies.
  return name.startsWith('page-') ? 'sign-in of a browser' : 'sign-in of a command line'
}

/**
 * Returns the number of whole days until the token expires. Returns undefined if the token does not expire
 * soon. Also returns undefined for sign-ins and for tokens that were already rotated, because they need no
 * new token.
 */
export function daysLeft(
  { kind, status, created_at: from, expires_at: at, replaced_by: next }: Token,
  now: number,
): number | undefined {
  if (kind !== 'personal' || status !== 'active' || at === null || next !== undefined) return undefined
  const left = Date.parse(at) - now
  const soon = from === null ? SOON_MS : Math.min(SOON_MS, (Date.parse(at) - Date.parse(from)) * SOON_PART)
  return left > soon ? undefined : Math.max(0, Math.ceil(left / DAY_MS))
}

/** Admins may revoke all tokens, other people only their own. */
export function mayRevoke({ user, status, declared }: Token): boolean {
  return (
    !declared &&
    status !== 'revoked' &&
    status !== 'expired' &&
    (user === person.value?.name || mayAdminister())
  )
}

export function mayRotate(token: Token): boolean {
  const { kind, status, replaced_by: next } = token
  return (
    kind === 'personal' &&
    status === 'active' &&
    next === undefined &&
    token.paused_at === undefined &&
    mayRevoke(token)
  )
}

export function mayMakeFor(user: string): boolean {
  return isPerson() && (user === person.value?.name || mayAdminister())
}
