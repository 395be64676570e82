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

/**
 * Returns the refusal for a session that the owner's lists do not allow.
 * @param what e.g. `the connection "x"`
 */
export function notAllowed(list: AllowListName, what: string): RefusedError {
  const message = `the owner of this server does not allow ${what} here (${list} of the agent). Nothing was run`
  return new RefusedError(message, 'PolicyRefusal', list)
}

/** Maximum number of characters shown of a name. A gateway can send names of any length. */
const LONGEST_NAME = 100

export function quotedName(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name)
}
