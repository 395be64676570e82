/**
 * Hides all text before the last `@`, which may contain a user or a password. The text need not be a valid
 * URL, because a password may have a slash or an `@`.
 */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@')
}

export function hasCredentials({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}

/** `credentials` is `user:password`. */
export function basicAuthorization(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}
