import * as v from 'valibot'
import { GATEWAY_CODES } from '../../../wire/gateway-codes.ts'

// What the REST interface answers, field by field. Tests hold every answer they get against these, so a field that is
// not here fails them. Times are RFC 3339 in UTC.

const text = v.string()
const nothing = v.null()
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const whole = v.pipe(v.number(), v.integer())
const texts = v.record(v.string(), v.string())
const anything = v.record(v.string(), v.unknown())
const mode = v.picklist(['enabled', 'disabled'])

/** The body of every error. */
export const errorAnswer = v.strictObject({ message: text, code: v.picklist(GATEWAY_CODES) })

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
  redacted_bytes: v.optional(count),
  code: v.optional(v.picklist(GATEWAY_CODES)),
})

const session = {
  id: text,
  user: text,
  user_id: text,
  user_name: text,
  connection: text,
  type: text,
  connection_subtype: v.nullable(text),
  verb: text,
  origin: text,
  labels: texts,
  metadata: anything,
  session_batch_id: v.nullable(text),
  correlation_id: v.nullable(text),
  status: v.picklist(['open', 'ready', 'done']),
  exit_code: v.nullable(whole),
  start_date: text,
  end_date: v.nullable(text),
  event_size: count,
  truncated_bytes: count,
  redacted_bytes: count,
  guardrails_info: v.nullable(v.array(anything)),
}

export const sessionAnswer = v.strictObject({
  ...session,
  script: v.strictObject({ data: text }),
  event_stream: v.optional(v.array(v.union([text, v.tuple([v.number(), text, text])]))),
})

export const sessionListAnswer = v.strictObject({
  data: v.array(v.strictObject({ ...session, script: nothing })),
  total: count,
  has_next_page: v.boolean(),
})

const runbook = v.strictObject({
  name: text,
  metadata: v.record(v.string(), anything),
  error: v.nullable(text),
  connections: v.optional(v.array(text)),
})

const commit = { commit: text, commit_author: text, commit_message: text }

export const runbookListAnswer = v.strictObject({
  errors: v.array(text),
  repositories: v.array(v.strictObject({ repository: text, ...commit, items: v.array(runbook) })),
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
})

export const connectionAnswer = v.strictObject({
  id: text,
  name: text,
  type: text,
  subtype: text,
  status: v.picklist(['online', 'offline']),
  agent_id: text,
  access_mode_runbooks: mode,
  access_mode_exec: mode,
  access_mode_connect: mode,
  access_schema: mode,
})

export const agentAnswer = v.strictObject({
  id: text,
  name: text,
  token: v.literal(''),
  mode: v.literal('standard'),
  status: v.picklist(['CONNECTED', 'DISCONNECTED']),
  metadata: texts,
})

export const userAnswer = v.strictObject({
  id: text,
  name: text,
  email: text,
  status: v.literal('active'),
  verified: v.boolean(),
  role: v.picklist(['admin', 'standard']),
  groups: v.array(text),
  is_admin: v.boolean(),
  is_multitenant: v.boolean(),
  tenancy_type: text,
})

export const serverAnswer = v.strictObject({
  version: text,
  auth_method: text,
  api_url: text,
  grpc_url: text,
  tenancy_type: text,
  license_info: nothing,
  disable_sessions_download: v.boolean(),
})

export const publicServerAnswer = v.strictObject({ auth_method: text, setup_required: v.boolean() })
export const livenessAnswer = v.strictObject({ liveness: text })
export const readinessAnswer = v.strictObject({
  status: v.picklist(['ready', 'degraded']),
  reason: v.optional(text),
  warning: v.optional(text),
})
export const signedInAnswer = v.strictObject({ status: v.literal('ok') })
export const noPlugins = v.array(v.never())
/** Of requests that need nothing back. */
export const emptyAnswer = v.strictObject({})
/** Bytes as a command wrote them. */
export const plainText = v.pipe(text, v.description('text/plain'))
