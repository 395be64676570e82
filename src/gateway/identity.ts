import { createHash, randomBytes } from 'node:crypto'
import { RequestRefused } from './refusals/request-refused.ts'

/** Id of the only organization. hoop has an id for each organization. */
export const ORGANIZATION = '00000000-0000-0000-0000-000000000000'

/** A machine is a user without a person. A machine never approves, and may have a budget. */
export type UserKind = 'person' | 'machine'

/** Limits of a machine in any period of `perMs`. A missing value means no limit. */
export interface Budget {
  readonly runs: number
  /** Bytes of output. */
  readonly bytes?: number
  /** Total time of its sessions. */
  readonly runningMs?: number
  readonly perMs: number
}

export interface GatewayUser {
  readonly name: string
  readonly kind: UserKind
  readonly groups: readonly string[]
  /** False: none of the user's tokens is accepted. */
  readonly isActive: boolean
  /** Whether the user is declared in gateway.yaml. Such a user can be changed only there. */
  readonly isDeclared: boolean
  readonly budget?: Budget
}

/** Prefix of `createdBy` for users of an external account. No user name begins with this prefix. */
export const ACCOUNT = 'oidc:'

/** A user of the state. Times are in ms since 1970. */
export interface StoredUser extends GatewayUser {
  readonly isDeclared: false
  readonly createdAt: number
  /** Name of the user who created this user, or the external account. */
  readonly createdBy: string
  readonly deactivatedAt?: number
  readonly deactivatedBy?: string
}

/** `sign-in` tokens are created by a sign-in with an external account. They expire and cannot be rotated. */
export type AccessTokenKind = 'personal' | 'sign-in'

interface PageOf {
  /**
   * SHA-256 of the token that the person has signed in with, if any. The page's token ends when that token
   * ends.
   */
  readonly parent?: Buffer
}

/** Facts about a token, without its text. Times are in ms since 1970. */
export interface AccessToken {
  readonly id: string
  readonly name: string
  /** Name of the token's user. */
  readonly user: string
  readonly kind: AccessTokenKind
  /** Hash of the token's text, which is not stored. */
  readonly sha256: Buffer
  /** Whether the token is declared in gateway.yaml. */
  readonly isDeclared: boolean
  /** Time of expiry. Undefined: the token never expires. */
  readonly expiresAt?: number
  /** Set for the token of a browser's cookie. Such a token is accepted only in a cookie. */
  readonly page?: PageOf
}

/** A token of the state. */
export interface StoredToken extends AccessToken {
  readonly isDeclared: false
  readonly createdAt: number
  readonly createdBy: string
  readonly revokedAt?: number
  readonly revokedBy?: string
  /** Id of the token that replaced this token by rotation. */
  readonly replacedBy?: string
}

export interface SignedIn {
  readonly user: GatewayUser
  readonly token: AccessToken
}

/** Prefix by which secret scanners recognize our tokens. */
const TOKEN_PREFIX = 'rba_'
const TOKEN_BYTES = 32

/** Returns a new token of 256 random bits. */
export function newTokenText(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
}

/**
 * Returns the hash by which tokens are looked up. The time of a look-up in a map reveals nothing useful,
 * because callers who do not know the token cannot choose the beginning of its hash.
 */
export function tokenHash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * Refuses machines. A machine has the groups and tokens that people gave it, and rotates its own tokens. With
 * another identity, a machine could approve or have another budget. With a stolen token, an attacker could
 * create a token that stays valid after the revocation.
 * @throws RequestRefused 403
 */
export function checkIsPerson({ kind }: GatewayUser): void {
  if (kind === 'machine')
    throw new RequestRefused(
      'not-permitted',
      'a machine may only rotate and revoke its own tokens: other changes to users, groups and tokens need the token of a person who is an admin',
    )
}

/** Formats a time for answers. */
export function timeOf(ms: number | null | undefined): string | null {
  return ms == null ? null : new Date(ms).toISOString()
}

/** Whether the token was made for a browser that signed in on the page. */
export function isOfPage(token: AccessToken): boolean {
  return token.page !== undefined
}
