import type { ConnectionSettings, UserSettings } from '../settings/settings.ts'
import { bearerToken, type Users } from '../users.ts'
import { HttpError } from './http-error.ts'

/** Who may do what, as answers to requests. */
export class Access {
  readonly #users: Users

  constructor(users: Users) {
    this.#users = users
  }

  /** By `Authorization: Bearer` or `Api-Key`. @throws HttpError 401 */
  user(headers: Readonly<Record<string, string | readonly string[] | undefined>>): UserSettings {
    const token = bearerToken(text(headers['authorization'])) ?? text(headers['api-key'])
    const user = token === undefined ? undefined : this.#users.withToken(token)
    if (user === undefined) throw new HttpError(401, 'access denied')
    return user
  }

  /** One that the user may not see reads as missing. @throws HttpError with the given status */
  connection(user: UserSettings, name: string, status: 400 | 404, message: string): ConnectionSettings {
    const connection = this.#users.connection(user, name)
    if (connection === undefined) throw new HttpError(status, message)
    return connection
  }

  /** Those that the user may see, in the order of the settings. */
  connections(user: UserSettings): readonly ConnectionSettings[] {
    return this.#users.connections(user)
  }

  isAdmin(user: UserSettings): boolean {
    return this.#users.isAdmin(user)
  }

  /** @returns whether the user may see and end this session */
  owns(user: UserSettings, session: { readonly user: string }): boolean {
    return this.#users.owns(user, session)
  }
}

function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined
}
