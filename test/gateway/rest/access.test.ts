import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requireOperations } from '../../../src/gateway/rest/access.ts'
import type { Operation, OperationScope, Role } from '../../../src/contract/contract.ts'
import { OPERATIONS } from '../../../src/gateway/rest/resources.ts'
import { CODE_TRAILER } from '../../../src/wire/gateway-codes.ts'
import { checkDescribed } from '../../support/described-answer.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { Browsing } from './page/browsing.ts'
import { TEMPLATE } from '../jira/template.ts'

// Who may do what: every caller asks for every operation of the table.

/** What one can be to a session, a review or a connection here. */
type Part = 'user' | 'sees' | 'owner' | 'reviewer' | 'auditor' | 'admin'

interface Caller {
  readonly token?: string
  /** By the cookie of the page, which that token got. */
  readonly onPage?: boolean
  readonly groups?: string
  readonly is: readonly Part[]
}

const CALLERS = {
  nobody: { is: [] },
  'a wrong token': { token: 'token-of-no-user-0123456789', is: [] },
  stranger: { token: 'token-of-stranger-0123456789', groups: 'other', is: ['user'] },
  owner: { token: 'token-of-owner-0123456789', groups: 'dev', is: ['user', 'sees', 'owner'] },
  reviewer: { token: 'token-of-reviewer-0123456789', groups: 'lead', is: ['user', 'reviewer'] },
  'the owner on the page': {
    token: 'token-of-owner-0123456789',
    onPage: true,
    is: ['user', 'sees', 'owner'],
  },
  auditor: { token: 'token-of-auditor-0123456789', groups: 'dev, auditor', is: ['sees', 'auditor'] },
  admin: { token: userToken, is: ['user', 'sees', 'admin'] },
  machine: { token: 'token-of-machine-0123456789', groups: 'dev, lead', is: ['user', 'sees', 'reviewer'] },
  'machine-admin': {
    token: 'token-of-machine-admin-0123456789',
    groups: 'admin',
    is: ['user', 'sees', 'admin'],
  },
  'auditing-admin': {
    token: 'token-of-both-0123456789',
    groups: 'auditor, admin, dev',
    is: ['user', 'sees', 'auditor', 'admin'],
  },
} satisfies Record<string, Caller>
type Name = keyof typeof CALLERS

const kindOf = (name: string) => (name.startsWith('machine') ? 'machine' : 'person')
/** Who has a role, and who reaches an object: written down once more, on purpose. */
const HOLDERS: Readonly<Record<Exclude<Role, 'public'>, readonly Part[]>> = {
  user: ['user', 'auditor'],
  standard: ['user'],
  auditor: ['auditor', 'admin'],
  admin: ['admin'],
}
const REACHED: Readonly<Record<Exclude<OperationScope, 'link'>, readonly Part[]>> = {
  connection: ['sees'],
  scheduled: ['sees', 'auditor', 'admin'],
  concerned: ['owner', 'reviewer', 'auditor', 'admin'],
  seen: ['owner', 'reviewer', 'auditor', 'admin'],
  read: ['owner', 'auditor', 'admin'],
  end: ['owner', 'admin'],
  tokens: ['owner', 'admin'],
  own: ['owner'],
}

const ACCESS = 'access: { groups: [dev, admin] }'
const CONNECTIONS = `
  - { name: asked, agent: far, command: [bash], runbooks: { repository: rb }, review: { groups: [lead] }, ${ACCESS} }
  - { name: ticketed, agent: far, command: [bash], jira: t, ${ACCESS} }
  - { name: away, agent: far, command: [bash], ${ACCESS} }
  - { name: base, agent: far, type: postgres, command: [psql], env: { HOST: h, USER: u, PASS: p }, ${ACCESS} }
jira: { url: 'http://127.0.0.1:1', user: u, api_token: jira-token-0123456789, templates: [{ ${TEMPLATE} }] }
webhooks: [{ name: chat, url: 'http://127.0.0.1:1', template: slack, events: [session.failed] }]
schedules: [{ name: nightly, cron: '0 3 29 2 *', connection: asked, runbook: missing.sh, as: owner }]

sign-in: { oidc: { issuer: 'https://127.0.0.1:1', client-id: c, everybody: true } }`

let gateway: RunningGateway
let shared: string
let sharedBatch: string
beforeAll(async () => {
  const users = Object.entries<Caller>(CALLERS).flatMap(([name, { token = '', groups }]) =>
    groups === undefined
      ? []
      : [`\n  - { name: ${name}, token: ${token}, groups: [${groups}], kind: ${kindOf(name)} }`],
  )
  gateway = await RunningGateway.start(
    { 'ops/listed.runbook.sh': '{{/* options-from x ops/list.runbook.sh */}}{{ .x }}' },
    {
      connections: CONNECTIONS,
      users: users.join(''),
      agents: '{ name: far, key: xagt-another-key-0123456789 }',
      limits: '{ agent-wait: 0s, failed-sign-ins: 999 }',
    },
  )
  shared = await asked()
  sharedBatch = await batch()
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: '1' } })
})
afterAll(() => gateway[Symbol.asyncDispose]())

interface Asking {
  readonly path?: string
  readonly body?: object
}

let names = 0
const freshName = () => `fresh-${(names += 1)}`

/** What operations are asked for, where that is not a shared session or something of the settings. */
const ASKED: Readonly<Record<string, () => Asking | Promise<Asking>>> = {
  'POST /api/plugins/runbooks/connections/:name/exec': () => ({
    body: { file_name: 'ops/a.runbook.sh', parameters: { x: '1' } },
  }),
  'POST /api/runbooks/exec': () => ({
    body: {
      file_name: 'ops/a.runbook.sh',
      connection_name: 'asked',
      repository: 'rb',
      parameters: { x: '1' },
    },
  }),
  'POST /api/runbooks/render': () => ({
    body: { file_name: 'ops/a.runbook.sh', connection_name: 'asked', parameters: { x: '1' } },
  }),
  'GET /api/runbooks/choices': () => ({
    path: '/api/runbooks/choices?connection_name=asked&file_name=ops/listed.runbook.sh&parameter=x&cached=true',
  }),
  'POST /api/runbooks/foresee': () => ({ body: { file_name: 'ops/a.runbook.sh', connections: ['asked'] } }),
  'POST /api/schedules/foresee': () => ({
    body: {
      ...{ name: 'drafted', cron: '0 3 * * *', timezone: 'UTC', connection: 'asked' },
      ...{ runbook: 'ops/a.runbook.sh', as: 'owner' },
    },
  }),
  'POST /api/sessions/foresee': () => ({ body: { connection: 'asked', script: 'true' } }),
  'POST /api/sessions/schema': () => ({ body: { connection: 'base' } }),
  'POST /api/sessions': () => ({ body: { connection: 'asked', script: 'true' } }),
  'GET /api/access/:name/:connection': () => ({ path: '/api/access/owner/asked' }),
  'GET /api/sessions/:id/download': () => link(''),
  'GET /api/sessions/:id/download/input': () => link('&blob-type=session_input'),
  'PATCH /api/sessions/:id/metadata': () => ({ body: { metadata: { a: 'b' } } }),
  'POST /api/sessions/:id/kill': async () => ({ path: `/api/sessions/${await asked()}/kill` }),
  'POST /api/sessions/:id/exec': async () => ({ path: `/api/sessions/${await approved()}/exec` }),
  'PUT /api/reviews/:id': async () => ({
    path: `/api/reviews/${await asked()}`,
    body: { status: 'REJECTED' },
  }),
  'PUT /api/sessions/:id/review': async () => ({
    path: `/api/sessions/${await asked()}/review`,
    body: { status: 'REJECTED' },
  }),
  'POST /api/batches': () => ({ body: BATCH }),
  'GET /api/batches/:id': () => ({ path: `/api/batches/${sharedBatch}` }),
  'GET /api/batches/:id/diff': () => ({ path: `/api/batches/${sharedBatch}/diff` }),
  'POST /api/batches/:id/exec': async () => ({ path: `/api/batches/${await approvedBatch()}/exec` }),
  'POST /api/batches/:id/retry': async () => ({ path: `/api/batches/${await endedBatch()}/retry`, body: {} }),
  'POST /api/batches/:id/stop': async () => ({ path: `/api/batches/${await batch()}/stop` }),
  'GET /api/connections/:name': () => ({ path: '/api/connections/asked' }),
  'GET /api/agents/:name': () => ({ path: '/api/agents/far' }),
  'GET /api/runbooks/rules/:id': () => ({ path: '/api/runbooks/rules/asked' }),
  'GET /api/integrations/jira/issuetemplates/:id': () => ({
    path: '/api/integrations/jira/issuetemplates/t',
  }),
  'GET /api/users/:name': () => ({ path: '/api/users/owner' }),
  'POST /api/users': () => ({ body: { email: freshName() } }),
  'PUT /api/users/:name': async () => ({ path: `/api/users/${await user()}`, body: { groups: ['x'] } }),
  'DELETE /api/users/:name': async () => ({ path: `/api/users/${await user()}` }),
  'DELETE /api/examples': () => ({ path: '/api/examples' }),
  'POST /api/users/groups': () => ({ body: { name: freshName() } }),
  'DELETE /api/users/groups/:name': async () => {
    const name = freshName()
    await send('admin', 'POST', '/api/users/groups', { name })
    return { path: `/api/users/groups/${name}` }
  },
  'POST /api/serviceaccounts': () => ({ body: { subject: freshName() } }),
  'PUT /api/serviceaccounts/:subject': async () => ({
    path: `/api/serviceaccounts/${await user()}`,
    body: { status: 'active' },
  }),
  'GET /api/api-keys/:name': async () => ({ path: `/api/api-keys/${await user()}` }),
  'POST /api/api-keys': () => ({ body: { name: freshName() } }),
  'PUT /api/api-keys/:name': async () => ({ path: `/api/api-keys/${await user()}`, body: { groups: [] } }),
  'DELETE /api/api-keys/:name': async () => ({ path: `/api/api-keys/${await user()}` }),
  'POST /api/api-keys/:name/reactivate': async () => {
    const path = `/api/api-keys/${await user()}`
    await send('admin', 'DELETE', path)
    return { path: `${path}/reactivate` }
  },
  'POST /api/tokens': () => ({ body: { name: freshName() } }),
  'POST /api/tokens/:id/rotate': async () => ({ path: `/api/tokens/${await token()}/rotate`, body: {} }),
  'POST /api/tokens/:id/pause': async () => ({ path: `/api/tokens/${await token()}/pause` }),
  'POST /api/tokens/:id/resume': async () => ({ path: `/api/tokens/${await token()}/resume` }),
  'DELETE /api/tokens/:id': async () => ({ path: `/api/tokens/${await token()}` }),
  ...Object.fromEntries(
    [
      'GET /api/schedules/:name',
      ...['run', 'pause', 'resume'].map((word) => `POST /api/schedules/:name/${word}`),
    ].map((name) => [name, () => ({ path: name.replace(/.* /, '').replace(':name', 'nightly') })]),
  ),
  'POST /api/login/token': () => ({ body: { code: 'x', verifier: 'x' } }),
  'POST /api/login/device': () => ({ body: {} }),
  'POST /api/login/device/token': () => ({ body: { device_code: 'x' } }),
  'POST /api/webhooks/:name/test': () => ({ path: '/api/webhooks/chat/test' }),
  'POST /api/page/sign-in': () => ({ body: { token: CALLERS.owner.token } }),
  'POST /api/localauth/login': () => ({ body: { email: 'owner', password: CALLERS.owner.token } }),
}

it.each(Object.entries(OPERATIONS))('%s is for whom the table says', async (name, operation) => {
  const [method = '', route = ''] = name.split(' ')
  const outcomes: Record<string, Outcome> = {}
  const expected: Record<string, Outcome> = {}
  for (const [caller, being] of Object.entries(CALLERS)) {
    const { path, body } = (await ASKED[name]?.()) ?? {}
    const url = path ?? route.replace(':name', 'asked').replace(':id', shared)
    const named = `${path ?? ''} ${JSON.stringify(body ?? {})}`
    const isOfObject = route.includes(':') || /"(?:asked|base)"|=asked&/.test(named)
    outcomes[caller] = outcomeOf(await send(caller as Name, method, url, body))
    const outcome = outcomeFor(being, operation, isOfObject)
    expected[caller] = isForPeople(name) && kindOf(caller) === 'machine' ? notFor(outcome) : outcome
  }
  expect(outcomes).toEqual(expected)
})

/** What only people do, written down once more, on purpose: every change of users, groups and tokens. */
function isForPeople(name: string): boolean {
  return /^(?!GET).* \/api\/(?:users|serviceaccounts|api-keys|tokens)\b/.test(name)
}

function notFor(outcome: Outcome): Outcome {
  return outcome === 'answered' ? 'out of reach' : outcome
}

/** What becomes of a command line's stream: the code that it ends with. */
const STREAMS: Readonly<Record<Exclude<Name, 'the owner on the page'>, string>> = {
  nobody: 'unauthenticated',
  'a wrong token': 'unauthenticated',
  stranger: 'connection-not-found',
  owner: 'agent-offline',
  reviewer: 'connection-not-found',
  auditor: 'not-permitted',
  admin: 'agent-offline',
  'auditing-admin': 'agent-offline',
  machine: 'agent-offline',
  'machine-admin': 'agent-offline',
}

describe('the REST interface', () => {
  it.each(['machine', 'machine-admin'] as const)('lets no %s approve, by no way', async (caller) => {
    for (const way of ['reviews/:id', 'sessions/:id/review'])
      for (const more of [{}, { force_review: true }]) {
        const path = `/api/${way.replace(':id', await asked())}`
        const answer = await send(caller, 'PUT', path, { status: 'APPROVED', ...more })
        expect([answer.status, answer.body['message']]).toEqual([
          403,
          `${caller} is a machine, and only people may approve`,
        ])
      }
  })

  it('takes a HEAD as the GET that it is', async () => {
    const answers = ['nobody', 'owner', 'admin'].map((name) =>
      send(name as Name, 'HEAD', '/api/runbooks/configurations'),
    )
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([401, 403, 200])
  })

  it('does not start with a route that is in no contract', () => {
    const app = fastify()
    requireOperations(app, OPERATIONS)
    expect(() => app.get('/api/forgotten', () => '')).toThrow('GET /api/forgotten is in no contract')
    expect(() => app.delete('/api/connections', () => '')).toThrow(
      'DELETE /api/connections is in no contract',
    )
    app.get('/api/connections', () => '')
  })

  it.each(Object.entries(STREAMS))('ends the stream of %s with %s', async (caller, code) => {
    const { token }: Caller = CALLERS[caller as Name]
    const authorization = token === undefined ? '' : `Bearer ${token}`
    for (const verb of ['exec', 'connect']) {
      await using client = new ScriptedClient(gateway.gateway.grpc, {
        ...{ authorization, verb, 'connection-name': 'away' },
      })
      client.open('true')
      expect((await client.over()).metadata.get(CODE_TRAILER)).toEqual([code])
    }
  })
})

type Outcome = 'unauthenticated' | 'wrong role' | 'out of reach' | 'answered'

function outcomeFor(
  { is, onPage = false }: Caller,
  { role, scope, byCookie, isForMcp }: Operation,
  isOfObject: boolean,
): Outcome {
  const isOne = (parts: readonly Part[]) => parts.some((part) => is.includes(part))
  if (role === 'public') return 'answered'
  if (is.length === 0) return 'unauthenticated'
  // test/gateway/mcp/token.test.ts has the tokens that it is for.
  if (isForMcp === true) return onPage ? 'unauthenticated' : 'out of reach'
  if (onPage && byCookie === 'refused') return 'out of reach'
  if (!isOne(HOLDERS[role])) return 'wrong role'
  const isReached = !isOfObject || scope === undefined || scope === 'link' || isOne(REACHED[scope])
  return isReached ? 'answered' : 'out of reach'
}

/** Of refusals that say nothing about the object, but for some of hoop's. */
const REFUSALS = [
  'connection-not-found',
  'session-not-found',
  'review-not-found',
  'rule-not-found',
  'agent-not-found',
  'token-not-found',
  'jira-template-not-found',
  'schedule-not-found',
  'not-permitted',
  'not-eligible',
  'batch-refused',
  'batch-not-found',
  'user-not-found',
]

/** To whomever: of a sign-in, which is nobody's yet, in JSON and on pages for people; and of what there is none of. */
const TO_ALL = ['sign-in-expired', 'sign-in-failed', 'plugin-not-found', 'endpoint-not-found']

function outcomeOf({ status, body }: Answered): Outcome {
  const { code, message } = body
  if (status === 401) return 'unauthenticated'
  if (status === 403 && message === 'access denied') return 'wrong role'
  if (REFUSALS.includes(String(code))) return 'out of reach'
  // Of a socket, which is not asked for as one here.
  // The same for a token that is not for mcp, and so cannot be paused.
  if (status < 400 || /is a WebSocket|is not for mcp/.test(String(message)) || TO_ALL.includes(String(code)))
    return 'answered'
  throw new Error(`${status} ${String(code)} is no answer to a whole request`)
}

interface Answered {
  readonly status: number
  readonly body: Record<string, unknown>
}

async function send(caller: Name, method: string, url: string, body?: object): Promise<Answered> {
  const headers = await headersOf(CALLERS[caller])
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asking = request(new URL(url, gateway.gateway.http), { method, headers, agent: false })
    asking.once('response', resolve).once('error', reject)
    asking.end(body && JSON.stringify(body))
  })
  const { statusCode: status = 0 } = response
  const { 'content-type': type = '' } = response.headers
  if (!type.startsWith('application/json')) {
    // A stream goes on for as long as its session waits.
    response.destroy()
    return { status, body: type.startsWith('text/html') ? { code: TO_ALL[0] } : {} }
  }
  const answer = await text(response)
  const read = (answer === '' ? {} : JSON.parse(answer)) as Record<string, unknown> | null
  if (method !== 'HEAD') checkDescribed(method, url, status, read)
  return { status, body: read ?? {} }
}

async function headersOf({ token, onPage = false }: Caller): Promise<Record<string, string>> {
  if (!onPage) return token === undefined ? {} : { authorization: `Bearer ${token}` }
  const { cookie = '' } = await Browsing.signedIn(gateway.gateway.http, token ?? '')
  return { cookie, origin: gateway.gateway.http, 'x-runbook-page': '1' }
}

/** A session of the owner that waits for a reviewer. */
async function asked(): Promise<string> {
  const { body } = await send('owner', 'POST', '/api/sessions', { connection: 'asked', script: 'true' })
  return String(body['session_id'])
}

async function approved(): Promise<string> {
  const id = await asked()
  await send('reviewer', 'PUT', `/api/reviews/${id}`, { status: 'APPROVED' })
  return id
}

/** A machine of the state. */
async function user(): Promise<string> {
  const name = freshName()
  await send('admin', 'POST', '/api/users', { email: name, kind: 'machine' })
  return name
}

/** One of the owner's. */
async function token(): Promise<string> {
  const asked = { name: freshName(), user: 'owner' }
  const { body } = await send('admin', 'POST', '/api/tokens', asked)
  return String(body['id'])
}

const BATCH = { file_name: 'ops/a.runbook.sh', connections: ['asked'], parameters: { x: '1' } }

/** A batch of the owner that waits for a reviewer. */
async function batch(): Promise<string> {
  const { body } = await send('owner', 'POST', '/api/batches', BATCH)
  return String(body['id'])
}

async function approvedBatch(): Promise<string> {
  const id = await batch()
  const { body } = await send('owner', 'GET', `/api/batches/${id}`)
  const { session_id: session } = body['review'] as { session_id: string }
  await send('reviewer', 'PUT', `/api/reviews/${session}`, { status: 'APPROVED' })
  return id
}

async function endedBatch(): Promise<string> {
  const id = await batch()
  await send('owner', 'POST', `/api/batches/${id}/stop`)
  return id
}

async function link(more: string): Promise<Asking> {
  const { body } = await send('owner', 'GET', `/api/sessions/${await asked()}?extension=txt${more}`)
  return { path: String(body['download_url']) }
}
