/**
 * A variable, key, certificate or folder from the program's setup cannot be used. The message says which one,
 * why, and what to do. It never quotes the value, which may be a secret.
 */
export class SetUpError extends Error {
  override readonly name = 'SetUpError'
}
