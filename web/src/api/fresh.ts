import { signal } from '@preact/signals'
import { person } from './person.ts'
import { ask, Refused } from './request.ts'

// Changes of users and tokens need a sign-in of the last ten minutes; the gateway refuses older ones with the
// code `sign-in-again`. The page then asks for a new sign-in in the same view, and sends the request again.

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

/** A sign-in with an external account leaves the page, and returns to the same view. */
interface ComingBack {
  readonly name: string | undefined
  readonly to: string
  readonly change: Change | undefined
  /** In ms since 1970. The gateway then ends the sign-in, too. */
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
    // Without storage, the browser returns to Home.
  }
}

/** The request from before the sign-in. A view that knows the answer sends the request again. */
let waited: Change | undefined

/** Returns the view from before the sign-in, once and in the same tab; undefined for another person. */
export function takeReturn(): string | undefined {
  const text = sessionStorage.getItem(KEPT)
  sessionStorage.removeItem(KEPT)
  const kept = text === null ? undefined : (JSON.parse(text) as ComingBack)
  if (kept === undefined || kept.until < Date.now()) return undefined
  if (kept.name !== undefined && kept.name !== person.peek()?.name) return undefined
  waited = kept.change
  return kept.to
}

/** Gives the waiting request to the view that knows its answer. */
export function takeChange(isKnown: (change: Change) => boolean): Change | undefined {
  if (waited === undefined || !isKnown(waited)) return undefined
  const taken = waited
  waited = undefined
  return taken
}
