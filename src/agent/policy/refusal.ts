import { RefusedError } from '../refused.ts'

/** One of the lists by which the owner of a server says what may run there. */
export type AllowListName = 'policy.programs' | 'policy.variables' | 'policy.connections' | 'policy.origins'

/** The owner's lists do not allow it. */
export class PolicyRefusal extends RefusedError {
  readonly list: AllowListName

  /** @param what e.g. `the connection "x"` */
  constructor(list: AllowListName, what: string) {
    super(`the owner of this server does not allow ${what} here (${list} of the agent). Nothing was run`)
    this.list = list
  }
}

/** Names come from a gateway and may be anything. */
const LONGEST_NAME = 100

export function quotedName(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name)
}
