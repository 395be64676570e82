import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Authority } from '../../../support/network/certificates.ts'
import { RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { found } from '../../../support/wait.ts'

// The page of a gateway that speaks TLS itself.

const authority = new Authority('test authority')
let folder: string
let gateway: RunningGateway
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tls-'))
  const { certificate, key } = authority.issue({
    names: ['127.0.0.1'],
    validTo: new Date(Date.now() + 86_400_000),
  })
  const files = { certificate: path.join(folder, 'tls.crt'), key: path.join(folder, 'tls.key') }
  writeFileSync(files.certificate, certificate)
  writeFileSync(files.key, key)
  gateway = await RunningGateway.start({}, { tls: files, limits: '{ agent-wait: 100ms }' })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

async function post(url: string, body: object, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', ca: authority.certificate, agent: false, headers }
    const asking = https.request(new URL(url, gateway.gateway.http), options, resolve)
    asking.once('error', reject).end(JSON.stringify(body))
  })
}

describe('a gateway with TLS', () => {
  it('sends the cookie by TLS alone, and opens a terminal by it', async () => {
    const origin = gateway.gateway.http
    const answer = await post('/api/page/sign-in', { token: userToken }, { origin })
    expect(answer.statusCode).toBe(200)
    await text(answer)
    const [cookie = ''] = answer.headers['set-cookie'] ?? []
    expect(cookie).toContain('; Secure')
    const url = `${origin.replace('https', 'wss')}/api/connections/bash/terminal`
    const headers = { origin, cookie: cookie.split(';')[0] ?? '' }
    const socket = new WebSocket(url, { ca: authority.certificate, headers })
    let last: string | undefined
    socket.on('message', (data: Buffer) => (last = data.toString()))
    try {
      // No agent is there: the way to the reason is what is looked at.
      expect(await found(() => last)).toContain('"code":"agent-offline"')
    } finally {
      socket.terminate()
    }
  })

  it('passes over the offer of another protocol by TLS, too', async () => {
    const headers = {
      authorization: `Bearer ${userToken}`,
      connection: 'Upgrade, HTTP2-Settings, close',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABk',
    }
    const answer = await post('/api/tokens', { name: 'by-tls' }, headers)
    expect([answer.statusCode, await text(answer)]).toEqual([201, expect.stringContaining('by-tls')])
  })
})
