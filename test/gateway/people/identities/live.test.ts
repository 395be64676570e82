import { expect, it } from 'vitest'
import { CODE_TRAILER } from '../../../../src/wire/gateway-codes.ts'
import { ScriptedClient } from '../../../support/scripted/scripted-client.ts'
import { RunningGateway } from '../../../support/sites/running-gateway.ts'
import { waitFor } from '../../../support/wait.ts'

// What is being served ends with the token by which it was asked for.

const CONNECTIONS = `
  - { name: away, agent: local, command: [bash] }
  - { name: asked, agent: local, command: [bash], review: { groups: [admin] } }`

interface Holder {
  readonly gateway: RunningGateway
  readonly token: string
  readonly id: string
}

async function holder(gateway: RunningGateway, expiresIn?: number): Promise<Holder> {
  const asked = { name: 'held', user: 'other', ...(expiresIn !== undefined && { expires_in: expiresIn }) }
  const { body } = await gateway.request('POST', '/api/tokens', asked)
  return { gateway, token: String(body['token']), id: String(body['id']) }
}

const as = ({ token }: Holder) => ({ authorization: `Bearer ${token}` })

/** An SSE stream of a session that waits, read until it is cut off. */
async function follow(held: Holder): Promise<{ over: Promise<string> }> {
  const { body } = await held.gateway.request(
    'POST',
    '/api/sessions',
    { connection: 'asked', script: 'true' },
    as(held),
  )
  const url = `${held.gateway.gateway.http}/api/sessions/${String(body['session_id'])}/stream`
  const response = await fetch(url, { headers: as(held) })
  expect(response.status).toBe(200)
  return {
    over: response.text().then(
      () => 'ended',
      () => 'cut off',
    ),
  }
}

/** An execution that waits for an agent that does not come. */
async function execute(held: Holder): Promise<{ over: Promise<string> }> {
  const asked = held.gateway.request(
    'POST',
    '/api/sessions',
    { connection: 'away', script: 'true' },
    as(held),
  )
  await waitFor(() => held.gateway.log.some((line) => line.startsWith('session started')))
  return { over: asked.then(({ status, body }) => `${status} ${String(body['code'])}`) }
}

/** The stream of a command line whose session waits for an agent. */
async function connect(held: Holder): Promise<{ over: Promise<string> }> {
  const client = new ScriptedClient(held.gateway.gateway.grpc, {
    ...{ ...as(held), verb: 'connect', 'connection-name': 'away' },
  })
  client.open('')
  await waitFor(() => held.gateway.log.some((line) => line.startsWith('session started')))
  const over = client.over().then(async ({ metadata }) => {
    await client[Symbol.asyncDispose]()
    return String(metadata.get(CODE_TRAILER)[0])
  })
  return { over }
}

const USES = { 'a follower': follow, 'a request that waits': execute, 'a terminal': connect }
const OUTCOMES = {
  'a follower': 'cut off',
  'a request that waits': '401 token-ended',
  'a terminal': 'token-ended',
}

it.each(Object.keys(USES) as (keyof typeof USES)[])('%s ends when its token is revoked', async (use) => {
  await using gateway = await RunningGateway.start({}, { connections: CONNECTIONS })
  const held = await holder(gateway)
  const { over } = await USES[use](held)
  await gateway.request('DELETE', `/api/tokens/${held.id}`)
  expect(await over).toBe(OUTCOMES[use])
})

it('a request ends when gateway.yaml has another text for its token', async () => {
  const settings = (token: string) => ({
    users: `\n  - { name: cid, token: ${token} }`,
    connections: CONNECTIONS,
  })
  const token = 'token-of-cid-that-leaked'
  await using gateway = await RunningGateway.start({}, settings(token))
  const { over } = await execute({ gateway, token, id: '' })
  gateway.configure(settings('token-of-cid-from-now-on'))
  expect((await gateway.request('POST', '/api/reload')).status).toBe(200)
  expect(await over).toBe('401 token-ended')
})

it('a request ends when its token expires', async () => {
  await using gateway = await RunningGateway.start({}, { connections: CONNECTIONS })
  const { over } = await execute(await holder(gateway, 2))
  expect(await over).toBe('401 token-ended')
})

it('all that a user of the state has ends when it is deactivated, and nothing of others', async () => {
  await using gateway = await RunningGateway.start({}, { connections: CONNECTIONS })
  await gateway.request('POST', '/api/users', { email: 'ann@example.test', groups: ['dba'] })
  const made = await gateway.request('POST', '/api/tokens', { name: 'x', user: 'ann@example.test' })
  const ann = { gateway, token: String(made.body['token']), id: String(made.body['id']) }
  const [first, second] = [await follow(ann), await follow(await holder(gateway))]
  await gateway.request('PUT', '/api/users/ann@example.test', { status: 'inactive' })
  expect(await first.over).toBe('cut off')
  expect(await gateway.request('GET', '/api/userinfo', undefined, as(ann))).toMatchObject({
    status: 401,
    body: { message: 'access denied: the user was deactivated' },
  })
  const stillReads = Symbol('still reads')
  expect(await Promise.race([second.over, Promise.resolve(stillReads)])).toBe(stillReads)
  await gateway.request('PUT', '/api/users/ann@example.test', { status: 'active' })
  expect(await gateway.request('GET', '/api/userinfo', undefined, as(ann))).toMatchObject({ status: 200 })
})
