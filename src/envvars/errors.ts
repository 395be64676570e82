/**
 * An environment that cannot be built. The session is closed with 254 and this message, which users see. So
 * it names keys, folders and errno, and never a value or a part of one.
 */
export class EnvvarError extends Error {
  override readonly name = 'EnvvarError'
}
