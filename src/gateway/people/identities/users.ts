import { FRESH_MINUTES } from '../../../contract/contract.ts'
import type { History } from '../../history/history.ts'
import type { SessionViewer } from '../../history/session.ts'
import {
  ACCOUNT,
  tokenHash,
  isOfPage,
  type SignedIn,
  type AccessToken,
  type GatewayUser,
  type StoredToken,
} from '../../identity.ts'
import { refused } from '../../refusals/request-refused.ts'
import type { ConnectionSettings, Current, GatewaySettings } from '../../settings/settings.ts'
import { DeclaredIdentities, StoredIdentities } from './declared-and-stored.ts'
import { Generations } from './generations.ts'
import type { LastUses } from './token-uses.ts'
import type { SignInAttempts } from './sign-in-attempts.ts'

/** Members of this group see and end every session. */
const ADMIN = 'admin'
/** Members of this group see every session. They change or run something only if they are also in `admin`. */
const AUDITOR = 'auditor'

/** Maximum number of users. All users are in memory, and some calls search all of them. */
export const MAX_USERS = 10_000

const FRESH_MS = FRESH_MINUTES * 60 * 1000

const PAGE_ONLY = 'the token belongs to the sign-in of a browser and is accepted only as a cookie'

/** What a token in a header is used for. */
export type TokenUse = 'mcp' | 'everything-but-mcp'

/** Users and their permissions. A user of gateway.yaml hides a user of the state with the same name. */
export class Users {
  readonly declared: DeclaredIdentities
  readonly stored: StoredIdentities
  /** Code that refuses a token has to count the refusal here. */
  readonly attempts: SignInAttempts
  readonly #settings: Current<'users' | 'connections'>
  readonly #history: History
  readonly #uses: LastUses
  readonly #generations: Pick<Generations, 'of' | 'note'>

  constructor(
    settings: Current<'users' | 'connections'>,
    history: History,
    uses: LastUses,
    attempts: SignInAttempts,
    preview?: Pick<Users, 'stored'> & { readonly generations: Pick<Generations, 'of' | 'note'> },
  ) {
    this.attempts = attempts
    this.#settings = settings
    this.#history = history
    this.#uses = uses
    this.declared = new DeclaredIdentities(settings)
    this.stored = preview?.stored ?? new StoredIdentities(history, uses)
    this.#generations = preview?.generations ?? new Generations(history)
    this.noteDeclared()
  }

  /** Returns the users as they would be with other settings. Writes nothing. Use them only for questions. */
  under(value: Pick<GatewaySettings, 'users' | 'connections'>): Users {
    const { declared, stored } = this
    // A reload gives a new name a new generation, so it is no user of an earlier request.
    const of = (name: string) => (declared.users.has(name) ? this.#generations.of(name) : undefined)
    const preview = { stored, generations: { of, note: () => undefined } }
    return new Users({ value }, this.#history, this.#uses, this.attempts, preview)
  }

  /** Call this method after each change of the settings. */
  noteDeclared(): void {
    this.#generations.note(this.declared.users.keys())
  }

  /**
   * Returns undefined if the token is not accepted, or is not checked now because of failed sign-ins. A token for
   * `/mcp` is refused everywhere else, here, so that no caller of this method can forget it.
   * @param from address of the caller
   * @throws RequestRefused 403 for a token that is meant for another use
   */
  withToken(text: string, from: string, use: TokenUse = 'everything-but-mcp'): SignedIn | undefined {
    const found = this.#found(text)
    if (found === undefined || isOfPage(found.token) || this.refusal(found.token) !== undefined)
      return undefined
    const { id, isDeclared } = found.token
    // Only tokens of gateway.yaml can be guessed. Tokens that the gateway makes are random.
    if (isDeclared && this.attempts.holdsUp(from, id)) return undefined
    if (isDeclared) this.attempts.accepted(from, id)
    this.#uses.note(found.token.id)
    checkUse(found.token, use)
    return found
  }

  /** Accepts only page tokens. */
  withCookie(text: string): SignedIn | undefined {
    const found = this.#found(text)
    if (found === undefined || !isOfPage(found.token) || this.refusal(found.token) !== undefined)
      return undefined
    this.#uses.note(found.token.id)
    return found
  }

  /** Says in a few words since when a token for `/mcp` is paused. Returns undefined while it is not paused. */
  pauseOf({ id }: Pick<AccessToken, 'id'>): string | undefined {
    const { pausedAt, pausedBy = '' } = this.stored.tokens.get(id) ?? {}
    return pausedAt === undefined
      ? undefined
      : `${pausedBy} paused the token at ${new Date(pausedAt).toISOString()}`
  }

  /**
   * Tells the owner of a token why it is no longer accepted. Returns undefined for a text that was never a
   * token.
   */
  whyRefused(text: string): string | undefined {
    const found = this.#found(text)
    return found && (this.refusal(found.token) ?? (isOfPage(found.token) ? PAGE_ONLY : undefined))
  }

  /** Says in a few words why a token is no longer accepted. Returns undefined while the token is accepted. */
  refusal({ id, user, sha256 }: AccessToken): string | undefined {
    const token = this.#tokenOf(id)
    // Another token in gateway.yaml may have this id by now.
    if (token?.sha256.equals(sha256) !== true) return 'the token was removed'
    if (isRevoked(token)) return 'the token was revoked'
    if (token.expiresAt !== undefined && token.expiresAt <= this.now)
      return `the token expired at ${new Date(token.expiresAt).toISOString()}`
    const owner = this.named(user)
    if (owner === undefined) return 'the user was deleted'
    if (!owner.isActive) return 'the user was deactivated'
    const parent = token.page?.parent
    if (parent !== undefined) return this.#refusalOfParent(parent)
    return !token.isDeclared && this.isUsurped(user)
      ? 'gateway.yaml has another user of this name'
      : undefined
  }

  /**
   * Says why work may no longer begin by itself, if the token with which it was requested was removed, revoked
   * or paused. Users request work and leave, so the work still begins after the token has expired or the
   * browser has signed out.
   */
  withdrawal({ id, sha256 }: Pick<AccessToken, 'id' | 'sha256'>): string | undefined {
    const token = this.#tokenOf(id)
    // Another token in gateway.yaml may have this id by now.
    if (token?.sha256.equals(sha256) !== true) return 'the token was removed'
    if (isRevoked(token)) return 'the token was revoked'
    const parent = token.page?.parent
    if (parent === undefined) return this.pauseOf(token)
    const signedInWith = this.#withHash(parent)
    return signedInWith === undefined
      ? 'the token of this sign-in was removed'
      : this.withdrawal(signedInWith)
  }

  /**
   * Says why nothing may run for a requester now. Returns undefined if something may run.
   * @param identity the requester's identity at the time of the request; undefined if it is unknown
   */
  obstacleOf(name: string, identity: string | undefined): string | undefined {
    const obstacle = this.obstacle(this.named(name))
    if (obstacle !== undefined || identity === undefined || identity === this.identity(name)) return obstacle
    return 'is the name of another user now'
  }

  /**
   * Tells whether an earlier user still exists and is active. Another user of the same name does not count.
   * @param identity undefined if it is unknown
   */
  isStill(name: string, identity: string | undefined): boolean {
    if (this.named(name)?.isActive !== true) return false
    return identity === undefined || identity === this.identity(name)
  }

  /** Says why a user may run nothing now. Returns undefined if the user may run something. */
  obstacle(user: GatewayUser | undefined): string | undefined {
    if (user === undefined) return 'was deleted'
    if (!user.isActive) return 'was deactivated'
    return this.onlyReads(user) ? 'is an auditor now, and auditors run nothing' : undefined
  }

  /**
   * Returns a text that differs for two users who had the same name one after the other. Returns undefined if
   * no user has this name.
   */
  identity(name: string): string | undefined {
    if (this.declared.users.has(name)) return this.#declaredIdentity(name)
    const user = this.stored.users.get(name)
    return user && `${user.createdAt} ${user.createdBy}`
  }

  /** The text of the first generation is as in older versions, whose requests may still wait. */
  #declaredIdentity(name: string): string | undefined {
    const generation = this.#generations.of(name)
    if (generation === undefined) return undefined
    return generation === 1 ? 'gateway.yaml' : `gateway.yaml ${generation}`
  }

  /** Time in ms by which tokens expire. This time advances even if the wall clock is set back. */
  get now(): number {
    return this.#history.clock.latest
  }

  /**
   * Tells whether a browser has just signed in. If the sign-in is in the future, the clock was reset, and the
   * sign-in does not count.
   */
  isFresh({ id }: AccessToken): boolean {
    const signedInAt = this.stored.tokens.get(id)?.createdAt
    if (signedInAt === undefined) return false
    const age = this.now - signedInAt
    return age >= 0 && age < FRESH_MS
  }

  /**
   * Returns the token that was used for a browser's sign-in. Returns undefined for other tokens, and for
   * sign-ins with an external account.
   */
  parentOf({ page }: AccessToken): AccessToken | undefined {
    return page?.parent && this.#withHash(page.parent)
  }

  named(name: string): GatewayUser | undefined {
    return this.declared.users.get(name) ?? this.stored.users.get(name)
  }

  get all(): GatewayUser[] {
    const others = [...this.stored.users.values()].filter(({ name }) => !this.declared.users.has(name))
    return [...this.declared.users.values(), ...others]
  }

  /** Finds a user whose name differs at most in case, because people would confuse such names. */
  alike(name: string): GatewayUser | undefined {
    return this.all.find((user) => user.name.toLowerCase() === name.toLowerCase())
  }

  get isFull(): boolean {
    return this.stored.users.size >= MAX_USERS
  }

  /**
   * Tells whether the name belongs to a user of gateway.yaml without `oidc: true`, and an external account
   * has also signed in under this name. The tokens of the account do not belong to the user of gateway.yaml.
   */
  isUsurped(name: string): boolean {
    if (!this.declared.users.has(name)) return false
    if (this.stored.users.get(name)?.createdBy.startsWith(ACCOUNT) !== true) return false
    return this.#settings.value.users.find((one) => one.name === name)?.oidc !== true
  }

  /** Connections that the user may see, in the order of the settings. */
  connections(user: GatewayUser): readonly ConnectionSettings[] {
    return this.#settings.value.connections.filter(
      (connection) => this.reason(user, connection) !== undefined,
    )
  }

  /** Ignores permissions. */
  get allConnections(): readonly ConnectionSettings[] {
    return this.#settings.value.connections
  }

  /**
   * Returns the groups by which a user may see a connection. The list is empty if every user may see the
   * connection. Returns undefined if this user may not.
   */
  reason(
    { isActive, groups: own }: GatewayUser,
    { access: { groups } }: ConnectionSettings,
  ): readonly string[] | undefined {
    if (!isActive) return undefined
    if (groups === undefined) return []
    const shared = groups.filter((group) => own.includes(group))
    return shared.length > 0 ? shared : undefined
  }

  /** Also returns undefined for a connection that the user may not see. */
  connection(user: GatewayUser, name: string): ConnectionSettings | undefined {
    return this.connections(user).find((one) => one.name === name)
  }

  /**
   * Returns a connection. A connection that the user may not see counts as missing.
   * @throws RequestRefused, or the caller's own error
   */
  visibleConnection(
    user: GatewayUser,
    name: string,
    missing: () => Error = () => refused('connection-not-found/any'),
  ): ConnectionSettings {
    const connection = this.connection(user, name)
    if (connection === undefined) throw missing()
    return connection
  }

  /** Ignores permissions. */
  isConnection(name: string): boolean {
    return this.#settings.value.connections.some((one) => one.name === name)
  }

  isAdmin(user: GatewayUser): boolean {
    return user.groups.includes(ADMIN)
  }

  isAuditor(user: GatewayUser): boolean {
    return user.groups.includes(AUDITOR)
  }

  /** Tells whether the user is an auditor, but not an admin. */
  onlyReads(user: GatewayUser): boolean {
    return this.isAuditor(user) && !this.isAdmin(user)
  }

  /** Tells whether the user may see every session and review. */
  seesAll(user: GatewayUser): boolean {
    return this.isAdmin(user) || this.isAuditor(user)
  }

  /**
   * Tells whether the user may read a session: it is their own, or the setting `sessions` of its connection
   * allows it.
   */
  reads(user: GatewayUser, session: { readonly user: string; readonly connection: string }): boolean {
    if (session.user === user.name || this.seesAll(user)) return true
    const opened = this.connection(user, session.connection)?.sessions
    return opened === 'all' || (opened === 'groups' && isTeammate(user, this.named(session.user)))
  }

  /** Returns a filter for the list of sessions; undefined if the user sees all sessions. */
  viewer(user: GatewayUser): SessionViewer | undefined {
    if (this.seesAll(user)) return undefined
    const { name, groups } = user
    const connections = this.connections(user)
    const opened = (how: ConnectionSettings['sessions']) =>
      connections.filter(({ sessions }) => sessions === how).map((connection) => connection.name)
    const [all, ofGroups] = [opened('all'), opened('groups')]
    if (all.length === 0 && ofGroups.length === 0) return { name, groups }
    const users = ofGroups.length === 0 ? [] : this.all.filter((other) => isTeammate(user, other))
    return { name, groups, team: { all, connections: ofGroups, users: users.map((other) => other.name) } }
  }

  /** Tells whether the user may see the whole session and end it. */
  owns(user: GatewayUser, session: { readonly user: string }): boolean {
    return session.user === user.name || this.isAdmin(user)
  }

  /**
   * Looks up the parent token by its hash, because another token in gateway.yaml may have the same id by now.
   */
  #refusalOfParent(sha256: Buffer): string | undefined {
    const token = this.#withHash(sha256)
    return token === undefined ? 'the token of this sign-in was removed' : this.refusal(token)
  }

  #tokenOf(id: string): AccessToken | undefined {
    return this.declared.tokens.get(id) ?? this.stored.tokens.get(id)
  }

  #withHash(sha256: Buffer): AccessToken | undefined {
    return this.declared.withHash(sha256)?.token ?? this.stored.withHash(sha256)
  }

  #found(text: string): SignedIn | undefined {
    const hash = tokenHash(text)
    const declared = this.declared.withHash(hash)
    if (declared !== undefined) return declared
    const token = this.stored.withHash(hash)
    const user = token && this.named(token.user)
    return token && user && { user, token }
  }
}

function checkUse(token: AccessToken, use: TokenUse): void {
  const isForMcp = token.isForMcp === true
  if (isForMcp === (use === 'mcp')) return
  throw isForMcp ? refused('not-permitted/mcp-token') : refused('not-permitted/no-mcp-token')
}

function isRevoked(token: AccessToken & Pick<Partial<StoredToken>, 'revokedAt'>): boolean {
  return token.revokedAt !== undefined
}

function isTeammate({ groups }: GatewayUser, other: GatewayUser | undefined): boolean {
  return other?.groups.some((group) => groups.includes(group)) === true
}

/** Returns the token in an `Authorization` header, or in the metadata `authorization`. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
}
