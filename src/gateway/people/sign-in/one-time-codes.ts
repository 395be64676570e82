import { createHash, randomBytes } from 'node:crypto'
import { SignInRefused } from '../../refusals/request-refused.ts'

/** From the redirect of the browser to the question of the command line that has begun the sign-in. */
const HANDOVER_MS = 60_000
const MOST_HANDOVERS = 1000
/** Handovers of one account. A newer one ends its oldest, so that nobody takes the places of others. */
const MOST_OF_ONE = 10

interface Handover<Granted> {
  readonly granted: Granted
  readonly account: string
  readonly challenge: string
  readonly endsAt: number
}

/**
 * What was granted in a browser, for the command line that knows the verifier behind the challenge it began with: what
 * the browser carries, and keeps in its history, is worth nothing alone.
 */
export class Handovers<Granted> {
  readonly #byCode = new Map<string, Handover<Granted>>()

  /**
   * @param account who has signed in
   * @param challenge SHA-256 of the verifier, base64url
   * @returns the code that leads to it, once
   */
  add(granted: Granted, account: string, challenge: string): string {
    const now = performance.now()
    for (const [code, { endsAt }] of this.#byCode) if (endsAt <= now) this.#byCode.delete(code)
    const own = [...this.#byCode].filter(([, one]) => one.account === account)
    const [surplus] = own.length >= MOST_OF_ONE ? own : []
    if (surplus !== undefined) this.#byCode.delete(surplus[0])
    if (this.#byCode.size >= MOST_HANDOVERS)
      throw new SignInRefused('too-much-at-once', 'too many sign-ins at once: try again in a minute')
    const code = randomBytes(32).toString('base64url')
    this.#byCode.set(code, { granted, account, challenge, endsAt: now + HANDOVER_MS })
    return code
  }

  /** @throws SignInRefused for a code that is none, too old, used before, or somebody else's */
  take(code: string, verifier: string): Granted {
    const found = this.#byCode.get(code)
    this.#byCode.delete(code)
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    if (found !== undefined && found.endsAt > performance.now() && found.challenge === challenge)
      return found.granted
    throw new SignInRefused('sign-in-expired', 'the sign-in is over, or of another command line: begin again')
  }
}

/** From the terminal that prints a link to the browser that opens it. */
const LINK_MS = 2 * 60 * 1000
/** Newer ones end the oldest. */
const MOST_LINKS = 100
const OVER =
  'this link was used, or is older than two minutes: press Enter where `npm start` runs for a new one, or sign in with the token (its file is named there, too)'

/** What a link signs in as, and shows then. */
export interface Linked {
  /** The token that the link stands for. */
  readonly token: string
  /** A path of the page. */
  readonly next: string
}

/** Codes of links that sign in once: in memory alone, so that none outlives this process. */
export class LinkCodes {
  readonly #links = new Map<string, Linked & { readonly endsAt: number }>()

  add(linked: Linked): string {
    const code = randomBytes(32).toString('base64url')
    this.#links.set(code, { ...linked, endsAt: performance.now() + LINK_MS })
    for (const oldest of [...this.#links.keys()].slice(0, -MOST_LINKS)) this.#links.delete(oldest)
    return code
  }

  /** @throws SignInRefused for one that is none, too old, or was used before */
  take(code: string): Linked {
    const link = this.#links.get(code)
    this.#links.delete(code)
    if (link === undefined || link.endsAt <= performance.now())
      throw new SignInRefused('sign-in-expired', OVER)
    return link
  }
}
