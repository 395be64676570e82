import * as v from 'valibot'
import { GATEWAY_CODES } from '../../../wire/gateway-codes.ts'
import { STATE_NAMES } from '../../sessions/session-state.ts'

// What the routes of batches answer, as answers.ts has it of the others.

const text = v.string()
const time = v.nullable(text)
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const exitCode = v.nullable(v.pipe(v.number(), v.integer()))
const code = v.optional(v.picklist(GATEWAY_CODES))

/** In errors. */
export const refusalsAnswer = v.optional(
  v.pipe(
    v.array(v.strictObject({ connection: text, code: v.picklist(GATEWAY_CODES), message: text })),
    v.description('of batches alone'),
  ),
)

/**
 * The state of a session, or of a run of a batch. `text` is for people; `since` is when another session got the lock.
 */
export const stateAnswer = v.strictObject({
  name: v.picklist(STATE_NAMES),
  text,
  by: v.nullable(text),
  lock: v.nullable(text),
  since: time,
})

/** In a review. */
export const reviewOfBatch = {
  needs: v.optional(v.array(v.strictObject({ groups: v.array(text), minimum: count }))),
  batch: v.optional(
    v.strictObject({ id: text, waves: v.array(v.array(text)), parallel: count, threshold: count }),
  ),
}

const listed = {
  id: text,
  status: v.picklist(['waiting', 'running', 'done', 'stopped']),
  owner: text,
  created_at: text,
  started_at: time,
  ended_at: time,
  repository: text,
  file_name: text,
  commit: text,
  parameters: v.record(v.string(), text),
  metadata: v.record(v.string(), v.unknown()),
  waves: v.array(count),
  parallel: count,
  threshold: count,
  stop: v.nullable(
    v.strictObject({
      reason: v.picklist([
        'threshold',
        'user',
        'rejected',
        'outside-time-window',
        'history',
        'gateway-stopped',
      ]),
      message: text,
    }),
  ),
  review: v.nullable(v.strictObject({ id: text, session_id: text, state: v.nullable(stateAnswer) })),
  counts: v.strictObject({
    total: count,
    succeeded: count,
    failed: count,
    running: count,
    not_begun: count,
  }),
  warning: v.optional(text),
}

const group = { exit_code: exitCode, code, count, connections: v.array(text) }

export const batchListAnswer = v.array(v.strictObject(listed))

export const batchAnswer = v.strictObject({
  ...listed,
  runs: v.array(
    v.strictObject({
      connection: text,
      wave: count,
      status: v.picklist(['not-begun', 'running', 'succeeded', 'failed', 'unknown']),
      state: v.nullable(stateAnswer),
      session_id: v.nullable(text),
      exit_code: exitCode,
      started_at: time,
      ended_at: time,
      code,
      message: v.optional(text),
    }),
  ),
  groups: v.array(v.strictObject(group)),
})

export const batchDiffAnswer = v.strictObject({
  id: text,
  same: count,
  differ: count,
  usual: v.nullable(v.strictObject(group)),
  differences: v.array(v.strictObject({ ...group, diff: v.nullable(text), note: v.nullable(text) })),
  more_groups: count,
})
