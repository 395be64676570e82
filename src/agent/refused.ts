/** Settings with which the owner of a server limits what may run on the server. */
export type AllowListName = 'policy.programs' | 'policy.variables' | 'policy.connections' | 'policy.origins'

/** The reason why a session cannot run. The session's user sees the message. */
export class RefusedError extends Error {
  /** Logged instead of the message, which may quote arguments. */
  override readonly name: 'RefusedError' | 'LivenessError' | 'PolicyRefusal'
  /** The list of the server's owner that does not allow the session. */
  readonly list: AllowListName | undefined

  constructor(message: string, name: RefusedError['name'] = 'RefusedError', list?: AllowListName) {
    super(message)
    this.name = name
    this.list = list
  }
}
