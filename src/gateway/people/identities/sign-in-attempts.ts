import { normalizeIP } from '@fastify/rate-limit'

/** How long failures are counted, from the first one on. */
const FAILURES_MS = 60_000
/** Addresses that are counted apart; failures of others meanwhile count under one name, however many they are. */
const MOST_ADDRESSES = 10_000
const OTHERS = 'others'
/** Credentials with the address that they were accepted from. The ones that were not used for longest are forgotten. */
const MOST_KNOWN = 10_000

interface Failures {
  count: number
  /** In ms, of a clock that nobody can set. */
  readonly since: number
}

export interface SignInOptions {
  /** How many of one address may fail in a minute. */
  readonly most: () => number
  /** Called with the address of each failure. */
  readonly told: (address: string) => void
}

/**
 * Failed sign-ins by address, over REST and gRPC together. Where there were too many, nobody can go on guessing: what
 * somebody has chosen himself is looked at only where it was accepted before.
 */
export class SignInAttempts {
  readonly #options: SignInOptions
  /** In the order in which they began, so that those that are over come first. */
  readonly #failed = new Map<string, Failures>()
  readonly #known = new Map<string, true>()
  #total = 0

  constructor(options: SignInOptions) {
    this.#options = options
  }

  /** Since the gateway started. */
  get total(): number {
    return this.#total
  }

  /** Counts one. @returns seconds to wait where there were too many */
  refused(address: string): number | undefined {
    this.#total += 1
    this.#options.told(address)
    this.#forget()
    const name = this.#nameOf(address)
    const failures = this.#failed.get(name) ?? { count: 0, since: performance.now() }
    failures.count += 1
    this.#failed.set(name, failures)
    if (failures.count <= this.#options.most()) return undefined
    return Math.ceil((failures.since + FAILURES_MS - performance.now()) / 1000)
  }

  /** Whether a credential that may be guessed is not looked at now. Ask it before any comparison can be seen. */
  holdsUp(address: string, credential: string): boolean {
    this.#forget()
    const isOver = (this.#failed.get(this.#nameOf(address))?.count ?? 0) >= this.#options.most()
    return isOver && !this.#known.has(pair(address, credential))
  }

  /** From now on this credential is not held up there. */
  accepted(address: string, credential: string): void {
    const known = pair(address, credential)
    this.#known.delete(known)
    const [oldest] = this.#known.size < MOST_KNOWN ? [] : this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(known, true)
  }

  #nameOf(address: string): string {
    const network = normalizeIP(address)
    return this.#failed.has(network) || this.#failed.size < MOST_ADDRESSES ? network : OTHERS
  }

  #forget(): void {
    const now = performance.now()
    for (const [name, { since }] of this.#failed) {
      if (now - since < FAILURES_MS) return
      this.#failed.delete(name)
    }
  }
}

/** The key by which a caller is counted: the address, or the network of 64 bits of an IPv6 address. */
export function callerNetwork(address: string): string {
  return normalizeIP(address)
}

/** For whoever has to wait: over REST and gRPC. */
export function tooManyFailures(seconds: number): string {
  return `too many failed sign-ins from this address: try again in ${seconds} s`
}

function pair(address: string, credential: string): string {
  return `${normalizeIP(address)} ${credential}`
}
