import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { otherToken, RunningGateway } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

// What hoop's command line asks by REST, as it asks: every request says that it brings JSON, most bring nothing.

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  const connections = `
  - { name: admins, agent: local, command: [bash], access: { groups: [admin] } }`
  gateway = await RunningGateway.start({}, { connections, limits: '{ body: 64KiB }' })
  agent = await RunningAgent.start(gateway.agentUrl, {})
  await agent.serving()
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const JSON_TYPE = { 'content-type': 'application/json', 'user-agent': 'hoopcli/1.0' }
const ask = (method: string, url: string, headers: Record<string, string> = {}) =>
  gateway.request(method, url, undefined, { ...JSON_TYPE, ...headers })

describe('a request that says JSON and brings none', () => {
  it('kills a session: 204 while it runs and afterwards, 404 for an unknown one', async () => {
    const running = gateway.script('sleep 1000')
    await waitFor(() => agent.services.slots.taken > 0)
    const { body } = await ask('GET', '/api/sessions?limit=1&count=capped')
    const [{ id } = { id: '' }] = body['data'] as { id: string }[]
    expect((await ask('POST', `/api/sessions/${id}/kill`)).status).toBe(204)
    expect((await running).body['output']).toContain('session killed by the user')
    expect((await ask('POST', `/api/sessions/${id}/kill`)).status).toBe(204)
    expect((await ask('POST', '/api/sessions/nope/kill')).status).toBe(404)
  })

  it.each([
    ['a form', 'a=b', 'application/x-www-form-urlencoded'],
    ['broken JSON', '{"a":', 'application/json'],
    ['more than any body may have', 'x'.repeat(100_000), 'application/octet-stream'],
  ])('and one that brings %s where nothing is read', async (_, body, type) => {
    const answer = await gateway.request('POST', '/api/sessions/nope/kill', body, { 'content-type': type })
    expect(answer).toEqual({ status: 404, body: { message: 'session not found', code: 'session-not-found' } })
  })

  it.each(['/api/agents/x', '/api/connections/x', '/api/sessions/x'])(
    'is told that there is no DELETE %s',
    async (url) => {
      const message = `no such endpoint: DELETE ${url}`
      expect(await ask('DELETE', url)).toEqual({ status: 404, body: { message, code: 'endpoint-not-found' } })
    },
  )

  it.each(['/api/sessions', '/api/runbooks/exec', '/api/plugins/runbooks/connections/bash/exec'])(
    'is told that POST %s needs a body',
    async (url) => {
      const body = { message: 'request body: is required', code: 'invalid-request' }
      expect(await ask('POST', url)).toEqual({ status: 400, body })
    },
  )
})

describe('hoop login', () => {
  const signIn = (body: unknown) =>
    fetch(`${gateway.gateway.http}/api/localauth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(body),
    })

  it('learns without a token how one signs in', async () => {
    expect(await ask('GET', '/api/publicserverinfo', { authorization: '' })).toEqual({
      status: 200,
      body: { auth_method: 'local', setup_required: false },
    })
  })

  it('gets the token back that the user has typed as his password, and the address of the streams with it', async () => {
    const answer = await signIn({ email: 'other', password: otherToken })
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }])
    const token = answer.headers.get('token') ?? ''
    const { body } = await ask('GET', '/api/serverinfo', { authorization: `Bearer ${token}` })
    expect(body['grpc_url']).toBe(gateway.gateway.grpc)
  })

  it('gets a token, as all that needs one, in an answer that no cache keeps and no browser takes for a page', async () => {
    const { http } = gateway.gateway
    const headers = { 'api-key': otherToken, connection: 'close' }
    for (const answer of [
      await signIn({ email: 'other', password: otherToken }),
      await fetch(`${http}/api/sessions`, { headers }),
      await fetch(`${http}/api/sessions/none/result/stream`, { headers }),
      await fetch(`${http}/api/none`, { headers }),
    ]) {
      await answer.text()
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  it('is refused with one text, whatever is wrong', async () => {
    for (const wrong of [
      { email: 'admin', password: otherToken },
      { email: 'nobody', password: otherToken },
      { email: 'other', password: 'no' },
    ]) {
      const answer = await signIn(wrong)
      expect([answer.status, await answer.json()]).toEqual([
        401,
        { message: 'invalid credentials', code: 'unauthenticated' },
      ])
      expect(answer.headers.get('token')).toBeNull()
    }
    const small = await signIn({ email: 'other' })
    expect([small.status, await small.json()]).toEqual([
      400,
      { message: 'password: is required', code: 'invalid-request' },
    ])
    expect((await signIn({ email: 'x'.repeat(10_000), password: 'x' })).status).toBe(413)
  })
})

describe('hoop list and describe', () => {
  it('find the agents of the connections that the user may see, and no plugins', async () => {
    const local = {
      id: 'local',
      name: 'local',
      token: '',
      mode: 'standard',
      status: 'CONNECTED',
      metadata: expect.objectContaining({ platform: expect.any(String) as string }) as object,
    }
    expect((await ask('GET', '/api/agents')).body).toMatchObject([local])
    expect((await ask('GET', '/api/plugins')).body).toEqual([])
    const asOther = { authorization: `Bearer ${otherToken}` }
    expect((await ask('GET', '/api/connections/admins', asOther)).status).toBe(404)
    expect((await ask('GET', '/api/agents', asOther)).body).toMatchObject([local])
  })
})

it('hoop roles finds each connection as its own resource, and by it', async () => {
  const names = async (query: string) => {
    const roles = (await ask('GET', `/api/connections${query}`)).body as unknown as {
      readonly name: string
      readonly resource_name: string
    }[]
    return roles.map(({ name, resource_name: resource }) => [name, resource])
  }
  expect(await names('')).toEqual([
    ['bash', 'bash'],
    ['admins', 'admins'],
  ])
  expect(await names('?resource_name=admins')).toEqual([['admins', 'admins']])
})
