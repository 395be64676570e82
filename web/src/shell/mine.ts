import { signal } from '@preact/signals'
import type { ListedSession, Review } from '../api/types.ts'

/** Requests that wait for a decision of the person who is signed in. */
export const waitingForMe = signal<readonly Review[]>([])
/** Their sessions that run, or wait for a lock. */
export const runningOfMine = signal<readonly ListedSession[]>([])
