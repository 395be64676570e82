/**
 * Closes the session with 254 and this message, which users see: it names keys, folders and errno, but never
 * any part of a value.
 */
export class EnvvarError extends Error {
  override readonly name = 'EnvvarError'
}
