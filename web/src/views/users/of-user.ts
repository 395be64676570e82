import type { Token, User } from '../../api/types.ts'

export type Role = 'admin' | 'auditor' | 'standard'

/** Groups that the page shows as a role. */
const ROLE_GROUPS = ['admin', 'auditor']

export const ROLES = [
  ['standard', 'User: runs what the groups allow'],
  ['auditor', 'Auditor: can read everything, but cannot run or decide anything'],
  ['admin', 'Admin: may do everything'],
] as const

/** A member of both groups is an admin. */
export function roleOf({ groups }: Pick<User, 'groups'>): Role {
  if (groups.includes('admin')) return 'admin'
  return groups.includes('auditor') ? 'auditor' : 'standard'
}

export function roleText({ groups }: Pick<User, 'groups'>): string {
  return { admin: 'admin', auditor: 'auditor', standard: 'user' }[roleOf({ groups })]
}

/** Returns the groups that are not a role. */
export function plainGroups({ groups }: Pick<User, 'groups'>): string[] {
  return groups.filter((group) => !ROLE_GROUPS.includes(group))
}

/** Returns the groups for a role and the text of the field "Groups". */
export function groupsOf(role: Role, text: string): string[] {
  return [...new Set([...(role === 'standard' ? [] : [role]), ...wordsOf(text)])]
}

export function wordsOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean)
}

/** Returns the time of each user's last request with a token. Requests of ended sign-ins may be missing. */
export function lastUses(tokens: readonly Token[]): ReadonlyMap<string, string> {
  const uses = new Map<string, string>()
  for (const { user, last_used_at: at } of tokens)
    if (at !== null && at > (uses.get(user) ?? '')) uses.set(user, at)
  return uses
}

export function isOfAccount({ created_by: by }: User): boolean {
  return by?.startsWith('oidc:') === true
}
