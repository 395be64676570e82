import { signal } from '@preact/signals'
import { person } from './person.ts'
import { ask, Refused } from './request.ts'

// Changes of users and tokens need a sign-in of the last ten minutes. The gateway says so with a code of its own; then
// the page asks for a new sign-in there and then, and sends the request once more.

/** A request that waits for a new sign-in. */
interface Waiting {
  readonly change: Change
  /** Sends the request once more. */
  readonly goOn: () => void
  readonly giveUp: () => void
}

/** What is asked of the gateway: names and settings, and never a secret, since it may be kept in the tab. */
export interface Change {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

/** Set while the page asks the person to sign in again. */
export const waitingForSignIn = signal<Waiting | undefined>(undefined)

/** @throws Refused, also where the person does not sign in again */
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

/** The way to an account elsewhere leaves the page: this is what it comes back to. */
interface ComingBack {
  readonly name: string | undefined
  readonly to: string
  readonly change: Change | undefined
  /** In ms: a sign-in that takes longer than this has ended at the gateway, too. */
  readonly until: number
}

const KEPT = 'runbook-page-coming-back'
const SIGN_IN_MS = 10 * 60 * 1000

/** Keeps the view, and the request that waits, for the return from the provider. */
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
    // A browser that keeps nothing comes back to Home.
  }
}

/** What the person had asked for before the page was left. Whoever asks for it makes it. */
let waited: Change | undefined

/** @returns the view that was left for the sign-in, once and in the same tab; undefined for another person */
export function takeReturn(): string | undefined {
  const text = sessionStorage.getItem(KEPT)
  sessionStorage.removeItem(KEPT)
  const kept = text === null ? undefined : (JSON.parse(text) as ComingBack)
  if (kept === undefined || kept.until < Date.now()) return undefined
  if (kept.name !== undefined && kept.name !== person.peek()?.name) return undefined
  waited = kept.change
  return kept.to
}

/** The request that waited, for the view that knows what to do with its answer. */
export function takeChange(isKnown: (change: Change) => boolean): Change | undefined {
  if (waited === undefined || !isKnown(waited)) return undefined
  const taken = waited
  waited = undefined
  return taken
}
