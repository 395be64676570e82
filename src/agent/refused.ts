/** Settings with which the owner of a server limits what may run on it. */
export type AllowListName = 'policy.programs' | 'policy.variables' | 'policy.connections' | 'policy.origins'

/** A session cannot run. Its user sees the message. */
export class RefusedError extends Error {
  /** Logged instead of the message, which may quote arguments. */
  override readonly name: 'RefusedError' | 'LivenessError' | 'PolicyRefusal'
  /** The owner's list that does not allow the session. */
  readonly list: AllowListName | undefined

  constructor(message: string, name: RefusedError['name'] = 'RefusedError', list?: AllowListName) {
    super(message)
    this.name = name
    this.list = list
  }
}
