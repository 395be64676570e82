import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseKey } from '../../../src/agent/connection/identity.ts'
import { Secret } from '../../../src/basics/secret.ts'
import { isFor } from '../../../src/gateway/agents/transport.ts'
import { channelOptions, TransportClient } from '../../../src/wire/service.ts'
import { Authority, years, type Issued } from '../../support/network/certificates.ts'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway, userToken } from '../../support/sites/running-gateway.ts'
import { waitFor } from '../../support/wait.ts'

const servers = new Authority('servers')
const agents = new Authority('agents')
const AGENT = 'local'

let folder: string
let gateway: RunningGateway

const files = () => ({
  certificate: path.join(folder, 'tls.crt'),
  key: path.join(folder, 'tls.key'),
  'agent-ca': path.join(folder, 'agent-ca.pem'),
})

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mtls-'))
  const issued = servers.issue({ names: ['127.0.0.1'] })
  writeFileSync(files().certificate, issued.certificate)
  writeFileSync(files().key, issued.key)
  writeFileSync(files()['agent-ca'], agents.certificate)
  gateway = await RunningGateway.start({}, { tls: files() })
})
afterEach(async () => {
  await gateway[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

/** An agent that presents what `client` says at each attempt. */
function agentWith(client: () => Issued | undefined, key = gateway.agentUrl): Promise<RunningAgent> {
  const identity = () => {
    const issued = client()
    return parseKey(key, 'HOOP_KEY', {
      authorities: [servers.certificate],
      ...(issued && { client: { certificate: issued.certificate, key: new Secret(issued.key) } }),
    })
  }
  return RunningAgent.start(key, {
    identities: {
      get current() {
        return identity()
      },
      refresh: identity,
      isRenewed: () => false,
    },
  })
}

/** Why the gateway does not take it. */
async function refusal(client: Issued | undefined, key?: string): Promise<string> {
  await using agent = await agentWith(() => client, key)
  await waitFor(() => agent.agent.state.name === 'refused')
  const { state } = agent.agent
  return 'reason' in state ? state.reason : ''
}

async function script(line: string): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${userToken}`, 'content-type': 'application/json' }
  const options = { method: 'POST', headers, ca: servers.certificate, agent: false }
  const request = https.request(`${gateway.gateway.http}/api/sessions`, options)
  request.end(JSON.stringify({ connection: 'bash', script: line }))
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
  return JSON.parse(await text(response)) as Record<string, unknown>
}

const good = () => agents.issue({ names: [AGENT] })

const NONE = /^the gateway refuses this agent: this gateway requires a certificate from its agents/

describe('a gateway that demands certificates of its agents', () => {
  it('serves one whose certificate is in order, and people, who have none', async () => {
    await using agent = await agentWith(good)
    await agent.serving()
    expect((await script('echo both ways'))['output']).toBe('both ways\n')
    expect(await streamOfPerson()).toBe('connection not found')
  })

  it.each([
    ['has none', () => undefined],
    ['has one of another authority', () => new Authority('others').issue({ names: [AGENT] })],
    ['has one that has ended', () => agents.issue({ names: [AGENT], validTo: new Date(Date.now() - 1000) })],
    ['has one that has not begun', () => agents.issue({ names: [AGENT], validFrom: years(1) })],
  ])('refuses one that %s, whatever its key', async (_, client) => {
    expect(await refusal(client())).toMatch(NONE)
    const wrong = gateway.agentUrl.replace(/:xagt-[^@]*@/, ':xagt-a-wrong-key-0123456789@')
    expect(await refusal(client(), wrong)).toMatch(NONE)
    // The second one is counted.
    expect(
      gateway.log.filter((line) => line.startsWith('agent refused because of its certificate')),
    ).toHaveLength(1)
  })

  it('refuses one whose certificate has ended since TLS checked it, as on a resumed connection', async () => {
    const hour = 60 * 60 * 1000
    const client = agents.issue({ names: [AGENT], validTo: new Date(Date.now() + hour) })
    // OpenSSL has a clock of its own, and accepts the certificate.
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 2 * hour)
    expect(await refusal(client).finally(() => clock.mockRestore())).toMatch(NONE)
  })

  it('lets nobody in by an authority that only has the name of one', async () => {
    const client = new Authority('agents').issue({ names: [AGENT] })
    await using agent = await agentWith(() => client)
    // Node ends the connection itself when it finds the signature to be wrong.
    await waitFor(() => agent.log.filter((line) => line.startsWith('agent waiting')).length > 1)
    expect(gateway.gateway.agents.isOnline(AGENT)).toBe(false)
  })

  it("refuses another agent's certificate, also one for any name", async () => {
    const said = /^the gateway refuses this agent: the certificate in tls\.cert belongs to another agent/
    expect(await refusal(agents.issue({ names: ['other'] }))).toMatch(said)
    expect(await refusal(agents.issue({ names: ['*'] }))).toMatch(said)
    expect(await refusal(agents.issue({ names: ['LOCAL', 'Local'] }))).toMatch(said)
  })

  it.each([
    ['in another case', ['LOCAL'], false],
    ['as one of several', ['x', 'LOCAL', AGENT], true],
    ['as the common name alone', [AGENT, 'x'], true],
    ['by a wildcard', ['*', 'l*', '*.local', 'loca?'], false],
    [
      'with something behind it',
      [`${AGENT}.`, `${AGENT} `, `${AGENT}\0.evil.test`, `${AGENT}.evil.test`],
      false,
    ],
    [
      'within another name',
      [`x, DNS:${AGENT}, y`, `x\nDNS:${AGENT}`, `x/CN=${AGENT}`, `"DNS:${AGENT}"`],
      false,
    ],
    ['in letters that look like it', ['l\u043Ecal', '\uFF4Cocal', 'lo\u200Bcal'], false],
    ['empty', ['', ' '], false],
  ])('knows the name of an agent %s', (_, names, isRight) => {
    const certificate = new X509Certificate(agents.issue({ names }).certificate)
    expect(isFor(certificate, AGENT)).toBe(isRight)
  })

  it('takes the certificate for nothing more than it is: the key has to be right, too', async () => {
    const wrong = gateway.agentUrl.replace(/:xagt-[^@]*@/, ':xagt-a-wrong-key-0123456789@')
    expect(await refusal(good(), wrong)).toMatch(/^the gateway refuses this key: invalid authentication\./)
  })

  it('takes new authorities while sessions run, and lets the old ones go', async () => {
    const next = new Authority('agents, next year')
    let certificate = good()
    const agent = await agentWith(() => certificate)
    await agent.serving()
    const running = script(`until [ -e '${folder}/end' ]; do sleep 0.1; done; exit 7`)
    const renew = async (...authorities: Authority[]) => {
      writeFileSync(files()['agent-ca'], authorities.map((one) => one.certificate).join(''))
      await gateway.gateway.reload()
    }
    for (let turn = 0; turn < 10; turn++) {
      await renew(agents, next)
      expect((await script(`echo ${turn}`))['output']).toBe(`${turn}\n`)
      await renew(...(turn % 2 === 0 ? [next] : [next, agents]))
    }
    await renew(next)
    // What is open goes on; who comes from now on needs one of the new authority.
    writeFileSync(path.join(folder, 'end'), '')
    expect((await running)['exit_code']).toBe(7)
    const old = certificate
    certificate = next.issue({ names: [AGENT] })
    await agent[Symbol.asyncDispose]()
    await waitFor(() => !gateway.gateway.agents.isOnline(AGENT))
    expect(await refusal(old)).toMatch(NONE)
    await using again = await agentWith(() => certificate)
    await again.serving()
    expect((await script('echo again'))['output']).toBe('again\n')
  })

  it('finds new authorities by itself, and keeps the old ones for a file that it cannot use', async () => {
    writeFileSync(files()['agent-ca'], 'no certificate')
    await expect(gateway.gateway.reload()).rejects.toThrow(/listen\.tls: .*agent-ca\.pem/)
    const agent = await agentWith(good)
    await agent.serving()
    const next = new Authority('next')
    writeFileSync(files()['agent-ca'], next.certificate)
    await waitFor(() => gateway.log.some((line) => line.startsWith('certificate renewed')))
    await agent[Symbol.asyncDispose]()
    expect(await refusal(good())).toMatch(NONE)
  })

  it('demands them from its start to its end: a reload says what the next start will change', async () => {
    const { 'agent-ca': _, ...plain } = files()
    expect(_).toBeTypeOf('string')
    gateway.configure({ tls: plain })
    const { restart } = await gateway.gateway.reload()
    expect(restart).toEqual(
      ['listen.tls', 'listen.http', 'listen.grpc'].filter((one) => one === 'listen.tls'),
    )
    expect(await refusal(undefined)).toMatch(NONE)
  })
})

/** By a command line without a certificate. */
async function streamOfPerson(): Promise<string> {
  const client = new TransportClient(
    gateway.gateway.grpc.replace('grpcs://', ''),
    credentials.createSsl(Buffer.from(servers.certificate)),
    channelOptions,
  )
  const metadata = new Metadata()
  const values = {
    origin: 'client',
    authorization: `Bearer ${userToken}`,
    verb: 'exec',
    'connection-name': 'no',
  }
  for (const [name, value] of Object.entries(values)) metadata.set(name, value)
  const call = client.Connect(metadata)
  const [error] = (await once(call, 'error')) as [ServiceError]
  client.close()
  return error.details
}
