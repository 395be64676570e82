import { createHash, randomBytes } from 'node:crypto'
import { refused } from './refusals/request-refused.ts'

/** A machine cannot approve, and may have a budget. */
export type UserKind = 'person' | 'machine'

/** Limits of a machine in any period of `perMs`. A missing value means no limit. */
export interface Budget {
  readonly runs: number
  /** Maximum bytes of output. */
  readonly bytes?: number
  /** Maximum running time in ms of all sessions together. */
  readonly runningMs?: number
  readonly perMs: number
}

export interface GatewayUser {
  readonly name: string
  readonly kind: UserKind
  readonly groups: readonly string[]
  /** If false, no token of the user is accepted. */
  readonly isActive: boolean
  /** A user in gateway.yaml can be changed only there. */
  readonly isDeclared: boolean
  readonly budget?: Budget
}

/** Prefix of `createdBy` for users of an external account. No user name begins with this prefix. */
export const ACCOUNT = 'oidc:'

/** Times are in ms since 1970. */
export interface StoredUser extends GatewayUser {
  readonly isDeclared: false
  readonly createdAt: number
  /** Name of the user who created this user, or an external account (`ACCOUNT`). */
  readonly createdBy: string
  readonly deactivatedAt?: number
  readonly deactivatedBy?: string
}

/** A sign-in with an external account creates `sign-in` tokens. They expire and cannot be rotated. */
export type AccessTokenKind = 'personal' | 'sign-in'

interface PageOf {
  /**
   * SHA-256 of the token with which the person signed in. Missing if they used no token. If that token ends,
   * the page's token ends, too.
   */
  readonly parent?: Buffer
}

/** Times are in ms since 1970. */
export interface AccessToken {
  readonly id: string
  readonly name: string
  readonly user: string
  readonly kind: AccessTokenKind
  /** Hash of the token's text. The text itself is not stored. */
  readonly sha256: Buffer
  readonly isDeclared: boolean
  /** If undefined, the token never expires. */
  readonly expiresAt?: number
  /** Set for the token in a browser's cookie. Such a token is accepted only in a cookie. */
  readonly page?: PageOf
  /** Set for a token that only `/mcp` accepts. The token never changes into one of another kind. */
  readonly isForMcp?: true
}

export interface StoredToken extends AccessToken {
  readonly isDeclared: false
  readonly createdAt: number
  readonly createdBy: string
  readonly revokedAt?: number
  readonly revokedBy?: string
  /** Set while a token for `/mcp` is paused. */
  readonly pausedAt?: number
  readonly pausedBy?: string
  /** Id of the token that replaced this token by rotation. */
  readonly replacedBy?: string
}

export interface SignedIn {
  readonly user: GatewayUser
  readonly token: AccessToken
}

/** Secret scanners recognize our tokens by this prefix. */
const TOKEN_PREFIX = 'rba_'
const TOKEN_BYTES = 32

/** Makes a token with 256 random bits. */
export function newTokenText(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
}

/**
 * Hashes a token. Tokens are looked up by this hash. The time of a look-up reveals nothing, because callers
 * who do not know a token cannot choose the first bytes of its hash.
 */
export function tokenHash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * Refuses machines. A machine with another identity could approve, or use another budget. Otherwise, an
 * attacker with a machine's stolen token could also create another token, which would stay valid after the
 * stolen token is revoked.
 * @throws RequestRefused 403
 */
export function checkIsPerson({ kind }: GatewayUser): void {
  if (kind === 'machine') throw refused('not-permitted/machine')
}

export function timeOf(ms: number | null | undefined): string | null {
  return ms == null ? null : new Date(ms).toISOString()
}

export function isOfPage(token: AccessToken): boolean {
  return token.page !== undefined
}
