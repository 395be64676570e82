import { signal } from '@preact/signals'
import type { Person } from './types.ts'

/** Undefined when no person is signed in, null before the first answer. */
export const person = signal<Person | null | undefined>(null)

/** The gateway's reason for the sign-in page. */
export const signedOutBecause = signal('')

export function signedIn(who: Person): void {
  signedOutBecause.value = ''
  person.value = who
}

/** The open view stays in the address, and is shown again after the next sign-in. */
export function signedOut(reason = ''): void {
  // The sign-in page needs no reason when the page was just loaded.
  signedOutBecause.value = person.peek() === null ? '' : reason
  person.value = undefined
}

/** Auditors may only read. */
export function mayRun(): boolean {
  return person.value?.role !== 'auditor'
}

/** Whether the person reads everything, like admins and auditors. */
export function readsAll(): boolean {
  return person.value?.is_admin === true || person.value?.role === 'auditor'
}

/** A machine may not change users and tokens, even as an admin. */
export function mayAdminister(): boolean {
  return person.value?.is_admin === true && isPerson()
}

export function isPerson(): boolean {
  return person.value?.kind === 'person'
}
