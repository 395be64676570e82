import { tokenContract, type IssuedTokenAnswer, type TokenAnswer } from '../../../contract/tokens.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { Handlers } from '../../handlers.ts'
import {
  checkIsPerson,
  timeOf,
  type AccessToken,
  type GatewayUser,
  type StoredToken,
} from '../../identity.ts'
import { RequestRefused } from '../../refusals/request-refused.ts'
import type { IssuedToken, Tokens } from './tokens.ts'
import type { Users } from './users.ts'

interface TokenRouting {
  readonly users: Users
  readonly tokens: Tokens
}

/** Tokens of the caller, for admins those of all. Auditors see all, and change their own alone. */
export function tokenRoutes(services: TokenRouting): Handlers<typeof tokenContract> {
  const { users, tokens } = services
  return {
    list: ({ user, query }) => {
      const seen = tokens.list(query.user).filter((token) => token.user === user.name || users.seesAll(user))
      return seen.map((token) => tokenAnswer(services, token))
    },
    create: ({ user, body: { name, user: owner = null, expires_in: expiresIn } }) => {
      if (owner !== null && owner !== user.name && !users.isAdmin(user))
        throw new RequestRefused('not-permitted', hoopWords.accessDenied)
      const lifetimeMs = milliseconds(expiresIn)
      const asked = { user: owner ?? user.name, name, kind: 'personal', lifetimeMs } as const
      return issuedAnswer(services, tokens.create(asked, user.name))
    },
    rotate: ({ user, params, body: { overlap, expires_in: expiresIn } }) => {
      const { id } = ownToken(services, user, params.id)
      const rotation = { overlapMs: overlap * 1000, lifetimeMs: milliseconds(expiresIn) }
      return issuedAnswer(services, tokens.rotate(id, rotation, user.name))
    },
    revoke: ({ user, params }) => {
      tokens.revoke(ownToken(services, user, params.id).id, user.name)
    },
  }
}

function milliseconds(seconds: number | null | undefined): number | undefined {
  return seconds === null || seconds === undefined ? undefined : seconds * 1000
}

/** Tokens that the caller may not see read as missing. @throws RequestRefused 403, 404 */
function ownToken({ users, tokens }: TokenRouting, user: GatewayUser, id: string): AccessToken {
  const token = tokens.find(id)
  if (token?.user === user.name) return token
  if (token === undefined || !users.isAdmin(user))
    throw new RequestRefused('token-not-found', 'token not found')
  checkIsPerson(user)
  return token
}

/** The text of a token is in the answer that makes it, and never again. */
function issuedAnswer(services: TokenRouting, { token, text }: IssuedToken): IssuedTokenAnswer {
  return { ...tokenAnswer(services, token), token: text }
}

function tokenAnswer({ users, tokens }: TokenRouting, token: AccessToken): TokenAnswer {
  const { id, name, user, kind, isDeclared, expiresAt } = token
  const { createdAt, createdBy, revokedAt, revokedBy, replacedBy } = token as Partial<StoredToken>
  return {
    id,
    name,
    user,
    kind,
    declared: isDeclared,
    status: statusOf(users, token),
    created_at: timeOf(createdAt),
    created_by: createdBy ?? null,
    expires_at: timeOf(expiresAt),
    last_used_at: timeOf(tokens.lastUse(token)),
    ...(revokedAt !== undefined && { revoked_at: new Date(revokedAt).toISOString(), revoked_by: revokedBy }),
    ...(replacedBy !== undefined && { replaced_by: replacedBy }),
  }
}

function statusOf(users: Users, token: AccessToken): TokenAnswer['status'] {
  if (users.refusal(token) === undefined) return 'active'
  if ('revokedAt' in token && token.revokedAt !== undefined) return 'revoked'
  return token.expiresAt !== undefined && token.expiresAt <= users.now ? 'expired' : 'inactive'
}
