import { createHash, randomBytes } from 'node:crypto'
import { RequestRefused } from './refusals/request-refused.ts'

/** There is one, which hoop gives an id. */
export const ORGANIZATION = '00000000-0000-0000-0000-000000000000'

/** A machine runs by itself: it never approves, and may have a budget. */
export type UserKind = 'person' | 'machine'

/** What a machine may use up in any stretch of `perMs`. Undefined: as much as it likes. */
export interface Budget {
  readonly runs: number
  /** Bytes of output. */
  readonly bytes?: number
  /** How long its sessions run, together. */
  readonly runningMs?: number
  readonly perMs: number
}

export interface GatewayUser {
  readonly name: string
  readonly kind: UserKind
  readonly groups: readonly string[]
  /** False: no token of it is accepted. */
  readonly isActive: boolean
  /** Whether it stands in gateway.yaml, where alone it can be changed. */
  readonly isDeclared: boolean
  readonly budget?: Budget
}

/** How `createdBy` begins of a user who has signed in with an account elsewhere; no name of a user does. */
export const ACCOUNT = 'oidc:'

/** A user of the state, with how it came to be there. Times are in ms since 1970. */
export interface StoredUser extends GatewayUser {
  readonly isDeclared: false
  readonly createdAt: number
  /** Name of who made it, or the account. */
  readonly createdBy: string
  readonly deactivatedAt?: number
  readonly deactivatedBy?: string
}

/** `sign-in`: of somebody who signed in with an account elsewhere. It ends by itself and cannot be rotated. */
export type AccessTokenKind = 'personal' | 'sign-in'

interface PageOf {
  /** SHA-256 of the token that the person has signed in with, if it was one: this one is accepted no longer than that. */
  readonly parent?: Buffer
}

/** What is known of a token, never the token. Times are in ms since 1970. */
export interface AccessToken {
  readonly id: string
  readonly name: string
  /** Name of its user. */
  readonly user: string
  readonly kind: AccessTokenKind
  /** Of its text, which is nowhere. */
  readonly sha256: Buffer
  /** Whether it stands in gateway.yaml. */
  readonly isDeclared: boolean
  /** It is accepted until then. Undefined: for ever. */
  readonly expiresAt?: number
  /** Set for one of a browser's cookie, which is accepted there alone. */
  readonly page?: PageOf
}

/** A token of the state. */
export interface StoredToken extends AccessToken {
  readonly isDeclared: false
  readonly createdAt: number
  /** Name of who made it. */
  readonly createdBy: string
  readonly revokedAt?: number
  readonly revokedBy?: string
  /** Id of the token that it was rotated to. */
  readonly replacedBy?: string
}

/** Who asks, and by which token. */
export interface SignedIn {
  readonly user: GatewayUser
  readonly token: AccessToken
}

/** Lets programs that look for lost secrets know ours. */
const TOKEN_PREFIX = 'rba_'
const TOKEN_BYTES = 32

/** 256 random bits: nobody guesses it. */
export function newTokenText(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
}

/**
 * What tokens are found by. A map may take any time to compare hashes: who does not know the token cannot choose what
 * its hash begins with, so the time tells nothing that leads to it.
 */
export function tokenHash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/**
 * A machine has the groups and tokens that people gave it, and rotates its own tokens. By another identity it could
 * approve, or have another budget, and a stolen token could make one that outlives it. @throws RequestRefused 403
 */
export function checkIsPerson({ kind }: GatewayUser): void {
  if (kind === 'machine')
    throw new RequestRefused(
      'not-permitted',
      'a machine may only rotate and revoke its own tokens: other changes of users, groups and tokens need a token of a person who is an admin',
    )
}

/** A time as answers have it. */
export function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

/** Whether the token is the sign-in of a browser on the page. */
export function isOfPage(token: AccessToken): boolean {
  return token.page !== undefined
}
