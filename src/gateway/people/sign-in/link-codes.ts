import { randomBytes } from 'node:crypto'
import { SignInRefused } from './refused.ts'

/** From the terminal that prints a link to the browser that opens it. */
const LINK_MS = 2 * 60 * 1000
/** Newer ones end the oldest. */
const MOST = 100
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
    for (const oldest of [...this.#links.keys()].slice(0, -MOST)) this.#links.delete(oldest)
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
