import { matches } from '../agents.ts'
import type { ConnectionSettings, GatewaySettings, UserSettings } from '../settings/settings.ts'
import { HttpError } from './http-error.ts'

/** The group whose members see every session. */
const ADMIN = 'admin'

/** Who may do what. */
export class Access {
  readonly #settings: GatewaySettings

  constructor(settings: GatewaySettings) {
    this.#settings = settings
  }

  /** By `Authorization: Bearer` or `Api-Key`. @throws HttpError 401 */
  user(headers: Readonly<Record<string, string | readonly string[] | undefined>>): UserSettings {
    const token = bearer(headers['authorization']) ?? text(headers['api-key'])
    const user =
      token === undefined
        ? undefined
        : this.#settings.users.find(({ tokenSha256 }) => matches(token, tokenSha256))
    if (user === undefined) throw new HttpError(401, 'access denied')
    return user
  }

  /** One that the user may not see reads as missing. @throws HttpError with the given status */
  connection(user: UserSettings, name: string, status: 400 | 404, message: string): ConnectionSettings {
    const connection = this.connections(user).find((one) => one.name === name)
    if (connection === undefined) throw new HttpError(status, message)
    return connection
  }

  /** Those that the user may see, in the order of the settings. */
  connections(user: UserSettings): readonly ConnectionSettings[] {
    return this.#settings.connections.filter(
      ({ access: { groups } }) => groups === undefined || groups.some((group) => user.groups.includes(group)),
    )
  }

  isAdmin(user: UserSettings): boolean {
    return user.groups.includes(ADMIN)
  }

  /** @returns whether the user may see and end this session */
  owns(user: UserSettings, session: { readonly user: string }): boolean {
    return session.user === user.name || this.isAdmin(user)
  }
}

function bearer(header: string | readonly string[] | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(text(header) ?? '')?.[1]
}

function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined
}
