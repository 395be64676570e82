import { oneLine } from '../../basics/text/printable.ts'

/**
 * `server`: the server cannot be reached, is lost, or misbehaves. `protocol`: one end has sent bytes that are
 * no message of the protocol. `stopped`: rules or masking have stopped a result of the server, and the client has
 * read the reason.
 */
type NativeErrorCode = 'server' | 'protocol' | 'stopped'

/** A native connection that failed. The message is for its user and for the log. */
export class NativeError extends Error {
  override readonly name = 'NativeError'
  readonly code: NativeErrorCode

  /** @param message cut to one line, since it may quote a server: a login may be 128 KiB */
  constructor(code: NativeErrorCode, message: string) {
    super(oneLine(message))
    this.code = code
  }
}

/** Whether the server is at fault. Any other error than a `NativeError` is a bug. */
export function isServerFault(error: unknown): error is NativeError {
  return error instanceof NativeError && error.code === 'server'
}
