/**
 * What this program was set up with cannot be used: a variable, a key, a certificate, a folder. The message says which
 * one, why, and what to do; it never quotes the value, which may be a secret.
 */
export class SetUpError extends Error {
  override readonly name = 'SetUpError'
}
