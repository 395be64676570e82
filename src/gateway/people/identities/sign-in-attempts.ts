import { refused } from '../../refusals/request-refused.ts'
import { normalizeIP } from '@fastify/rate-limit'

/** Failures count for this time after the first one. */
const FAILURES_MS = 60_000
/**
 * Maximum number of addresses that are counted separately. Failures of all further addresses count together.
 */
const MAX_ADDRESSES = 10_000
const OTHERS = 'others'
/**
 * Maximum number of accepted credentials, each with its address. If there are more, the one that was not used
 * for the longest time is forgotten.
 */
const MAX_KNOWN_ADDRESSES = 10_000

interface Failures {
  count: number
  /** Time of the first failure on a monotonic clock, in ms. */
  readonly since: number
}

interface SignInOptions {
  /** Maximum number of failures of one address in a minute. */
  readonly most: () => number
  /** Called for each failure. `claimedAgent`: see `refused`. */
  readonly told: (address: string, claimedAgent: string | undefined) => void
}

/**
 * Counts failed sign-ins per address, over REST and gRPC together. After too many failures, the gateway does
 * not check a credential that can be guessed, unless it was accepted from this address before.
 */
export class SignInAttempts {
  readonly #options: SignInOptions
  /**
   * The failures of each address. The address with the oldest first failure comes first, so failures that no
   * longer count are at the beginning.
   */
  readonly #failed = new Map<string, Failures>()
  readonly #known = new Map<string, true>()
  #total = 0

  constructor(options: SignInOptions) {
    this.#options = options
  }

  /** Failures since the gateway started. */
  get total(): number {
    return this.#total
  }

  /**
   * Counts a failure.
   * @param claimedAgent the agent that the caller claims to be, shortened
   * @returns the seconds that the caller has to wait, if there were too many failures; otherwise undefined
   */
  refused(address: string, claimedAgent?: string): number | undefined {
    this.#total += 1
    this.#options.told(address, claimedAgent)
    this.#forget()
    const name = this.#nameOf(address)
    const failures = this.#failed.get(name) ?? { count: 0, since: performance.now() }
    failures.count += 1
    this.#failed.set(name, failures)
    if (failures.count <= this.#options.most()) return undefined
    return Math.ceil((failures.since + FAILURES_MS - performance.now()) / 1000)
  }

  /**
   * Tells whether a credential that can be guessed must not be checked now. Call this before comparisons
   * whose result a caller could notice.
   */
  holdsUp(address: string, credential: string): boolean {
    this.#forget()
    const isOver = (this.#failed.get(this.#nameOf(address))?.count ?? 0) >= this.#options.most()
    return isOver && !this.#known.has(pair(address, credential))
  }

  /**
   * Remembers that this address has used the right credential. Later failures of the address do not block
   * this credential.
   */
  accepted(address: string, credential: string): void {
    const known = pair(address, credential)
    this.#known.delete(known)
    const [oldest] = this.#known.size < MAX_KNOWN_ADDRESSES ? [] : this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(known, true)
  }

  #nameOf(address: string): string {
    const network = normalizeIP(address)
    return this.#failed.has(network) || this.#failed.size < MAX_ADDRESSES ? network : OTHERS
  }

  #forget(): void {
    const now = performance.now()
    for (const [name, { since }] of this.#failed) {
      if (now - since < FAILURES_MS) return
      this.#failed.delete(name)
    }
  }
}

/** Returns the address under which a caller is counted. For an IPv6 address, this is its /64 network. */
export function callerNetwork(address: string): string {
  return normalizeIP(address)
}

export function tooManyFailures(seconds: number): string {
  return refused('too-many-failed-sign-ins', { seconds }).message
}

function pair(address: string, credential: string): string {
  return `${normalizeIP(address)} ${credential}`
}
