/**
 * A part of the setup that cannot be used. The message names it, the reason, and what to do. It never quotes
 * the value, which may be a secret.
 */
export class SetUpError extends Error {
  override readonly name = 'SetUpError'
}
