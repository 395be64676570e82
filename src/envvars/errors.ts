/**
 * An environment that cannot be built. The session is closed with 254 and this message, which users see. So
 * the message names keys, folders and errno, but never a value or a part of a value.
 */
export class EnvvarError extends Error {
  override readonly name = 'EnvvarError'
}
