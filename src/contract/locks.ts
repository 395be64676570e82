import * as v from 'valibot'
import type { Contract, Frozen } from './contract.ts'
import { text } from './words.ts'

const LockSessionShape = v.strictObject({ session_id: text, user: text, since: text })

const LockShape = v.strictObject({
  name: text,
  runbooks: v.array(text),
  connections: v.nullable(v.array(text)),
  holder: v.nullable(LockSessionShape),
  waiting: v.array(LockSessionShape),
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
