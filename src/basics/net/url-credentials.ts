/**
 * Hides everything before an `@`, which may be a user or hold a password. The text may be no URL: passwords with a
 * slash or an `@` break it.
 */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@')
}

export function hasCredentials({ username, password }: URL): boolean {
  return username !== '' || password !== ''
}
