import * as v from 'valibot'
import type { Frozen } from './contract.ts'
import { text } from './words.ts'

/** How a session is, or how it ended. */
const STATE_NAMES = [
  'waiting-for-approval',
  'approved',
  'waiting-for-lock',
  'running',
  'succeeded',
  'failed',
  'stopped',
  'closed',
  'timed-out',
  'limit-reached',
  'blocked',
  'refused',
  'rejected',
  'revoked',
  'withdrawn',
  'expired',
  'lock-busy',
  'agent-offline',
  'agent-silent',
  'agent-lost',
  'agent-stopped',
  'gateway-stopped',
  'gateway-lost',
] as const
export type StateName = (typeof STATE_NAMES)[number]

export const StateShape = v.strictObject({
  name: v.picklist(STATE_NAMES),
  text,
  by: v.nullable(text),
  lock: v.nullable(text),
  since: v.nullable(text),
})

/** The state of a session. `text` is for people; `since` is when another session got the lock. */
export type StateAnswer = Frozen<v.InferOutput<typeof StateShape>>
