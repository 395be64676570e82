import { randomBytes, randomUUID } from 'node:crypto'
import type { Logger } from '../../../basics/logger.ts'
import {
  isOfPage,
  newTokenText,
  tokenHash,
  type StoredToken,
  type AccessToken,
  type AccessTokenKind,
} from '../../identity.ts'
import { refused } from '../../refusals/request-refused.ts'
import type { LastUses } from './token-uses.ts'
import type { Users } from './users.ts'

interface NewToken {
  readonly user: string
  /** Unique among the user's accepted tokens. */
  readonly name: string
  readonly kind: AccessTokenKind
  /** If undefined, the token does not expire. */
  readonly lifetimeMs: number | undefined
  readonly page?: StoredToken['page']
  readonly isForMcp?: true
}

interface NewPageToken {
  readonly user: string
  readonly parent?: Buffer
  readonly lifetimeMs: number
}

interface Rotation {
  /** How long the old token stays valid. */
  readonly overlapMs: number
  /** If undefined, the new token gets the lifetime that the old token had at its beginning. */
  readonly lifetimeMs: number | undefined
}

/** `text` is shown only once. */
export interface IssuedToken {
  readonly token: StoredToken
  readonly text: string
}

/** Maximum number of accepted tokens per user. */
const MAX_TOKENS = 100
/**
 * Maximum number of page tokens per user. Ended tokens count, too, because they are removed only above this
 * limit.
 */
const MAX_BROWSERS = 20

/** Makes and ends tokens. The caller has to check the user's permission before. */
export class Tokens {
  readonly #users: Users
  readonly #uses: LastUses
  readonly #log: Logger

  constructor(users: Users, uses: LastUses, log: Logger) {
    this.#users = users
    this.#uses = uses
    this.#log = log
  }

  /** Lists the tokens of gateway.yaml first. @param user if undefined, the tokens of all users are listed */
  list(user?: string): AccessToken[] {
    const { declared, stored } = this.#users
    const all = [...declared.tokens.values(), ...stored.tokens.values()]
    return all.filter((token) => user === undefined || token.user === user)
  }

  find(id: string): AccessToken | undefined {
    return this.#users.declared.tokens.get(id) ?? this.#users.stored.tokens.get(id)
  }

  /** Time in ms since 1970, with the precision of a minute. */
  lastUse({ id }: AccessToken): number | undefined {
    return this.#uses.of(id)
  }

  /**
   * @param by name of the requesting user
   * @throws RequestRefused, HistoryError. After an error, no token exists.
   */
  create(asked: NewToken, by: string): IssuedToken {
    const { user, name } = asked
    const owner = this.#users.named(user)
    if (owner === undefined) throw refused('user-not-found/named', { name: user })
    if (asked.isForMcp === true && owner.kind !== 'machine')
      throw refused('invalid-request/mcp-of-person', { user })
    if (this.#users.isUsurped(user)) throw refused('name-taken/account', { user })
    const accepted = this.list(user).filter(
      (token) => !isOfPage(token) && this.#users.refusal(token) === undefined,
    )
    if (accepted.some((token) => token.name === name && !isReplaced(token)))
      throw refused('name-taken/token', { user, name })
    if (accepted.length >= MAX_TOKENS) throw refused('too-many-tokens/user', { user, most: MAX_TOKENS })
    const issued = this.issue(asked, by)
    this.#users.stored.apply({ tokens: [issued.token] })
    this.#log.info({ ...shown(issued.token), by }, 'token created')
    return issued
  }

  /**
   * Makes a token for a browser's cookie. If the user has too many page tokens, the oldest ones end, so users
   * need not sign out elsewhere.
   * @throws HistoryError
   */
  createOfPage({ user, parent, lifetimeMs }: NewPageToken): IssuedToken {
    const name = `page-${randomBytes(4).toString('hex')}`
    const page = parent === undefined ? {} : { parent }
    const issued = this.issue({ user, name, kind: 'sign-in', lifetimeMs, page }, user)
    const ofPage = this.#users.stored.tokensOf(user).filter(isOfPage)
    const removed = ofPage.slice(0, Math.max(0, ofPage.length + 1 - MAX_BROWSERS))
    this.#users.stored.apply({ tokens: [issued.token], removedTokens: removed.map(({ id }) => id) })
    this.#log.info(shown(issued.token), 'signed in on the page')
    return issued
  }

  /**
   * Makes a new token of the same name. If two rotations happen at once, the second one is refused.
   * @throws RequestRefused, HistoryError. After an error, nothing has changed.
   */
  rotate(id: string, { overlapMs, lifetimeMs }: Rotation, by: string): IssuedToken {
    const old = this.#changeable(id)
    this.#checkRotatable(old)
    const lifetime = lifetimeMs ?? (old.expiresAt === undefined ? undefined : old.expiresAt - old.createdAt)
    const issued = this.issue({ ...old, lifetimeMs: lifetime }, by)
    const replaced = { ...this.#ending(old, overlapMs, by), replacedBy: issued.token.id }
    this.#users.stored.apply({ tokens: [replaced, issued.token] })
    this.#log.info({ ...shown(issued.token), replaces: id, by }, 'token rotated')
    return issued
  }

  /**
   * @throws RequestRefused, HistoryError. After a HistoryError, the token is revoked in memory, but not on
   * the disk.
   */
  revoke(id: string, by: string): void {
    const token = this.#changeable(id)
    const change = { tokens: [token.revokedAt === undefined ? this.#revoked(token, by) : token] }
    this.#users.stored.keep(change)
    this.#users.stored.apply(change)
    this.#log.info({ ...shown(token), by }, 'token revoked')
  }

  /**
   * Stops a token for `/mcp` until `resume`, with the older and newer tokens of its rotations: an agent may still
   * use the older one. @throws RequestRefused, HistoryError
   */
  pause(id: string, by: string): StoredToken {
    const pausedAt = Math.round(this.#users.now)
    return this.#changeRotations(id, (token) =>
      token.pausedAt === undefined ? { ...token, pausedAt, pausedBy: by } : token,
    )
  }

  /** @throws RequestRefused, HistoryError */
  resume(id: string): StoredToken {
    return this.#changeRotations(id, ({ pausedAt: _at, pausedBy: _by, ...token }) => token)
  }

  /** @returns the token with this id, changed */
  #changeRotations(id: string, change: (token: StoredToken) => StoredToken): StoredToken {
    const asked = this.#pausable(id)
    const tokens = rotationsOf(asked, [...this.#users.stored.tokens.values()]).map(change)
    this.#users.stored.keep({ tokens })
    this.#users.stored.apply({ tokens })
    return tokens.find((token) => token.id === id) ?? asked
  }

  #pausable(id: string): StoredToken {
    const token = this.#changeable(id)
    if (token.isForMcp === true) return token
    throw refused('invalid-request/not-pausable', { name: token.name, user: token.user })
  }

  /**
   * Ends a sign-in because its user asks for it. The token then counts as expired and not as revoked, because
   * nothing was wrong with it.
   */
  signOut(id: string): void {
    const token = this.#changeable(id)
    const now = Math.floor(this.#users.now)
    const change = { tokens: [{ ...token, expiresAt: Math.min(token.expiresAt ?? now, now) }] }
    this.#users.stored.keep(change)
    this.#users.stored.apply(change)
    this.#log.info(shown(token), 'signed out')
  }

  /**
   * Makes a token, but does not store it. The user may not exist yet. The token is valid after the caller has
   * stored it.
   */
  issue({ user, name, kind, lifetimeMs, page, isForMcp }: NewToken, by: string): IssuedToken {
    const text = newTokenText()
    const { now } = this.#users
    const token: StoredToken = {
      id: randomUUID(),
      user,
      name,
      kind,
      isDeclared: false,
      sha256: tokenHash(text),
      createdAt: Math.round(now),
      createdBy: by,
      ...(lifetimeMs !== undefined && { expiresAt: Math.round(now + lifetimeMs) }),
      ...(page !== undefined && { page }),
      ...(isForMcp === true && { isForMcp }),
    }
    return { token, text }
  }

  #changeable(id: string): StoredToken {
    const token = this.#users.stored.tokens.get(id)
    if (token !== undefined) return token
    const declared = this.#users.declared.tokens.get(id)
    if (declared === undefined) throw refused('token-not-found')
    const { name, user } = declared
    throw refused('declared-in-settings/token', { name, user })
  }

  #checkRotatable(token: StoredToken): void {
    const { name, user, kind, replacedBy } = token
    if (kind === 'sign-in') throw refused('not-rotatable/sign-in', { name })
    if (replacedBy !== undefined) throw refused('not-rotatable/rotated', { name, user, replacedBy })
    const refusal = this.#users.refusal(token) ?? this.#users.pauseOf(token)
    if (refusal !== undefined) throw refused('not-rotatable/ended', { reason: refusal, user })
  }

  #ending(token: StoredToken, overlapMs: number, by: string): StoredToken {
    if (overlapMs <= 0) return this.#revoked(token, by)
    const expiresAt = Math.min(token.expiresAt ?? Infinity, Math.round(this.#users.now + overlapMs))
    return { ...token, expiresAt }
  }

  #revoked(token: StoredToken, by: string): StoredToken {
    return { ...token, revokedAt: Math.round(this.#users.now), revokedBy: by }
  }
}

function isReplaced(token: AccessToken): boolean {
  return 'replacedBy' in token && token.replacedBy !== undefined
}

function shown({ id, name, user }: AccessToken): object {
  return { token: id, name, user }
}

/** Returns the token with all that it has replaced and that have replaced it, oldest first. */
function rotationsOf(token: StoredToken, all: readonly StoredToken[]): readonly StoredToken[] {
  const before = (one: StoredToken) => all.find(({ replacedBy }) => replacedBy === one.id)
  const after = (one: StoredToken) => all.find(({ id }) => id === one.replacedBy)
  const found = [token]
  for (let older = before(token); older !== undefined; older = before(older)) found.unshift(older)
  for (let newer = after(token); newer !== undefined; newer = after(newer)) found.push(newer)
  return found
}
