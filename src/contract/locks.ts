import * as v from 'valibot'
import type { Contract, Frozen } from './contract.ts'
import { about, moment, text } from './words.ts'

const LockSessionShape = v.strictObject({
  session_id: about('id of the session', text),
  user: about('name of the user of the session', text),
  since: about('since when the session has the lock, or waits for the lock', moment),
})

const LockShape = v.strictObject({
  name: about('name of the lock', text),
  runbooks: about(
    'paths of the runbooks that need the lock; `*` is any text without a slash, `**` is any text',
    v.array(text),
  ),
  connections: about(
    'names of the connections on which these runbooks need the lock; null: all connections',
    v.nullable(v.array(text)),
  ),
  holder: about('session that has the lock; null if the lock is free', v.nullable(LockSessionShape)),
  waiting: about(
    'sessions that wait for the lock, in the order in which they get it',
    v.array(LockSessionShape),
  ),
})

/** A session that has a lock or waits for a lock. */
export type LockSessionAnswer = Frozen<v.InferOutput<typeof LockSessionShape>>
export type LockAnswer = Frozen<v.InferOutput<typeof LockShape>>

export const lockContract = {
  list: {
    tag: 'Schedules',
    method: 'GET',
    path: '/api/locks',
    summary: 'Lists the locks of gateway.yaml, with the sessions that have a lock or wait for a lock',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: v.array(LockShape) },
  },
} as const satisfies Contract
