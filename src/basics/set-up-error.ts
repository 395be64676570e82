/** Names an unusable part of the setup, the reason, and what to do; never its value, perhaps a secret. */
export class SetUpError extends Error {
  override readonly name = 'SetUpError'
}
