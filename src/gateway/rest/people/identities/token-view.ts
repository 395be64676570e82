import type { AccessToken } from '../../../identity.ts'
import type { Tokens } from '../../../people/identities/tokens.ts'
import type { Users } from '../../../people/identities/users.ts'

/** What is known of a token, for whoever may see it. The token itself is nowhere. */
export function tokenView(services: { users: Users; tokens: Tokens }, token: AccessToken): object {
  const { id, name, user, kind, isDeclared, expiresAt, ...rest } = token
  const { createdAt, createdBy, revokedAt, revokedBy, replacedBy } = rest as Partial<StoredFacts>
  return {
    ...{ id, name, user, kind, declared: isDeclared, status: statusOf(services.users, token) },
    created_at: timeOf(createdAt),
    created_by: createdBy ?? null,
    expires_at: timeOf(expiresAt),
    last_used_at: timeOf(services.tokens.lastUse(token)),
    ...(revokedAt !== undefined && { revoked_at: timeOf(revokedAt), revoked_by: revokedBy }),
    ...(replacedBy !== undefined && { replaced_by: replacedBy }),
  }
}

interface StoredFacts {
  readonly createdAt: number
  readonly createdBy: string
  readonly revokedAt: number
  readonly revokedBy: string
  readonly replacedBy: string
}

/** `inactive`: it is its user who is not accepted. */
function statusOf(users: Users, token: AccessToken): 'active' | 'revoked' | 'expired' | 'inactive' {
  if (users.refusal(token) === undefined) return 'active'
  if ('revokedAt' in token && token.revokedAt !== undefined) return 'revoked'
  return token.expiresAt !== undefined && token.expiresAt <= users.now ? 'expired' : 'inactive'
}

export function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
