import * as v from 'valibot'
import { GATEWAY_CODES } from '../../../wire/gateway-codes.ts'
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

/** `openapi.ExecResponse` of the published contract, with what is ours. */
export const execAnswer = v.strictObject({
  has_review: v.boolean(),
  session_id: v.pipe(text, v.uuid()),
  output: text,
  output_status: v.picklist(['success', 'failed', 'running', 'blocked']),
  truncated: v.boolean(),
  execution_time: count,
  exit_code: whole,
  ai_analysis: nothing,
  jira_issue_key: v.optional(text),
  jira_issue_url: v.optional(text),
  redacted_bytes: v.optional(count),
  warning: v.optional(text),
  code: v.optional(v.picklist(GATEWAY_CODES)),
  waits_for: v.optional(
    v.strictObject({
      lock: text,
      session_id: v.nullable(text),
      user: v.nullable(text),
      since: v.nullable(text),
      ahead: count,
    }),
  ),
})

const said = ['PENDING', 'APPROVED', 'REJECTED', 'REVOKED'] as const
const review = {
  id: text,
  type: v.picklist(['onetime', 'jit']),
  access_duration: v.number(),
  status: v.picklist([...said, 'PROCESSING', 'EXECUTED']),
  revoke_at: v.nullable(text),
  created_at: text,
  review_groups_data: v.array(
    v.strictObject({
      id: text,
      group: text,
      status: v.picklist(said),
      reviewed_by: v.nullable(v.strictObject({ id: text, name: text, email: text, slack_id: text })),
      review_date: v.nullable(text),
      forced_review: v.boolean(),
    }),
  ),
  time_window: v.nullable(
    v.strictObject({
      type: v.literal('time_range'),
      configuration: v.strictObject({ start_time: text, end_time: text }),
    }),
  ),
  access_request_rule_name: v.nullable(text),
  min_approvals: count,
  force_approval_groups: v.array(text),
  rejection_reason: v.optional(text),
  connection: text,
  owner: text,
  expires_at: text,
  script_sha256: v.optional(text),
  script_hmac_sha256: v.optional(text),
  client_args: v.array(text),
  env_vars: v.array(text),
  needs: v.optional(v.array(v.strictObject({ groups: v.array(text), minimum: count }))),
  batch: v.optional(
    v.strictObject({ id: text, waves: v.array(v.array(text)), parallel: count, threshold: count }),
  ),
}

export const reviewAnswer = v.strictObject({ ...review, session: text })

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
  review: v.nullable(v.strictObject(review)),
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

const runbook = v.strictObject({
  name: text,
  metadata: v.record(v.string(), anything),
  error: v.nullable(text),
  used_names: v.optional(v.array(text)),
  connections: v.optional(v.array(text)),
})

const commit = { commit: text, commit_author: text, commit_message: text }

/** With copies at the top, which the published contract calls deprecated. */
export const runbookListAnswer = v.strictObject({
  errors: v.array(text),
  repositories: v.array(v.strictObject({ repository: text, ...commit, items: v.array(runbook) })),
  items: v.optional(v.array(runbook)),
  commit: v.optional(text),
  commit_author: v.optional(text),
  commit_message: v.optional(text),
})

const times = { created_at: nothing, updated_at: nothing }

export const runbookRuleAnswer = v.strictObject({
  id: text,
  org_id: text,
  name: text,
  description: text,
  runbooks: v.array(v.strictObject({ repository: text, name: text })),
  connections: v.array(text),
  user_groups: v.array(text),
  ...times,
})

export const runbookConfigurationAnswer = v.strictObject({
  id: text,
  org_id: text,
  repositories: v.array(
    v.strictObject({
      repository: text,
      git_url: text,
      git_user: text,
      git_password: text,
      ssh_key: text,
      ssh_user: text,
      ssh_keypass: text,
      ssh_known_hosts: text,
      git_hook_ttl: count,
    }),
  ),
  ...times,
})

export const runbookTemplatesAnswer = v.strictObject({ items: v.array(runbook), ...commit })

export const renderAnswer = v.strictObject({
  repository: text,
  commit: text,
  connection: text,
  script: text,
  env_vars: v.array(text),
  client_args: v.array(text),
  secret_parameters: v.array(text),
  warning: v.optional(text),
})

/** Of requests that need nothing back. */
export const emptyAnswer = v.strictObject({})
/** Of any type. */
export const fileAnswer = v.pipe(text, v.description('a file'))
/** Bytes as a command wrote them. */
export const plainText = v.pipe(text, v.description('text/plain'))
