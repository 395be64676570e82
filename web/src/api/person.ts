import { signal } from '@preact/signals'
import type { Person } from './types.ts'

/** Who is signed in; undefined when nobody is, null while it is not known yet. */
export const person = signal<Person | null | undefined>(null)

/** Why the sign-in page is shown, when the gateway has said so. */
export const signedOutBecause = signal('')

export function signedIn(who: Person): void {
  signedOutBecause.value = ''
  person.value = who
}

/** The view that was open stays in the address, and comes back with the next sign-in. */
export function signedOut(reason = ''): void {
  // At the first look nobody expects to be signed in.
  signedOutBecause.value = person.peek() === null ? '' : reason
  person.value = undefined
}

/** Auditors read, and run and decide nothing. */
export function mayRun(): boolean {
  return person.value?.role !== 'auditor'
}

/** Admins and auditors read everything. */
export function readsAll(): boolean {
  return person.value?.is_admin === true || person.value?.role === 'auditor'
}

/** A machine changes no users and makes no tokens, also as an admin. */
export function mayAdminister(): boolean {
  return person.value?.is_admin === true && isPerson()
}

export function isPerson(): boolean {
  return person.value?.kind === 'person'
}
