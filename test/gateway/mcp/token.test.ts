import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { OPERATIONS } from '../../../src/gateway/rest/resources.ts'
import { EXEC_STREAM, FRAMED_PACKETS } from '../../../src/wire/framed-packets.ts'
import { ScriptedClient } from '../../support/scripted/scripted-client.ts'
import { userToken } from '../../support/sites/running-gateway.ts'
import { MachineSite } from './machine.ts'

const USERS = `
  - { name: plain, kind: machine, groups: [triage, admin], token: token-of-plain-0123456789 }`

let site: MachineSite
beforeAll(async () => {
  site = await MachineSite.start({ users: USERS, withAgent: false })
  await site.tools()
})
afterAll(() => site[Symbol.asyncDispose]())

describe('a token for mcp', () => {
  it('is refused by every operation of the contracts except /mcp, in each way to send it', async () => {
    const refused: string[] = []
    const headers = [{ authorization: `Bearer ${site.token}` }, { 'api-key': site.token }]
    for (const [route, { role }] of Object.entries(OPERATIONS)) {
      const [method = '', path = ''] = route.split(' ')
      if (role === 'public' || path === '/mcp') continue
      const url = path.replaceAll(/:\w+/g, 'x')
      for (const by of headers) {
        const status = await statusOf(method, url, by)
        if (status !== 403) refused.push(`${route}: ${status}`)
      }
    }
    expect(refused).toEqual([])
    expect(Object.keys(OPERATIONS).length).toBeGreaterThan(100)
  })

  it('opens no public operation that would make a sign-in of it', async () => {
    const local = { method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' } }
    const base = site.gateway.gateway.http
    const page = { ...local.headers, 'sec-fetch-site': 'same-origin', origin: base, 'x-runbook-page': '1' }
    const signIns = [
      fetch(`${base}/api/localauth/login`, {
        ...local,
        body: JSON.stringify({ email: 'bot', password: site.token }),
      }),
      fetch(`${base}/api/page/sign-in`, {
        method: 'POST',
        headers: page,
        body: JSON.stringify({ token: site.token }),
      }),
    ]
    for (const response of await Promise.all(signIns)) {
      expect([403, 404]).toContain(response.status)
      expect(response.headers.get('set-cookie')).toBeNull()
      await response.text()
    }
  })

  it('is refused for paths that do not exist, and as a cookie', async () => {
    expect(await statusOf('GET', '/api/nothing', { authorization: `Bearer ${site.token}` })).toBe(403)
    const port = new URL(site.gateway.gateway.http).port
    const cookie = { cookie: `runbook_sign_in_${port}=${site.token}`, 'sec-fetch-site': 'same-origin' }
    expect(await statusOf('GET', '/api/sessions', cookie)).toBe(401)
  })

  it('opens no socket and no stream of the page', async () => {
    const url = `${site.gateway.gateway.http.replace('http', 'ws')}/api/connections/bash/terminal`
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${site.token}` } })
    const told = await new Promise<string>((resolve) => {
      socket.on('message', (data: Buffer) => resolve(data.toString()))
      socket.on('error', (error) => resolve(error.message))
      socket.on('unexpected-response', (_, response) => resolve(`status ${response.statusCode ?? 0}`))
    })
    socket.terminate()
    expect(told).toMatch(/only for \/mcp|status 40[134]/)
    expect(told).not.toContain('opened')
  })

  it('opens no gRPC stream of a command line, for either verb', async () => {
    for (const verb of ['exec', 'connect']) {
      const authorization = `Bearer ${site.token}`
      await using client = new ScriptedClient(site.gateway.gateway.grpc, {
        authorization,
        'connection-name': 'bash',
        verb,
      })
      const { code, details } = await client.over()
      expect([code, details]).toEqual([9, expect.stringContaining('only for /mcp')])
    }
  })

  it('opens no upgraded connection of a command line', async () => {
    const at = new URL(site.gateway.gateway.http)
    const headers = { connection: 'Upgrade', upgrade: FRAMED_PACKETS, authorization: `Bearer ${site.token}` }
    const sent = request({
      host: at.hostname,
      port: at.port,
      path: EXEC_STREAM,
      headers: { ...headers, 'connection-name': 'bash' },
    })
    sent.end()
    const told = await new Promise<string>((resolve, reject) => {
      sent.on('error', reject)
      sent.on('upgrade', (_, socket, head) => {
        const pieces: Buffer[] = [Buffer.from(head)]
        socket.on('data', (piece: Buffer) => void pieces.push(Buffer.from(piece)))
        socket.on('close', () => resolve(Buffer.concat(pieces).toString()))
        socket.on('end', () => socket.end())
      })
    })
    expect(told).toContain('only for /mcp')
    expect(told).not.toContain('ClientSessionOpenOK')
  })

  it('is the only token that /mcp accepts', async () => {
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
    const by = async (token: string) => {
      const response = await site.post(ping, { authorization: `Bearer ${token}` })
      return { status: response.status, body: (await response.json()) as object }
    }
    expect(await by(userToken)).toMatchObject({ status: 403, body: { code: 'not-permitted' } })
    expect((await by('token-of-plain-0123456789')).status).toBe(403)
    expect((await by('rba_no-such-token-0123456789')).status).toBe(401)
    expect(await by(site.token)).toMatchObject({ status: 200, body: { result: {} } })
    const response = await site.post(ping, { authorization: '', 'api-key': '' })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBeNull()
    await response.text()
  })

  it('belongs to a machine, and stays what it is when it is rotated', async () => {
    const made = await site.gateway.request('POST', '/api/tokens', {
      name: 'mine',
      user: 'other',
      for: 'mcp',
    })
    expect(made).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
    const { body } = await site.gateway.request('POST', '/api/tokens', {
      name: 'turns',
      user: 'bot',
      for: 'mcp',
    })
    const rotated = await site.gateway.request('POST', `/api/tokens/${String(body['id'])}/rotate`, {
      overlap: 0,
    })
    expect(rotated).toMatchObject({ status: 201, body: { for: 'mcp' } })
    const bearer = { authorization: `Bearer ${String(rotated.body['token'])}` }
    expect(await statusOf('GET', '/api/sessions', bearer)).toBe(403)
    expect(await statusOf('GET', '/mcp', bearer)).toBe(405)
  })

  it('cannot be rotated out of a pause, and only a person resumes it', async () => {
    const { body } = await site.gateway.request('POST', '/api/tokens', {
      name: 'paused',
      user: 'bot',
      for: 'mcp',
    })
    const place = `/api/tokens/${String(body['id'])}`
    expect(await site.gateway.request('POST', `${place}/pause`)).toMatchObject({
      status: 200,
      body: { paused_by: 'admin', for: 'mcp' },
    })
    expect((await site.gateway.request('POST', `${place}/rotate`, {})).status).toBe(409)
    const machine = { authorization: 'Bearer token-of-plain-0123456789' }
    expect((await site.gateway.request('POST', `${place}/resume`, undefined, machine)).status).toBe(403)
    const resumed = await site.gateway.request('POST', `${place}/resume`)
    expect(resumed.status).toBe(200)
    expect(resumed.body).not.toHaveProperty('paused_at')
  })
})

/** Sends no body and reads none: a stream would not end. */
async function statusOf(method: string, url: string, headers: Record<string, string>): Promise<number> {
  const at = new URL(site.gateway.gateway.http)
  const sent = request({
    host: at.hostname,
    port: at.port,
    method,
    path: url,
    headers: { ...headers, connection: 'close' },
  })
  sent.end()
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve)
    sent.on('error', reject)
  })
  const { statusCode = 0 } = response
  if (String(response.headers['content-type']).startsWith('text/event-stream')) response.destroy()
  else await text(response).catch(() => '')
  return statusCode
}
