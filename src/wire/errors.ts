/**
 * The other side sent bytes that cannot be understood. The session is closed with 254; without a session id it
 * becomes a log line. The message names the place, never the content.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  /** Where in the packet: a spec key, `payload`, or a path inside a gob value such as `EnvVars["envvar:X"]`. */
  readonly field: string

  constructor(field: string, reason: string) {
    super(`${field}: ${reason}`)
    this.field = field
  }
}
