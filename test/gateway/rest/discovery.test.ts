import http from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

// What a client learns before it asks for anything: one gateway for the whole file.

const secret = 'a-secret-of-the-connection'
const connections = `
  - { name: pg, agent: local, type: database, subtype: postgres, tags: { env: prod, region: eu }, command: [psql, --secret-argument],
      env: { PASS: ${secret} }, access: { groups: [dba], exec: false, connect: false } }
  - { name: admins, agent: local, command: [bash], access: { groups: [admin], runbooks: false } }`

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await RunningGateway.start({}, { connections })
})
afterAll(() => gateway[Symbol.asyncDispose]())

const asOther = { authorization: `Bearer ${otherToken}` }
const get = (url: string, headers: Record<string, string> = {}) =>
  gateway.request('GET', url, undefined, headers)

const plain = {
  ...{ command: [], secret: {}, default_database: '', status: 'offline', agent_id: 'local' },
  ...{ managed_by: null, tags: [], attributes: [], mandatory_metadata_fields: [] },
  ...{ reviewers: [], min_review_approvals: null, force_approve_groups: null, access_max_duration: null },
  ...{ redact_enabled: false, redact_types: [], guardrail_rules: [], jira_issue_template_id: '' },
  native_port: null,
  access_schema: 'disabled',
  runbook_reviews: [],
  reason: null,
  unreviewed: '',
}
const bash = {
  ...plain,
  ...{ id: 'bash', name: 'bash', resource_name: 'bash', type: 'custom', subtype: '', connection_tags: {} },
  ...{ access_mode_runbooks: 'enabled', access_mode_exec: 'enabled', access_mode_connect: 'enabled' },
  access_mode_connect_reason: '',
}
const pg = {
  ...plain,
  ...{ id: 'pg', name: 'pg', resource_name: 'pg', type: 'database', subtype: 'postgres' },
  ...{ access_mode_runbooks: 'disabled', access_mode_exec: 'disabled', access_mode_connect: 'disabled' },
  access_mode_connect_reason: '',
  connection_tags: { env: 'prod', region: 'eu' },
}
const admins = {
  ...bash,
  ...{ id: 'admins', name: 'admins', resource_name: 'admins', access_mode_runbooks: 'disabled' },
}
/** Beside the others, of one connection alone. */
const effective_features = {
  ...{ guardrails: false, data_masking: false, jira_templates: false },
  ...{ ai_session_analyzer: false, mandatory_metadata: false },
  access_request: { command: false, jit: false, legacy_reviewers: false },
}

describe('GET /api/serverinfo', () => {
  it('says the version and where the streams really are', async () => {
    expect(await get('/api/serverinfo')).toEqual({
      status: 200,
      body: {
        version: '1.2.3',
        auth_method: 'local',
        api_url: gateway.gateway.http,
        grpc_url: gateway.gateway.grpc,
        tenancy_type: 'selfhosted',
        license_info: null,
        ...{ commit_sha: '', log_level: '', go_debug: '', redact_provider: '', idp_provider_name: '' },
        ...{ has_redact_credentials: false, has_webhook_app_key: false, has_ask_ai_credentials: false },
        ...{ has_idp_audience: false, has_idp_custom_scopes: false, has_ssh_client_host_key: false },
        ...{ disable_sessions_download: false, disable_clipboard_copy_cut: false },
        ...{ postgres_proxy_enabled: false, feature_flags: {}, has_examples: false },
        ...{ analytics_tracking: 'disabled', analytics_mode: 'disabled' },
      },
    })
    expect(gateway.gateway.grpc).toMatch(/^grpc:\/\/127\.0\.0\.1:[1-9]\d+$/)
  })

  it('names the host as the caller does where the gateway listens on all of its addresses', async () => {
    await using everywhere = await RunningGateway.start({}, { host: '0.0.0.0' })
    const { port } = new URL(everywhere.gateway.http)
    const { api_url, grpc_url } = await serverInfo(Number(port), 'gateway.internal:8009')
    expect([api_url, grpc_url]).toEqual([
      `http://gateway.internal:${port}`,
      `grpc://gateway.internal:${new URL(everywhere.gateway.grpc).port}`,
    ])
  })

  it('tells nobody without a token', async () => {
    expect((await get('/api/serverinfo', { authorization: '' })).status).toBe(401)
  })
})

describe('GET /api/userinfo', () => {
  it.each([
    ['an admin', {}, { name: 'admin', groups: ['admin'], is_admin: true, role: 'admin' }],
    ['anybody else', asOther, { name: 'other', groups: ['dba'], is_admin: false, role: 'standard' }],
  ])('tells %s who he is', async (_, headers, expected) => {
    const { status, body } = await get('/api/userinfo', headers)
    expect([status, body]).toEqual([
      200,
      {
        ...expected,
        ...{ id: expected.name, email: expected.name, status: 'active', verified: true },
        ...{ is_multitenant: false, tenancy_type: 'selfhosted', kind: 'person', slack_id: '', picture: '' },
        ...{ org_id: '00000000-0000-0000-0000-000000000000', org_name: 'default', org_license: '' },
        ...{ feature_ask_ai: 'unavailable', webapp_users_management: 'on', intercom_hmac_digest: '' },
        ...{ default_protection_profile: null, show_origin_survey: false, show_setup_checklist: false },
        token: {
          ...{ id: `gateway.yaml:${expected.name}:token`, name: 'token', kind: 'personal', expires_at: null },
        },
      },
    ])
  })
})

describe('GET /api/connections', () => {
  it('lists those that the user may see, and nobody their secrets or commands', async () => {
    const [mine, theirs] = [await get('/api/connections'), await get('/api/connections', asOther)]
    expect(mine.body).toEqual([bash, admins])
    expect(theirs.body).toEqual([bash, pg])
    expect(JSON.stringify([mine, theirs])).not.toMatch(/secret-|psql|envvar/)
    expect(JSON.stringify(theirs)).not.toContain(Buffer.from(secret).toString('base64'))
  })

  it.each([
    ['env=prod', ['pg']],
    ['env=prod,region=eu', ['pg']],
    ['env=prod,region!=eu', []],
    ['env!=prod', ['bash']],
    ['', ['bash', 'pg']],
  ])('lists those with the tags that are asked for: %s', async (selector, names) => {
    const { body } = await get(`/api/connections?tag_selector=${encodeURIComponent(selector)}`, asOther)
    expect((body as unknown as { name: string }[]).map(({ name }) => name)).toEqual(names)
  })

  it.each([
    ['type=database', ['pg']],
    ['subtype=postgres', ['pg']],
    ['type=nope', []],
    ['type=', ['bash', 'pg']],
    ['agent_id=local', ['bash', 'pg']],
    ['agent_id=other', []],
    ['resource_name=pg', ['pg']],
    ['resource_name=p', []],
    ['name=P', ['pg']],
    ['search=%20POSTGRES', ['pg']],
    ['search=offline', ['bash', 'pg']],
    ['search=psql', []],
    ['connection_ids=pg,%20nope', ['pg']],
    ['type=database&search=bash', []],
    ['attribute=pii', []],
    ['managed_by=hoop', []],
    ['tags=prod', []],
    ['unknown=1', ['bash', 'pg']],
  ])('lists those that are asked for: ?%s', async (query, names) => {
    const { body } = await get(`/api/connections?${query}`, asOther)
    expect((body as unknown as { name: string }[]).map(({ name }) => name)).toEqual(names)
  })

  it.each([
    ['page=1', { total: 2, page: 1, size: 50 }, ['bash', 'pg']],
    ['page_size=1', { total: 2, page: 1, size: 1 }, ['bash']],
    ['page=2&page_size=1', { total: 2, page: 2, size: 1 }, ['pg']],
    ['page=3&page_size=1', { total: 2, page: 3, size: 1 }, []],
    ['page=1&search=pg', { total: 1, page: 1, size: 50 }, ['pg']],
  ])('comes in pages where one is asked for: ?%s', async (query, pages, names) => {
    const { body } = await get(`/api/connections?${query}`, asOther)
    expect(body['pages']).toEqual(pages)
    expect((body['data'] as { name: string }[]).map(({ name }) => name)).toEqual(names)
  })

  it.each([
    ['page=0', 'page must be >= 1'],
    ['page=x', 'page must be >= 1'],
    ['page_size=101', 'page_size must be between 1 and 100'],
    ['page=1&page_size=0', 'page_size must be between 1 and 100'],
  ])('refuses a page that cannot be: ?%s', async (query, message) => {
    const answer = await get(`/api/connections?${query}`)
    expect(answer).toEqual({ status: 422, body: { message, code: 'invalid-request' } })
  })

  it.each(['env', 'env=', '=prod', 'env=prod,', 'env==prod', 'a b=c'])(
    'refuses what is no selector: %s',
    async (selector) => {
      const { status, body } = await get(`/api/connections?tag_selector=${encodeURIComponent(selector)}`)
      expect([status, body['code']]).toEqual([400, 'invalid-request'])
    },
  )

  it('shows one of them; one of other groups is as missing as one that does not exist', async () => {
    expect(await get('/api/connections/bash')).toEqual({ status: 200, body: { ...bash, effective_features } })
    const found = await get('/api/connections/pg', asOther)
    expect(found).toEqual({ status: 200, body: { ...pg, effective_features } })
    const missing = { status: 404, body: { message: 'not found', code: 'connection-not-found' } }
    expect(await get('/api/connections/pg')).toEqual(missing)
    expect(await get('/api/connections/nope')).toEqual(missing)
  })

  it('says which agents are there', async () => {
    const status = async () => (await get('/api/connections/bash')).body['status']
    const agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
    expect(await status()).toBe('online')
    await agent[Symbol.asyncDispose]()
    await waitFor(async () => (await status()) === 'offline')
  })
})

describe('GET /api/agents', () => {
  const away = { id: 'local', name: 'local', token: '', mode: 'standard', status: 'DISCONNECTED' }

  it('lists those of the connections that the user may see, to an admin all', async () => {
    await using site = await RunningGateway.start(
      {},
      { agents: '{ name: spare, key: xagt-another-key-for-tests-0123 }' },
    )
    const names = async (headers = {}) =>
      (
        (await site.request('GET', '/api/agents', undefined, headers)).body as unknown as { name: string }[]
      ).map(({ name }) => name)
    expect([await names(), await names(asOther)]).toEqual([['local', 'spare'], ['local']])
    expect((await site.request('GET', '/api/agents/spare')).body).toMatchObject({ name: 'spare' })
    expect(await site.request('GET', '/api/agents/spare', undefined, asOther)).toEqual({
      status: 404,
      body: { message: 'agent not found', code: 'agent-not-found' },
    })
    expect((await site.request('GET', '/api/agents', undefined, { authorization: '' })).status).toBe(401)
  })

  it('says what an agent has said of its machine, in the shape of hoop, and keeps it when it leaves', async () => {
    await using site = await RunningGateway.start()
    const look = async () => (await site.request('GET', '/api/agents/local')).body
    expect(await look()).toEqual({ ...away, metadata: {}, ...nothing })
    const agent = await RunningAgent.start(site.agentUrl, { life: { version: '7.8.9' } })
    await agent.serving()
    const there = await look()
    const facts = there['metadata'] as Readonly<Record<string, string>>
    expect(there).toMatchObject({
      ...{ state: 'connected', left_at: null, last_words: null, address: '127.0.0.1' },
      ...{ sessions: 0, session_limit: expect.any(Number) as number, connections: ['bash'] },
    })
    const theirs = await site.request('GET', '/api/agents/local', undefined, asOther)
    expect(theirs.body).toMatchObject({ state: 'connected', address: null, connections: ['bash'] })
    expect(Object.keys(facts)).toEqual([
      ...['hostname', 'machine-id', 'kernel-version', 'version', 'go-version', 'compiler', 'platform'],
    ])
    expect(there).toMatchObject({
      status: 'CONNECTED',
      hostname: facts['hostname'],
      version: '7.8.9',
      platform: facts['platform'],
    })
    expect([facts['hostname'], facts['platform']].every((fact) => fact !== '')).toBe(true)
    const began = Date.now()
    await agent[Symbol.asyncDispose]()
    await waitFor(async () => (await look())['status'] === 'DISCONNECTED')
    expect((await look())['metadata']).toEqual(facts)
    expect(await look()).toMatchObject({
      ...{ state: 'left', connected_at: there['connected_at'], sessions: 0 },
      last_words: 'the agent was told to stop, and has stopped',
    })
    expect(Date.parse(String((await look())['last_contact']))).toBeGreaterThanOrEqual(began)
    const connected = await site.request('GET', '/api/agents?status=CONNECTED')
    const others = await site.request('GET', '/api/agents?status=DISCONNECTED')
    expect([connected.body, others.body]).toEqual([[], [await look()]])
  })
})

const nothing = {
  ...{ hostname: '', machine_id: '', kernel_version: '', version: '', goversion: '', compiler: '' },
  platform: '',
  last_contact: null,
  ...{ state: 'never', connected_at: null, left_at: null, last_words: null, address: null },
  ...{ refused_at: null, refused_from: null },
  ...{ sessions: 0, session_limit: null, connections: ['bash'] },
}

function serverInfo(port: number, host: string): Promise<{ api_url: string; grpc_url: string }> {
  const headers = { authorization: asOther.authorization, host, connection: 'close' }
  return new Promise((resolve, reject) => {
    http
      .get({ port, path: '/api/serverinfo', headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        response.on('end', () => resolve(JSON.parse(text) as { api_url: string; grpc_url: string }))
      })
      .on('error', reject)
  })
}
