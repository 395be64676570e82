/** Settings with which the owner of a server limits what may run on it. */
export type AllowListName = 'policy.programs' | 'policy.variables' | 'policy.connections' | 'policy.origins'

/** A session cannot run. Its user sees the message. */
export class RefusedError extends Error {
  /** Logged instead of the message, which may quote arguments. */
  override readonly name: 'RefusedError' | 'LivenessError' | 'PolicyRefusal' | 'StartedBefore'
  /** The owner's list that does not allow the session. */
  readonly list: AllowListName | undefined

  constructor(message: string, name: RefusedError['name'] = 'RefusedError', list?: AllowListName) {
    super(message)
    this.name = name
    this.list = list
  }
}

export const STARTED_BEFORE =
  'this agent has already started this session, and starts no session twice. Nothing was run now: run it anew as a session of its own'

export function startedBefore(): RefusedError {
  return new RefusedError(STARTED_BEFORE, 'StartedBefore')
}
