/**
 * Says which part of the setup is unusable, why, and what to do. Never quotes the value, which may be a
 * secret.
 */
export class SetUpError extends Error {
  override readonly name = 'SetUpError'
}
