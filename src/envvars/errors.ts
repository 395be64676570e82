/**
 * Closes the session with 254 and this message. Users see the message. It may name keys, folders and errno,
 * but never any part of a value.
 */
export class EnvvarError extends Error {
  override readonly name = 'EnvvarError'
}
