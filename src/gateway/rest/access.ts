import { hoopWords } from '../../wire/gateway-words.ts'
import type { ConnectionSettings, UserSettings } from '../settings/settings.ts'
import { bearerToken, type Users } from '../users.ts'
import { HttpError } from './http-error.ts'

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Finds the user by `Authorization: Bearer` or `Api-Key`. @throws HttpError 401 */
export function authenticate(users: Users, headers: Headers): UserSettings {
  const token = bearerToken(text(headers['authorization'])) ?? text(headers['api-key'])
  const user = token === undefined ? undefined : users.withToken(token)
  if (user === undefined) throw new HttpError('unauthenticated', hoopWords.accessDenied)
  return user
}

/** A connection that the user may not see counts as missing. @throws HttpError 404, or what stands for it */
export function visibleConnection(
  users: Users,
  user: UserSettings,
  name: string,
  missing = () => new HttpError('connection-not-found', hoopWords.connectionNotFound),
): ConnectionSettings {
  const connection = users.connection(user, name)
  if (connection === undefined) throw missing()
  return connection
}

function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined
}
