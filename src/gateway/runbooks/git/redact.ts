import type { Remote } from '../../settings/repositories.ts'

/**
 * Masks the remote's credentials, and any `user@` of a URL, in git's output. Both spellings of a secret are
 * masked: git prints URLs encoded and a server may echo them decoded.
 */
export function redact(remote: Remote, text: string): string {
  let masked = text.replace(/\/\/[^/\s@]*@/g, '//***@')
  for (const secret of secrets(remote)) masked = masked.replaceAll(secret, '***')
  return masked
}

function secrets(remote: Remote): string[] {
  if (remote.kind !== 'https' || remote.credentials === undefined) return []
  const { username, password } = remote.credentials
  // With a password the user is no secret ("oauth2", "git"), and masking the user would garble every message.
  const secret = password ?? username
  return [secret, encodeURIComponent(secret), encodeURI(secret)]
}
