/** The session cannot run; the message is what its user reads. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}
