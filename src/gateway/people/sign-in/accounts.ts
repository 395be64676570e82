import { randomBytes } from 'node:crypto'
import type { Logger } from '../../../basics/logger.ts'
import { USER_NAME } from '../../../contract/words.ts'
import { ACCOUNT, type StoredUser } from '../../identity.ts'
import type { OidcSettings } from '../../settings/oidc.ts'
import type { Current } from '../../settings/settings.ts'
import type { IssuedToken, Tokens } from '../identities/tokens.ts'
import type { Users } from '../identities/users.ts'
import type { Claims } from './provider.ts'
import { signInRefused } from '../../refusals/request-refused.ts'

/** After this time, ended sign-ins are removed. */
const FORGOTTEN_MS = 7 * 24 * 60 * 60 * 1000

export interface AccountServices {
  readonly users: Users
  readonly tokens: Tokens
  readonly settings: Current<'users'>
  readonly log: Logger
}

/**
 * Signs in accounts of the provider. An account keeps its user even if the provider changes the account's
 * name.
 */
export class Accounts {
  readonly #services: AccountServices

  constructor(services: AccountServices) {
    this.#services = services
  }

  /**
   * Creates the account's user or sets the groups of the existing user, then makes a token.
   * @param client kind of the client, for the token's name
   * @throws SignInRefused, RequestRefused, HistoryError
   */
  signIn(admitted: Admitted, client: string, lifetimeMs: number): IssuedToken {
    const { users, tokens, log } = this.#services
    const name = this.#userOf(admitted)
    this.#forgetOld(name)
    const token = { user: name, kind: 'sign-in', lifetimeMs, name: tokenName(client) } as const
    const issued = tokens.create(token, name)
    log.info({ user: name, groups: users.named(name)?.groups, token: issued.token.id }, 'signed in')
    return issued
  }

  /** Makes a token for a browser's cookie. @throws the same errors as `signIn` */
  signInOnPage(admitted: Admitted, lifetimeMs: number): IssuedToken {
    return this.#services.tokens.createOfPage({ user: this.#userOf(admitted), lifetimeMs })
  }

  /** Creates the account's user or sets the user's groups. @returns the user's name @throws SignInRefused */
  #userOf(admitted: Admitted): string {
    const { users } = this.#services
    const origin = originOf(admitted)
    const known = [...users.stored.users.values()].find(({ createdBy }) => createdBy === origin)
    const name = known?.name ?? admitted.name
    if (users.declared.users.has(name)) return this.#declared(name)
    if (known?.isActive === false) throw signInRefused('sign-in-refused/deactivated', { name })
    this.#put(known ?? this.#newUser(name, origin), admitted)
    return name
  }

  /**
   * Accepts a user of gateway.yaml only if the user's setting `oidc` is true. The groups stay as in
   * gateway.yaml.
   */
  #declared(name: string): string {
    const { users } = this.#services.settings.value
    if (users.find((one) => one.name === name)?.oidc === true) return name
    throw signInRefused('sign-in-refused/user-of-another', { name })
  }

  /** @throws SignInRefused */
  #newUser(name: string, createdBy: string): StoredUser {
    const { users } = this.#services
    const same = users.alike(name)
    if (same !== undefined) throw signInRefused('sign-in-refused/user-of-another', { name: same.name })
    if (users.isFull) throw signInRefused('sign-in-refused/full')
    const isItsOwn = users.stored.formerAccount(name) === createdBy
    if (!isItsOwn && users.stored.isInHistory(name))
      throw signInRefused('sign-in-refused/earlier-user', { name })
    const createdAt = Math.round(users.now)
    return {
      name,
      kind: 'person',
      groups: [],
      isActive: true,
      isDeclared: false,
      createdAt,
      createdBy,
    }
  }

  #put(user: StoredUser, { groups }: Admitted): void {
    this.#services.users.stored.apply({ users: [{ ...user, groups }] })
  }

  #forgetOld(user: string): void {
    const { users } = this.#services
    const old = users.stored
      .tokensOf(user)
      .filter(({ kind, expiresAt = Infinity }) => kind === 'sign-in' && expiresAt < users.now - FORGOTTEN_MS)
    if (old.length > 0) users.stored.apply({ removedTokens: old.map(({ id }) => id) })
  }
}

/** Returns the text that marks the account in `createdBy` of its user. */
export function originOf({ issuer, subject }: Admitted): string {
  return `${ACCOUNT}${issuer}#${subject}`
}

function tokenName(client: string): string {
  return `${client}-${randomBytes(4).toString('hex')}`
}

/** An account that may sign in. */
export interface Admitted {
  readonly issuer: string
  /** The provider's id of the account, which does not change with its name. */
  readonly subject: string
  readonly name: string
  /** Groups in this gateway, not at the provider. */
  readonly groups: readonly string[]
}

/** The number of groups is limited, because each request searches all groups of its account. */
const MAX_GROUPS = 200
const GROUP_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/
/**
 * A group at the provider with one of these names does not count, because its members may have chosen the
 * name. Only the settings give these groups.
 */
const GIVEN_BY_SETTINGS = new Set(['admin', 'auditor'])

/**
 * The form of OpenID Connect: 1 to 255 ASCII characters. Spaces at the ends are refused: people who compare
 * subjects would overlook them.
 */
const SUBJECT = /^(?! )[\x20-\x7e]{1,255}(?<! )$/

/** @throws SignInRefused for an account that may not sign in here */
export function admitted(claims: Claims, settings: OidcSettings): Admitted {
  if (!SUBJECT.test(claims.sub)) throw signInRefused('sign-in-refused/account')
  const name = nameIn(claims, settings)
  const there = groupsIn(claims, settings)
  if (!isAllowed(claims, there, settings)) throw signInRefused('sign-in-refused/not-allowed', { name })
  return { issuer: claims.iss, subject: claims.sub, name, groups: groupsHere(there, settings) }
}

function nameIn(claims: Claims, { nameClaim }: OidcSettings): string {
  if (nameClaim === 'email' && claims['email_verified'] !== true)
    throw signInRefused('sign-in-refused/unverified-email')
  const name = claims[nameClaim]
  if (typeof name === 'string' && USER_NAME.test(name)) return name
  const row = name === undefined ? 'sign-in-refused/no-name' : 'sign-in-refused/unusable-name'
  throw signInRefused(row, { claim: nameClaim })
}

function groupsIn(claims: Claims, { groupsClaim }: OidcSettings): readonly string[] {
  const said = claims[groupsClaim]
  const list: readonly unknown[] = Array.isArray(said) ? said : [said]
  return list.filter((one): one is string => typeof one === 'string').slice(0, MAX_GROUPS)
}

function isAllowed(
  claims: Claims,
  there: readonly string[],
  { allowedGroups, allowedDomains }: OidcSettings,
): boolean {
  const isMember = allowedGroups.length === 0 || there.some((group) => allowedGroups.includes(group))
  return isMember && (allowedDomains.length === 0 || isOfDomain(claims, allowedDomains))
}

function isOfDomain({ email, email_verified: isVerified }: Claims, domains: readonly string[]): boolean {
  if (typeof email !== 'string' || isVerified !== true) return false
  return domains.includes(email.slice(email.lastIndexOf('@') + 1).toLowerCase())
}

function groupsHere(there: readonly string[], { groups }: OidcSettings): string[] {
  const here =
    groups === undefined
      ? there.filter((group) => GROUP_NAME.test(group) && !GIVEN_BY_SETTINGS.has(group))
      : there.flatMap((group) => (Object.hasOwn(groups, group) ? [groups[group] ?? ''] : []))
  return [...new Set(here)].toSorted()
}
