import { oneLine } from '../../basics/text/printable.ts'

/**
 * Why a native connection ends. `server`: the server cannot be reached, is lost, or does not do what it should.
 * `protocol`: what one end has sent is no message of the protocol.
 */
type NativeErrorCode = 'server' | 'protocol'

/** A native connection has failed. The message is for its user and for the log. */
export class NativeError extends Error {
  override readonly name = 'NativeError'
  readonly code: NativeErrorCode

  /** @param message cut to one line, since it may quote a server: a login may be 128 KiB */
  constructor(code: NativeErrorCode, message: string) {
    super(oneLine(message))
    this.code = code
  }
}

/** Whether the server is at fault. Anything else than a `NativeError` is a bug. */
export function isServerFault(error: unknown): error is NativeError {
  return error instanceof NativeError && error.code === 'server'
}
