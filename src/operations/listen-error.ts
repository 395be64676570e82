/** The address cannot be used. The message says which one and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}
