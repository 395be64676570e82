import * as v from 'valibot'
import { GATEWAY_CODES } from '../../../wire/gateway-codes.ts'
import { ReviewInSessionShape } from '../../../contract/reviews.ts'
import { StateShape } from '../../../contract/session-state.ts'

// What the REST interface answers, field by field. Tests hold every answer they get against these, so a field that is
// not here fails them. Times are RFC 3339 in UTC.

const text = v.string()
const nothing = v.null()
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const whole = v.pipe(v.number(), v.integer())
const texts = v.record(v.string(), v.string())
const anything = v.record(v.string(), v.unknown())

/** The body of every error. */
export const errorAnswer = v.strictObject({
  message: text,
  code: v.picklist(GATEWAY_CODES),
  status: v.optional(v.pipe(whole, v.description('of downloads alone'))),
  refusals: v.optional(
    v.pipe(
      v.array(v.strictObject({ connection: text, code: v.picklist(GATEWAY_CODES), message: text })),
      v.description('of batches alone'),
    ),
  ),
})

/** What becomes of the issue when the session has ended. */
const jiraTransition = v.strictObject({
  status: v.picklist(['pending', 'done', 'skipped', 'given-up']),
  attempts: count,
  error: v.nullable(text),
})

/** Null until the end. */
const metrics = v.nullable(
  v.strictObject({
    data_masking: v.strictObject({
      err_count: count,
      info_types: v.record(v.string(), count),
      total_redact_count: count,
      transformed_bytes: count,
    }),
    event_size: count,
    truncated: v.boolean(),
  }),
)

const session = {
  id: text,
  org_id: text,
  user: text,
  user_id: text,
  user_name: text,
  identity_type: v.literal('user'),
  connection: text,
  role_name: text,
  resource_name: text,
  connection_tags: v.nullable(texts),
  type: text,
  connection_subtype: text,
  review: v.nullable(ReviewInSessionShape),
  verb: text,
  origin: text,
  labels: v.nullable(texts),
  metadata: v.nullable(anything),
  session_batch_id: v.optional(text),
  correlation_id: v.optional(text),
  status: v.picklist(['open', 'ready', 'done']),
  state: StateShape,
  exit_code: v.nullable(whole),
  start_date: text,
  end_date: v.nullable(text),
  event_size: count,
  truncated_bytes: count,
  redacted_bytes: count,
  integrations_metadata: v.nullable(v.strictObject({ jira_issue_key: text, jira_issue_url: text })),
  jira_transition: v.nullable(jiraTransition),
  guardrails_info: v.nullable(v.array(anything)),
  ai_analysis: nothing,
  script_size: v.nullable(count),
  metrics,
}

export const sessionAnswer = v.strictObject({
  ...session,
  script: v.strictObject({ data: text }),
  event_stream: v.optional(v.array(v.union([text, v.tuple([v.number(), text, text])]))),
})

export const downloadLinkAnswer = v.strictObject({ download_url: text, expire_at: text })

export const sessionListAnswer = v.strictObject({
  data: v.array(v.strictObject({ ...session, script: nothing })),
  total: v.nullable(count),
  total_is_capped: v.boolean(),
  has_next_page: v.boolean(),
})

/** Of requests that need nothing back. */
export const emptyAnswer = v.strictObject({})
/** Of any type. */
export const fileAnswer = v.pipe(text, v.description('a file'))
/** Bytes as a command wrote them. */
export const plainText = v.pipe(text, v.description('text/plain'))
