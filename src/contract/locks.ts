import * as v from 'valibot'
import type { Contract, Frozen } from './contract.ts'
import { about, moment, text } from './words.ts'

const LockSessionShape = v.strictObject({
  session_id: about('id of the session', text),
  user: about('name of its user', text),
  since: about('since when it has the lock, or waits for it', moment),
})

const LockShape = v.strictObject({
  name: about('name of the lock', text),
  runbooks: about(
    'paths of the runbooks that need it; `*` is any text without a slash, `**` any text',
    v.array(text),
  ),
  connections: about('names of the connections on which they need it; null: all', v.nullable(v.array(text))),
  holder: about('session that has the lock; null if it is free', v.nullable(LockSessionShape)),
  waiting: about('sessions that wait for the lock, the next one first', v.array(LockSessionShape)),
})

/** A session that holds a lock, or waits for it. */
export type LockSessionAnswer = Frozen<v.InferOutput<typeof LockSessionShape>>
/** A lock of gateway.yaml with its holder and its queue. */
export type LockAnswer = Frozen<v.InferOutput<typeof LockShape>>

export const lockContract = {
  list: {
    tag: 'Schedules',
    method: 'GET',
    path: '/api/locks',
    summary: 'Lists the locks of gateway.yaml, with the sessions that hold them or wait for them',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: v.array(LockShape) },
  },
} as const satisfies Contract
