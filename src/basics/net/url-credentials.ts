/**
 * Hides all text before the last `@`, because it may contain a user or a password. The text need not be a
 * valid URL, because a password with a slash or an `@` makes a URL invalid.
 */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@')
}

export function hasCredentials({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}

/** Returns the value of an Authorization header with name and password. @param credentials `user:password` */
export function basicAuthorization(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}
