import { matches } from './agents.ts'
import type { ConnectionSettings, GatewaySettings, UserSettings } from './settings/settings.ts'

/** The group whose members see every session. */
const ADMIN = 'admin'

/** Who is it, and what may they see. */
export class Users {
  readonly #settings: Pick<GatewaySettings, 'users' | 'connections'>

  constructor(settings: Pick<GatewaySettings, 'users' | 'connections'>) {
    this.#settings = settings
  }

  withToken(token: string): UserSettings | undefined {
    return this.#settings.users.find(({ tokenSha256 }) => matches(token, tokenSha256))
  }

  /** One that the user may not see is as missing. */
  connection(user: UserSettings, name: string): ConnectionSettings | undefined {
    const connection = this.#settings.connections.find((one) => one.name === name)
    const groups = connection?.access.groups
    return groups === undefined || groups.some((group) => user.groups.includes(group))
      ? connection
      : undefined
  }

  /** @returns whether the user may see and end this session */
  owns(user: UserSettings, session: { readonly user: string }): boolean {
    return session.user === user.name || user.groups.includes(ADMIN)
  }
}

/** The token of an `Authorization: Bearer` header, or of the metadata of that name. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
}
