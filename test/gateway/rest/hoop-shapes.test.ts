import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'

// Requests as programs of hoop's make them, beside what hoop's gateway answers: fields, types, null or empty, status and
// text. What differs on purpose stands in docs/protocol.md, and is not in here.

/**
 * The type of a value, `a|b` where it may be either, `=x` for the text x, `[]` and `{}` where it is empty; an object or
 * a list with the shape of its parts.
 */
type Shape = string | readonly Shape[] | { readonly [field: string]: Shape }

const REVIEW_GROUP: Shape = {
  ...{ id: 'text', group: 'text', status: 'text', review_date: 'text|null', forced_review: 'flag' },
  reviewed_by: 'null',
}
const REVIEW = {
  ...{ id: 'text', type: 'text', access_duration: 'number', status: '=PENDING', revoke_at: 'null' },
  ...{ created_at: 'text', review_groups_data: [REVIEW_GROUP], time_window: 'null' },
  ...{ access_request_rule_name: 'null', min_approvals: 'number', force_approval_groups: '[]' },
} as const
const SESSION = {
  ...{ id: 'text', org_id: 'text', script_size: 'number', user: 'text', user_id: 'text', user_name: 'text' },
  ...{
    type: 'text',
    connection_subtype: 'text',
    connection: 'text',
    resource_name: 'text',
    role_name: 'text',
  },
  ...{ connection_tags: '{}', review: 'null', verb: 'text', status: '=done', exit_code: 'number' },
  ...{
    event_size: 'number',
    start_date: 'text',
    end_date: 'text',
    ai_analysis: 'null',
    guardrails_info: 'null',
  },
  ...{ labels: 'null', metadata: 'null', integrations_metadata: 'null', identity_type: '=user' },
  metrics: {
    data_masking: {
      ...{ err_count: 'number', info_types: '{}', total_redact_count: 'number', transformed_bytes: 'number' },
    },
    ...{ event_size: 'number', truncated: 'flag' },
  },
} as const
const SCRIPT = { script: { data: 'text' } }
const WAITING = { status: '=open', exit_code: 'null', end_date: 'null', metrics: 'null' }
const CONNECTION = {
  ...{ id: 'text', name: 'text', resource_name: 'text', command: 'list', type: 'text', subtype: 'text' },
  ...{ secret: 'object', default_database: 'text', agent_id: 'text', status: '=online', reviewers: 'list' },
  ...{
    redact_enabled: 'flag',
    redact_types: 'list',
    managed_by: 'null',
    tags: 'list',
    connection_tags: 'object',
  },
  ...{
    access_mode_runbooks: 'text',
    access_mode_exec: 'text',
    access_mode_connect: 'text',
    access_schema: 'text',
  },
  ...{ guardrail_rules: 'list', jira_issue_template_id: 'text', force_approve_groups: 'list|null' },
  ...{ access_max_duration: 'number|null', min_review_approvals: 'number|null' },
  ...{ mandatory_metadata_fields: 'list|null', attributes: 'list|null' },
} as const
const FEATURES: Shape = {
  ...{ guardrails: 'flag', data_masking: 'flag', ai_session_analyzer: 'flag', jira_templates: 'flag' },
  ...{
    mandatory_metadata: 'flag',
    access_request: { command: 'flag', jit: 'flag', legacy_reviewers: 'flag' },
  },
}
const AGENT = {
  ...{ id: 'text', token: '=', name: 'text', mode: '=standard', status: '=CONNECTED' },
  ...{ hostname: 'text', machine_id: 'text', kernel_version: 'text', version: 'text', goversion: 'text' },
  ...{ compiler: 'text', platform: 'text' },
  metadata: {
    ...{ hostname: 'text', 'machine-id': 'text', 'kernel-version': 'text', version: 'text' },
    ...{ 'go-version': 'text', compiler: 'text', platform: 'text' },
  },
} as const
const USER = {
  ...{ id: 'text', name: 'text', email: 'text', status: '=active', verified: 'flag', role: 'text' },
  ...{ slack_id: 'text', picture: 'text', groups: ['text'] },
} as const
const USER_INFO: Shape = {
  ...USER,
  ...{
    is_admin: 'flag',
    is_multitenant: 'flag',
    tenancy_type: '=selfhosted',
    org_id: 'text',
    org_name: 'text',
  },
  ...{ org_license: 'text', feature_ask_ai: '=unavailable', webapp_users_management: '=on' },
  ...{ intercom_hmac_digest: 'text', default_protection_profile: 'text|null' },
  ...{ show_origin_survey: 'flag', show_setup_checklist: 'flag' },
}
const SERVER_INFO: Shape = {
  ...{ version: 'text', commit_sha: 'text', log_level: 'text', go_debug: 'text', auth_method: '=local' },
  ...{ redact_provider: 'text', has_redact_credentials: 'flag', has_webhook_app_key: 'flag' },
  ...{ has_idp_audience: 'flag', has_idp_custom_scopes: 'flag', has_ask_ai_credentials: 'flag' },
  ...{ has_ssh_client_host_key: 'flag', postgres_proxy_enabled: 'flag', api_url: 'text', grpc_url: 'text' },
  ...{ tenancy_type: '=selfhosted', license_info: 'object|null', idp_provider_name: 'text' },
  ...{ disable_sessions_download: 'flag', disable_clipboard_copy_cut: 'flag', analytics_tracking: 'text' },
  ...{ analytics_mode: 'text', feature_flags: 'object' },
}
const EXECUTION = {
  ...{ has_review: 'flag', session_id: 'text', output: 'text', output_status: '=success', truncated: 'flag' },
  ...{ execution_time: 'number', exit_code: 'number', ai_analysis: 'null' },
} as const
const RULE: Shape = {
  ...{
    id: 'text',
    org_id: 'text',
    name: 'text',
    description: 'text',
    created_at: 'text|null',
    updated_at: 'text|null',
  },
  ...{ runbooks: [{ repository: 'text', name: 'text' }], connections: ['text'], user_groups: 'list' },
}
const PAGES: Shape = { total: 'number', page: 'number', size: 'number' }
const AUDITED: Shape = {
  ...{ id: 'text', org_id: 'text', actor_subject: 'text', actor_email: 'text', actor_name: 'text' },
  ...{
    created_at: 'text',
    resource_type: 'text',
    action: 'text',
    http_method: 'text',
    http_status: 'number',
  },
  ...{ http_path: 'text', client_ip: 'text', request_payload_redacted: 'object|null', outcome: 'flag' },
  error_message: 'text',
}
const COMMIT = { commit: 'text', commit_author: 'text', commit_message: 'text' }

/** What is ours beside hoop's fields. */
const OURS = [
  ...[
    'state',
    'origin',
    'truncated_bytes',
    'redacted_bytes',
    'jira_transition',
    'last_contact',
    'approved_at',
    'began_at',
    'kind',
    'declared',
    'access_mode_connect_reason',
    'native_port',
    'unreviewed',
    'runbook_reviews',
    'script_line',
    'may_read_output',
    'reason',
    'has_examples',
    'group',
    'looked_at',
  ],
  ...[
    'budget',
    'created_by',
    'asks',
    'block_metadata',
    'title',
    'code',
    'sequence',
    'previous_hash',
    'hash',
    'actor',
    'stage',
    'claimed_agent',
    'asked',
    'did',
    'object_name',
  ],
  ...[
    'token_id',
    'token_name',
    'resource_id',
    'owner',
    'expires_at',
    'script_sha256',
    'client_args',
    'env_vars',
  ],
]
/** Ours in some objects, and hoop's in others. */
const OURS_AT: Readonly<Record<string, readonly string[]>> = {
  '/api/userinfo': ['token'],
  '/api/users': ['created_at'],
  '/api/reviews': [
    ...[
      'connection',
      'can',
      'withdrawn_by',
      'summary',
      'brings_input',
      'facts',
      'rule',
      'missing',
      'your_approval',
      'approvers',
    ],
    ...['usual_wait', 'outcomes', 'marks', 'reason_need', 'runs'],
  ],
  '/api/sessions': ['connection', 'port'],
  '/api/plugins/audit/sessions': ['port'],
  '/api/audit/logs': ['text_looked_at', 'views_left_out'],
  '/api/agents': [
    ...[
      'connected_at',
      'left_at',
      'last_words',
      'refused_at',
      'refused_from',
      'address',
      'sessions',
      'session_limit',
      'connections',
    ],
  ],
}

let gateway: RunningGateway
let agent: RunningAgent
const ids: Record<string, string> = {}

beforeAll(async () => {
  gateway = await RunningGateway.start(
    {},
    {
      connections:
        '\n  - { name: asks, agent: local, command: [bash], tags: { env: prod }, review: { groups: [dba] } }',
    },
  )
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  const run = async (name: string, asked: Promise<{ readonly body: Record<string, unknown> }>) => {
    ids[name] = String((await asked).body['session_id'])
  }
  await run('plain', gateway.script('echo'))
  await run('told', gateway.script('echo', { labels: { l: '1' }, metadata: { n: 1 }, session_batch_id: 'b' }))
  await run('book', gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: '1' } }))
  await run('asks', gateway.script('echo', { connection: 'asks' }))
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

/** Ids of sessions stand as `$name`. */
const filled = (url: string) => url.replaceAll(/\$(\w+)/g, (_, name: string) => ids[name] ?? '')

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  const names: Readonly<Record<string, string>> = { string: 'text', boolean: 'flag' }
  return names[typeof value] ?? typeof value
}

function isOf(value: unknown, word: string): boolean {
  if (word.startsWith('=')) return value === word.slice(1)
  if (word === '[]' || word === '{}') return JSON.stringify(value) === word
  return word === typeOf(value)
}

function faults(value: unknown, shape: Shape, at: string, ours: readonly string[]): string[] {
  if (typeof shape === 'string')
    return shape.split('|').some((word) => isOf(value, word))
      ? []
      : [`${at}: ${JSON.stringify(value)}, not ${shape}`]
  if (Array.isArray(shape)) {
    if (!Array.isArray(value) || value.length === 0) return [`${at}: no list with something in it`]
    const [each = ''] = shape as readonly Shape[]
    return value.flatMap((one, i) => faults(one, each, `${at}[${i}]`, ours))
  }
  if (typeOf(value) !== 'object') return [`${at}: ${JSON.stringify(value)}, no object`]
  const fields = value as Readonly<Record<string, unknown>>
  const wanted = Object.entries(shape as Readonly<Record<string, Shape>>)
  const known = new Set(wanted.map(([name]) => name))
  return [
    ...wanted.flatMap(([name, part]) =>
      name in fields ? faults(fields[name], part, `${at}.${name}`, ours) : [`${at}.${name}: is missing`],
    ),
    ...Object.keys(fields).flatMap((name) =>
      known.has(name) || ours.includes(name) ? [] : [`${at}.${name}: is not hoop's`],
    ),
  ]
}

function expectShape(url: string, body: unknown, shape: Shape): void {
  const own = Object.entries(OURS_AT).flatMap(([path, names]) => (url.startsWith(path) ? names : []))
  expect(faults(body, shape, 'body', [...OURS, ...own])).toEqual([])
}

const LISTED = { ...SESSION, script: 'null' }
const list = (data: Shape): Shape => ({
  data,
  total: 'number',
  total_is_capped: 'flag',
  has_next_page: 'flag',
})
const TOLD = { ...SESSION, labels: { l: '=1' }, metadata: { n: 'number' }, session_batch_id: '=b' }
const BOOK = {
  ...{ ...SESSION, connection_tags: 'null' },
  labels: {
    runbookFile: 'text',
    runbookParameters: 'text',
    runbookRepository: 'text',
    runbookCommit: 'text',
  },
}
const ASKS = { ...SESSION, ...WAITING, connection_tags: { env: '=prod' }, review: REVIEW }
const RUNBOOK: Shape = {
  ...{ name: 'text', connections: ['text'], error: 'null' },
  metadata: { x: { description: 'text', required: 'flag', type: 'text' } },
}

describe('reads', () => {
  it.each<[url: string, shape: Shape]>([
    ['/api/healthz', { liveness: '=OK' }],
    ['/api/publicserverinfo', { auth_method: '=local', setup_required: 'flag' }],
    ['/api/serverinfo', SERVER_INFO],
    ['/api/userinfo', USER_INFO],
    ['/api/users', [USER]],
    ['/api/users/other', USER],
    ['/api/users/groups', ['text']],
    ['/api/serviceaccounts', 'null'],
    ['/api/api-keys', 'null'],
    ['/api/agents', [AGENT]],
    ['/api/agents?status=DISCONNECTED', '[]'],
    ['/api/agents/local', AGENT],
    ['/api/connections', [CONNECTION]],
    ['/api/connections?resource_name=bash', [CONNECTION]],
    ['/api/connections?type=nope', '[]'],
    ['/api/connections?page=1&page_size=1', { pages: PAGES, data: [CONNECTION] }],
    ['/api/connections?page=9', { pages: PAGES, data: '[]' }],
    ['/api/connections/bash', { ...CONNECTION, effective_features: FEATURES }],
    ['/api/connections/asks', { ...CONNECTION, effective_features: FEATURES, reviewers: ['=dba'] }],
    ['/api/plugins', '[]'],
    ['/api/sessions?batch_id=b', list([{ ...TOLD, script: 'null' }])],
    ['/api/sessions?limit=1&offset=3', list([LISTED])],
    ['/api/sessions?connection=nope', list('[]')],
    ['/api/sessions?count=none&connection=nope', { ...(list('[]') as object), total: 'null' }],
    ['/api/plugins/audit/sessions?batch_id=b', list([{ ...TOLD, script: 'null' }])],
    ['/api/sessions/$plain', { ...SESSION, ...SCRIPT }],
    ['/api/sessions/$told', { ...TOLD, ...SCRIPT }],
    ['/api/sessions/$book', { ...BOOK, ...SCRIPT }],
    ['/api/sessions/$asks', { ...ASKS, ...SCRIPT }],
    [
      '/api/sessions/$plain?expand=event_stream',
      { ...SESSION, script: { data: '=' }, event_stream: [['number|text']] },
    ],
    [
      '/api/sessions/$plain?expand=event_stream&event_stream=utf8',
      { ...SESSION, ...SCRIPT, event_stream: ['text'] },
    ],
    ['/api/sessions/$plain?extension=csv', { download_url: 'text', expire_at: 'text' }],
    ['/api/reviews', [{ ...REVIEW, session: 'text' }]],
    ['/api/reviews/$asks', { ...REVIEW, session: 'text' }],
    [
      '/api/runbooks?list_connections=true',
      {
        errors: '[]',
        repositories: [{ repository: 'text', items: [RUNBOOK], ...COMMIT }],
        items: [RUNBOOK],
        ...COMMIT,
      },
    ],
    ['/api/plugins/runbooks/templates', { items: [RUNBOOK], ...COMMIT }],
    ['/api/runbooks/rules', [RULE]],
    ['/api/integrations/jira', 'null'],
    ['/api/integrations/jira/issuetemplates', '[]'],
    ['/api/audit/logs', { pages: PAGES, data: [AUDITED] }],
  ])('GET %s', async (url, shape) => {
    const { status, body } = await gateway.request('GET', filled(url))
    expect(status).toBe(200)
    expectShape(url, body, shape)
  })
})

describe('executions', () => {
  it.each<[name: string, body: object, shape: Shape]>([
    ['a script', { connection: 'bash', script: 'echo' }, EXECUTION],
    [
      'a script that fails',
      { connection: 'bash', script: 'exit 3' },
      { ...EXECUTION, output_status: '=failed' },
    ],
    ['a script that has to be approved', { connection: 'asks', script: 'echo' }, EXECUTION],
  ])('%s', async (_, asked, shape) => {
    const { status, body } = await gateway.request('POST', '/api/sessions', asked)
    expect(status).toBe(200)
    expectShape('', body, shape)
  })
})

describe('what is done without an answer', () => {
  it.each([
    ['POST', '/api/sessions/$plain/kill', undefined],
    ['PATCH', '/api/sessions/$plain/metadata', { metadata: {} }],
  ])('%s %s', async (method, url, body) => {
    expect(await gateway.request(method, filled(url), body)).toEqual({ status: 204, body: {} })
  })
})

describe('refusals', () => {
  it.each<[method: string, url: string, body: object | undefined, status: number, text: string]>([
    ['GET', '/api/connections/nope', undefined, 404, 'not found'],
    ['GET', '/api/agents/nope', undefined, 404, 'agent not found'],
    ['GET', '/api/users/nope', undefined, 404, 'user nope not found'],
    ['GET', '/api/plugins/nope', undefined, 404, 'plugin not found'],
    ['GET', '/api/api-keys/nope', undefined, 404, 'resource not found'],
    ['GET', '/api/sessions/nope', undefined, 404, 'not found'],
    ['GET', '/api/sessions/nope/result/stream', undefined, 404, 'not found'],
    ['GET', '/api/sessions/nope/stream', undefined, 404, 'session not found'],
    ['POST', '/api/sessions/nope/kill', undefined, 404, 'session not found'],
    ['PATCH', '/api/sessions/nope/metadata', { metadata: {} }, 404, 'not found'],
    ['GET', '/api/reviews/nope', undefined, 404, 'resource not found'],
    ['GET', '/api/runbooks/rules/nope', undefined, 404, 'runbook rule not found'],
    ['GET', '/api/integrations/jira/issuetemplates/nope', undefined, 404, 'resource not found'],
    ['DELETE', '/api/users/nope', undefined, 404, 'user nope not found'],
    ['DELETE', '/api/users/groups/nope', undefined, 404, 'group nope not found'],
    ['POST', '/api/sessions', { connection: 'nope', script: 'x' }, 400, 'connection nope not found'],
    ['GET', '/api/connections?page=0', undefined, 422, 'page must be >= 1'],
    ['GET', '/api/connections?page_size=101', undefined, 422, 'page_size must be between 1 and 100'],
    ['GET', '/api/audit/logs?page=0', undefined, 422, 'page must be >= 1'],
    [
      'GET',
      '/api/sessions?limit=0',
      undefined,
      422,
      'failed listing sessions, invalid "limit" option: must be at least 1, got 0',
    ],
    ['PUT', '/api/reviews/$asks', { status: 'APPROVED' }, 400, 'unable to self approve review'],
    ['POST', '/api/sessions/$asks/exec', undefined, 403, 'review not approved or already executed'],
  ])('%s %s', async (method, url, body, status, message) => {
    const answer = await gateway.request(method, filled(url), body)
    expect([answer.status, answer.body['message']]).toEqual([status, message])
  })

  it.each([
    [400, {}],
    [400, { email: '' }],
    [400, { name: 'ann' }],
    [422, { email: 'a b' }],
  ])('POST /api/users without a name that can be one is %i: %j', async (status, body) => {
    expect((await gateway.request('POST', '/api/users', body)).status).toBe(status)
  })
})
