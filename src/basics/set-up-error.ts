/**
 * A variable, key, certificate or folder of the program's setup that cannot be used. The message names this
 * part of the setup, the reason, and what to do. It never quotes the value, which may be a secret.
 */
export class SetUpError extends Error {
  override readonly name = 'SetUpError'
}
