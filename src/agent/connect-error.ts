/** The stream could not be had or has ended. `kind` decides what the agent says and how long it waits. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly kind: 'refused' | 'conflict' | 'lost'

  constructor(kind: ConnectError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}
