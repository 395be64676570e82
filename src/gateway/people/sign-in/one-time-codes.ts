import { createHash, randomBytes } from 'node:crypto'
import { signInRefused } from '../../refusals/request-refused.ts'

/** Lifetime of a code, from the browser's redirect to the request of the command line. */
const HANDOVER_MS = 60_000
const MAX_HANDOVERS = 1000
/**
 * Handovers per account. A newer handover ends the account's oldest one, so no account can use up all
 * handovers.
 */
const MAX_CODES_PER_USER = 10

interface Handover<Granted> {
  readonly granted: Granted
  readonly account: string
  readonly challenge: string
  readonly endsAt: number
}

/**
 * Passes a browser's grant to the command line that has started the sign-in. Only this command line knows the
 * verifier. The code stays in the browser's history, but it is useless without the verifier.
 */
export class Handovers<Granted> {
  readonly #byCode = new Map<string, Handover<Granted>>()

  /**
   * @param account account that has signed in
   * @param challenge SHA-256 of the verifier, base64url
   * @returns a code, valid once
   */
  add(granted: Granted, account: string, challenge: string): string {
    const now = performance.now()
    for (const [code, { endsAt }] of this.#byCode) if (endsAt <= now) this.#byCode.delete(code)
    const own = [...this.#byCode].filter(([, one]) => one.account === account)
    const [surplus] = own.length >= MAX_CODES_PER_USER ? own : []
    if (surplus !== undefined) this.#byCode.delete(surplus[0])
    if (this.#byCode.size >= MAX_HANDOVERS) throw signInRefused('too-much-at-once/sign-ins')
    const code = randomBytes(32).toString('base64url')
    this.#byCode.set(code, { granted, account, challenge, endsAt: now + HANDOVER_MS })
    return code
  }

  /** @throws SignInRefused for a code that is unknown, too old, used before, or another caller's */
  take(code: string, verifier: string): Granted {
    const found = this.#byCode.get(code)
    this.#byCode.delete(code)
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    if (found !== undefined && found.endsAt > performance.now() && found.challenge === challenge)
      return found.granted
    throw signInRefused('sign-in-expired/one-time-code')
  }
}

/** Time from the output in a terminal to the opening in a browser. */
const LINK_MS = 2 * 60 * 1000
/** Open links of all accounts. A newer link ends the oldest one. */
const MAX_LINKS = 100

export interface Linked {
  /** The browser is signed in with this token. */
  readonly token: string
  /** Path of the page that the link opens. */
  readonly next: string
}

/**
 * Codes of links. A code signs in once. The codes are only in memory, so that no code survives this process.
 */
export class LinkCodes {
  readonly #links = new Map<string, Linked & { readonly endsAt: number }>()

  add(linked: Linked): string {
    const code = randomBytes(32).toString('base64url')
    this.#links.set(code, { ...linked, endsAt: performance.now() + LINK_MS })
    for (const oldest of [...this.#links.keys()].slice(0, -MAX_LINKS)) this.#links.delete(oldest)
    return code
  }

  /** @throws SignInRefused for a code that is unknown, too old, or used before */
  take(code: string): Linked {
    const link = this.#links.get(code)
    this.#links.delete(code)
    if (link === undefined || link.endsAt <= performance.now()) throw signInRefused('sign-in-expired/link')
    return link
  }
}
