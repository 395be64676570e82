import { randomBytes } from 'node:crypto'
import type { Logger } from '../../../basics/logger.ts'
import { ACCOUNT, type StoredUser } from '../../identity.ts'
import type { IssuedToken, Tokens } from '../identities/tokens.ts'
import type { Users } from '../identities/users.ts'
import type { GatewaySettings } from '../../settings/settings.ts'
import type { Admitted } from './admission.ts'
import { SignInRefused } from './refused.ts'

/** Tokens of sign-ins that ended longer ago are forgotten. */
const FORGOTTEN_MS = 7 * 24 * 60 * 60 * 1000

export interface AccountServices {
  readonly users: Users
  readonly tokens: Tokens
  readonly current: { readonly value: Pick<GatewaySettings, 'users'> }
  readonly log: Logger
}

/** Makes users and tokens of those who sign in. A user belongs to one account of the provider, whatever its name is. */
export class Accounts {
  readonly #services: AccountServices

  constructor(services: AccountServices) {
    this.#services = services
  }

  /**
   * A new token; the groups are those of this sign-in.
   * @param client what asks, as a part of the token's name
   * @throws SignInRefused, IdentityRefused, HistoryError
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

  /** For the cookie of a browser. @throws as `signIn` */
  signInOnPage(admitted: Admitted, lifetimeMs: number): IssuedToken {
    return this.#services.tokens.createOfPage({ user: this.#userOf(admitted), lifetimeMs })
  }

  /** The name under which the account is known here. */
  #userOf(admitted: Admitted): string {
    const { users } = this.#services
    const origin = originOf(admitted)
    const known = [...users.stored.users.values()].find(({ createdBy }) => createdBy === origin)
    const name = known?.name ?? admitted.name
    if (users.declared.users.has(name)) return this.#declared(name)
    if (known?.isActive === false) throw refused(`${name} was deactivated`)
    this.#put(known ?? this.#newUser(name, origin), admitted)
    return name
  }

  /** Keeps the groups of gateway.yaml. */
  #declared(name: string): string {
    const { users } = this.#services.current.value
    if (users.find((one) => one.name === name)?.oidc === true) return name
    throw taken(name)
  }

  /** @throws SignInRefused */
  #newUser(name: string, createdBy: string): StoredUser {
    const { users } = this.#services
    const same = users.alike(name)
    if (same !== undefined) throw taken(same.name)
    if (users.isFull) throw refused('this gateway has room for no more users')
    const isItsOwn = users.stored.formerAccount(name) === createdBy
    if (!isItsOwn && users.stored.isInHistory(name))
      throw refused(`sessions of an earlier user are recorded under ${name}`)
    const createdAt = Math.round(users.now)
    return {
      ...{ name, kind: 'person', groups: [], isActive: true, isDeclared: false },
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

/** Where the user comes from: kept as what made it. */
export function originOf({ issuer, subject }: Admitted): string {
  return `${ACCOUNT}${issuer}#${subject}`
}

function taken(name: string): SignInRefused {
  return refused(`there is a user ${name} already who is not of this account`)
}

function refused(reason: string): SignInRefused {
  return new SignInRefused('sign-in-refused', `${reason}: ask an administrator`)
}

function tokenName(client: string): string {
  return `${client}-${randomBytes(4).toString('hex')}`
}
