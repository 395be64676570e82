import { effect } from '@preact/signals'
import { person } from '../api/person.ts'

/** Beginning of the keys under which the browser keeps drafts and saved scripts. */
export const SCRIPTS = 'runbook-page-script:'
/** The random name of a sign-in of this browser. A sign-out removes it. */
const SIGN_IN = 'runbook-page-sign-in'

interface Keeper {
  readonly user: string
  readonly signIn: string | undefined
}

/**
 * The last user of this tab. An expired sign-in leaves them here, because the view that closes then still has
 * their script to keep.
 */
let keeper: Keeper | undefined

effect(() => {
  if (person.value) keeper = { user: person.value.name, signIn: signInOfBrowser() }
})

/** Returns the name of the user whose scripts this tab keeps. */
export function keeperOfScripts(): string {
  return keeper?.user ?? ''
}

function signInOfBrowser(): string | undefined {
  try {
    const name = localStorage.getItem(SIGN_IN) ?? Math.random().toString(36)
    localStorage.setItem(SIGN_IN, name)
    return name
  } catch {
    return undefined
  }
}

/** Returns false after a sign-out, also one in another tab of which the gateway has not told this tab yet. */
export function mayKeepScripts(): boolean {
  return keeper?.signIn !== undefined && localStorage.getItem(SIGN_IN) === keeper.signIn
}

/** Removes the drafts and saved scripts of all users of this browser. */
export function forgetKeptScripts(): void {
  localStorage.removeItem(SIGN_IN)
  for (const name of Object.keys(localStorage)) if (name.startsWith(SCRIPTS)) localStorage.removeItem(name)
}
