import { signal } from '@preact/signals'
import { person } from './person.ts'
import { ask, Refused } from './request.ts'

// The gateway accepts changes of users and tokens only within ten minutes of the sign-in. Later it refuses
// them with the code `sign-in-again`. The page then asks for a new sign-in in the same view, and sends the
// request again.

interface Waiting {
  readonly change: Change
  readonly goOn: () => void
  readonly giveUp: () => void
}

/** A request that changes something. It never has a secret, because the tab may store it. */
export interface Change {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

/** Set while the page asks the person to sign in again. */
export const waitingForSignIn = signal<Waiting | undefined>(undefined)

/** @throws Refused, also when the person does not sign in again */
export async function askFresh<Answer>(change: Change): Promise<Answer> {
  const { method, path, body } = change
  const send = () => ask<Answer>(method, path, body === undefined ? {} : { body })
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== 'sign-in-again') throw error
    await newSignIn(change, error)
    return send()
  }
}

function newSignIn(change: Change, error: Refused): Promise<void> {
  waitingForSignIn.peek()?.giveUp()
  return new Promise((resolve, reject) => {
    const over = (end: () => void) => () => {
      waitingForSignIn.value = undefined
      end()
    }
    waitingForSignIn.value = { change, goOn: over(resolve), giveUp: over(() => reject(error)) }
  })
}

/**
 * What the tab stores while the user signs in with an external account. The browser then leaves the page, and
 * later returns to the same view.
 */
interface ComingBack {
  readonly name: string | undefined
  readonly to: string
  readonly change: Change | undefined
  /**
   * A time in ms since 1970. The stored view is not used after this time, because the gateway then ends the
   * sign-in, too.
   */
  readonly until: number
}

const KEPT = 'runbook-page-coming-back'
const SIGN_IN_MS = 10 * 60 * 1000

/** Stores view and request until the browser returns from the sign-in provider. */
export function keepForReturn(): void {
  const kept: ComingBack = {
    name: person.peek()?.name,
    to: location.pathname + location.search,
    change: waitingForSignIn.peek()?.change,
    until: Date.now() + SIGN_IN_MS,
  }
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(kept))
  } catch {
    // If storage is not available, the browser returns to Home.
  }
}

/**
 * The request that waited for the sign-in. The view that uses the answer takes the request and sends it
 * again.
 */
let waited: Change | undefined

/**
 * Returns the view that was open before the sign-in. Works once, and only in the same tab. Returns undefined
 * when another person has signed in.
 */
export function takeReturn(): string | undefined {
  const text = sessionStorage.getItem(KEPT)
  sessionStorage.removeItem(KEPT)
  const kept = text === null ? undefined : (JSON.parse(text) as ComingBack)
  if (kept === undefined || kept.until < Date.now()) return undefined
  if (kept.name !== undefined && kept.name !== person.peek()?.name) return undefined
  waited = kept.change
  return kept.to
}

/** Returns the waiting request to the view that uses its answer, and forgets the request. */
export function takeChange(isKnown: (change: Change) => boolean): Change | undefined {
  if (waited === undefined || !isKnown(waited)) return undefined
  const taken = waited
  waited = undefined
  return taken
}
