import { isSameKey } from './agents/agents.ts'
import type { ConnectionSettings, GatewaySettings, UserSettings } from './settings/settings.ts'

/** The group whose members see and end every session. */
const ADMIN = 'admin'
/** The group whose members see every session, and change and run nothing, unless they are in `admin`, too. */
const AUDITOR = 'auditor'

export class Users {
  readonly #current: { readonly value: Pick<GatewaySettings, 'users' | 'connections'> }

  constructor(current: { readonly value: Pick<GatewaySettings, 'users' | 'connections'> }) {
    this.#current = current
  }

  withToken(token: string): UserSettings | undefined {
    return this.#current.value.users.find(({ tokenSha256 }) => isSameKey(token, tokenSha256))
  }

  named(name: string): UserSettings | undefined {
    return this.#current.value.users.find((user) => user.name === name)
  }

  /** Those that the user may see, in the order of the settings. */
  connections(user: UserSettings): readonly ConnectionSettings[] {
    return this.#current.value.connections.filter(
      ({ access: { groups } }) => groups === undefined || groups.some((group) => user.groups.includes(group)),
    )
  }

  /** Undefined also for one that the user may not see. */
  connection(user: UserSettings, name: string): ConnectionSettings | undefined {
    return this.connections(user).find((one) => one.name === name)
  }

  /** Whether the settings have it, for whomever. */
  isConnection(name: string): boolean {
    return this.#current.value.connections.some((one) => one.name === name)
  }

  isAdmin(user: UserSettings): boolean {
    return user.groups.includes(ADMIN)
  }

  isAuditor(user: UserSettings): boolean {
    return user.groups.includes(AUDITOR)
  }

  /** Whether the user is an auditor and nothing more. */
  onlyReads(user: UserSettings): boolean {
    return this.isAuditor(user) && !this.isAdmin(user)
  }

  /** Whether the user may see every session and review. */
  seesAll(user: UserSettings): boolean {
    return this.isAdmin(user) || this.isAuditor(user)
  }

  /** @returns whether the user may see all of this session and end it */
  owns(user: UserSettings, session: { readonly user: string }): boolean {
    return session.user === user.name || this.isAdmin(user)
  }
}

/** The token of an `Authorization: Bearer` header, or of the metadata of that name. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
}
