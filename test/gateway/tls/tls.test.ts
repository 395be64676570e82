import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseKey } from '../../../src/agent/connection/identity.ts'
import { settingsOf } from '../../support/settings.ts'
import { Authority } from '../../support/network/certificates.ts'
import { fixedIdentity, RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

const authority = new Authority('test authority')
let folder: string
let gateway: RunningGateway

/** A new pair behind the links, as Kubernetes turns them. */
function issue(days = 365, more: { readonly rsaBits?: number } = {}): void {
  const next = mkdtempSync(path.join(folder, 'pair-'))
  const validTo = new Date(Date.now() + days * 86_400_000)
  const issued = authority.issue({ names: ['127.0.0.1'], validTo, ...more })
  writeFileSync(path.join(next, 'tls.crt'), issued.certificate)
  writeFileSync(path.join(next, 'tls.key'), issued.key)
  symlinkSync(next, path.join(folder, 'next'))
  renameSync(path.join(folder, 'next'), path.join(folder, 'now'))
}

const files = () => ({
  certificate: path.join(folder, 'now', 'tls.crt'),
  key: path.join(folder, 'now', 'tls.key'),
})

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tls-'))
  issue()
  gateway = await RunningGateway.start({}, { tls: files() })
})
afterEach(async () => {
  await gateway[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

async function ask(method: string, url: string, body?: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${userToken}`, 'content-type': 'application/json' }
  const options = { method, headers, ca: authority.certificate, agent: false }
  const request = https.request(`${gateway.gateway.http}${url}`, options)
  request.end(body && JSON.stringify(body))
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
  return JSON.parse(await text(response)) as Record<string, unknown>
}

/** By which a connection is served that begins now. */
async function served(url: string, options: tls.ConnectionOptions = {}): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = tls.connect({ host: hostname, port: Number(port), ca: authority.certificate, ...options })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

async function agentOf(): Promise<RunningAgent> {
  const key = parseKey(gateway.agentUrl, 'HOOP_KEY', { authorities: [authority.certificate] })
  const agent = await RunningAgent.start(gateway.agentUrl, { identities: fixedIdentity(key) })
  await agent.serving()
  return agent
}

describe('a gateway with TLS', () => {
  it('serves agents and REST, and says so in its addresses', async () => {
    await using agent = await agentOf()
    expect(agent.agent.state.name).toBe('serving')
    const ran = await ask('POST', '/api/sessions', { connection: 'bash', script: 'echo over TLS' })
    expect(ran['output']).toBe('over TLS\n')
    const { api_url: api, grpc_url: grpc } = await ask('GET', '/api/serverinfo')
    expect([api, grpc]).toEqual([gateway.gateway.http, gateway.gateway.grpc])
    expect([String(api).slice(0, 8), String(grpc).slice(0, 8)]).toEqual(['https://', 'grpcs://'])
  })

  it('takes nothing older than TLS 1.2', async () => {
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await expect(served(gateway.gateway.http, old)).rejects.toThrow(/alert protocol version/)
    await expect(served(gateway.gateway.grpc, old)).rejects.toThrow(/alert protocol version/)
  })

  it('serves a new certificate at once, and what runs goes on', async () => {
    await using agent = await agentOf()
    const running = ask('POST', '/api/sessions', {
      connection: 'bash',
      script: `until [ -e '${folder}/end' ]; do sleep 0.1; done; exit 7`,
    })
    const before = await served(gateway.gateway.http)
    expect(await served(gateway.gateway.grpc)).toBe(before)
    const seen = new Set([before])
    for (let turn = 0; turn < 20; turn++) {
      issue()
      await gateway.gateway.reload()
      const now = await served(gateway.gateway.http)
      expect(await served(gateway.gateway.grpc)).toBe(now)
      seen.add(now)
      const ran = await ask('POST', '/api/sessions', { connection: 'bash', script: `echo ${turn}` })
      expect(ran['output']).toBe(`${turn}\n`)
    }
    expect(seen.size).toBe(21)
    writeFileSync(path.join(folder, 'end'), '')
    expect((await running)['exit_code']).toBe(7)
    expect(agent.log.filter((line) => /disconnected|connection lost/.test(line))).toEqual([])
  })

  it('finds a new certificate by itself', async () => {
    const before = await served(gateway.gateway.http)
    issue()
    await waitFor(async () => (await served(gateway.gateway.http)) !== before)
    expect(gateway.log.filter((line) => line.startsWith('certificate renewed'))).toHaveLength(1)
  })

  it('keeps the old one while the new pair is broken, and says so', async () => {
    const before = await served(gateway.gateway.http)
    const { key } = authority.issue({ names: ['127.0.0.1'] })
    writeFileSync(path.join(folder, 'now', 'tls.key'), key)
    await expect(gateway.gateway.reload()).rejects.toThrow(
      /gateway\.yaml:2:\d+ listen\.tls: .* is not the key of/,
    )
    await waitFor(async () => 'warning' in (await ask('GET', '/readyz')))
    const { status, warning } = await ask('GET', '/readyz')
    expect([status, warning]).toEqual([
      'ready',
      expect.stringMatching(
        /^cannot use the new certificate, so the old certificate stays in use: .*tls\.key is not the key/,
      ),
    ])
    expect(await served(gateway.gateway.http)).toBe(before)
    issue()
    await gateway.gateway.reload()
    expect(await ask('GET', '/readyz')).toEqual({ status: 'ready' })
  })

  it('keeps the old one for a pair that belongs together and that no server can use', async () => {
    const before = await served(gateway.gateway.http)
    issue(365, { rsaBits: 512 })
    await expect(gateway.gateway.reload()).rejects.toThrow(
      /listen\.tls: .*tls\.crt with its key: .* key too small/,
    )
    await waitFor(async () => 'warning' in (await ask('GET', '/readyz')))
    expect(await served(gateway.gateway.http)).toBe(before)
    expect(await served(gateway.gateway.grpc)).toBe(before)
  })

  it('warns two weeks before the end', async () => {
    issue(13)
    await gateway.gateway.reload()
    expect((await ask('GET', '/readyz'))['warning']).toMatch(/^the certificate of listen\.tls expires at 20/)
  })

  it('may listen on other addresses than the loopback; without TLS it may not', () => {
    const parse = (more: string) => settingsOf(`listen: { http: 0.0.0.0:0, grpc: 0.0.0.0:0${more} }`)
    expect(parse(`, tls: ${JSON.stringify(files())}`).listen.tls).toEqual(files())
    expect(() => parse('')).toThrow(
      /without TLS other machines could read the tokens sent here; set listen\.tls, use a loopback address/,
    )
  })
})
