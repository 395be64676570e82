import type { ClientCall } from '../agents/client-call.ts'

const MiB = 1024 * 1024

export interface UnreadLimits {
  /** Above this the agent is asked to pause ... */
  readonly high: number
  /** ... and below this to go on. */
  readonly low: number
  /** Hard limit. An agent that pauses stays below it: `high` + 5 MiB in flight. */
  readonly most: number
  /** Hard limit for all clients together. */
  readonly mostOfAll: number
}

export const UNREAD_LIMITS: UnreadLimits = {
  high: MiB,
  low: MiB / 4,
  most: 16 * MiB,
  mostOfAll: 256 * MiB,
}

/** What clients have not read yet, in bytes. */
export class Unread {
  readonly #calls: ReadonlyMap<ClientCall, unknown>
  readonly #limits: UnreadLimits

  constructor(calls: ReadonlyMap<ClientCall, unknown>, limits: UnreadLimits) {
    this.#calls = calls
    this.#limits = limits
  }

  isHigh({ unsentBytes }: ClientCall): boolean {
    return unsentBytes > this.#limits.high
  }

  /** Settles when so little is left that the agent may go on, or the client has gone. */
  async low(call: ClientCall): Promise<void> {
    await call.room(this.#limits.low)
  }

  /** @returns why this client's session cannot go on, if it cannot */
  fault(call: ClientCall): string | undefined {
    const { high, most, mostOfAll } = this.#limits
    if (call.unsentBytes <= high) return undefined
    if (call.unsentBytes > most)
      return `the client does not read: ${most / MiB} MiB of output wait for it, and its agent does not pause`
    const all = [...this.#calls.keys()].reduce((sum, { unsentBytes }) => sum + unsentBytes, 0)
    return all > mostOfAll
      ? `clients do not read: ${mostOfAll / MiB} MiB of output wait for them together`
      : undefined
  }
}
