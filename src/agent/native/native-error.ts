import { oneLine } from '../../basics/text/printable.ts'

/**
 * `server`: the server cannot be reached, is lost, or misbehaves. `protocol`: client or server has broken the
 * protocol. `stopped`: rules or masking have stopped a result, and the client has received the reason.
 */
type NativeErrorCode = 'server' | 'protocol' | 'stopped'

/** The message is for the connection's user and for the log. */
export class NativeError extends Error {
  override readonly name = 'NativeError'
  readonly code: NativeErrorCode

  /** @param message cut to one line: it may quote up to 128 KiB of a server's message */
  constructor(code: NativeErrorCode, message: string) {
    super(oneLine(message))
    this.code = code
  }
}

/** An error that is no `NativeError` is a bug. */
export function isServerFault(error: unknown): error is NativeError {
  return error instanceof NativeError && error.code === 'server'
}
