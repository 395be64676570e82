import { createServer as createTlsServer } from 'node:tls'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { parseKey } from '../../src/agent/connection/identity.ts'
import type { TlsOptions } from '../../src/dial/tls.ts'
import { Secret } from '../../src/basics/secret.ts'
import { own } from '../support/owned.ts'
import { Authority, years, type Issued } from '../support/network/certificates.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { fixedIdentity, RunningAgent } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { serverCredentials } from '../support/network/tls.ts'
import { found } from '../support/wait.ts'

const authority = new Authority('test authority')
const stranger = new Authority('another authority')
const ours = authority.issue({ names: ['127.0.0.1', 'gateway.test'] })
const trusting: TlsOptions = { authorities: [authority.certificate] }

async function agentFor(port: number, tls: TlsOptions, scheme = 'grpcs'): Promise<RunningAgent> {
  const key = `${scheme}://testagent:xagt-0123456789@127.0.0.1:${port}?mode=standard`
  const identities = fixedIdentity(parseKey(key, 'HOOP_KEY', tls))
  return own(await RunningAgent.start(key, { identities, life: { timing: quickTiming } }))
}

async function serves(issued: Issued, tls: TlsOptions, clientAuthority?: string): Promise<void> {
  const credentials = serverCredentials(issued, clientAuthority)
  const gateway = own(await ScriptedGateway.start({ credentials }))
  const agent = await agentFor(gateway.port, tls)
  await agent.serving()
}

/** Why the agent waits, without the port. */
async function refusal(issued: Issued, tls: TlsOptions): Promise<string> {
  const credentials = serverCredentials(issued)
  const gateway = own(await ScriptedGateway.start({ credentials }))
  return reasonOf(await agentFor(gateway.port, tls))
}

async function reasonOf({ agent }: RunningAgent): Promise<string> {
  const reason = await found(() => ('reason' in agent.state ? agent.state.reason : undefined))
  return reason.replaceAll(/127\.0\.0\.1:\d+/g, 'GATEWAY')
}

describe('a gateway with TLS', () => {
  it('is served when its certificate is signed by an authority that the agent is told of', async () => {
    await serves(ours, trusting)
  })

  it('is served under a name other than its address, when that name is given', async () => {
    const issued = authority.issue({ names: ['gateway.test'] })
    await serves(issued, { ...trusting, serverName: 'gateway.test' })
  })

  it('is served unchecked when that is asked for', async () => {
    await serves(stranger.issue({ names: ['other.test'] }), { skipVerify: true })
  })

  it('that demands a client certificate is served with one', async () => {
    const { certificate, key } = authority.issue({ names: ['agent.test'] })
    await serves(ours, { ...trusting, client: { certificate, key: new Secret(key) } }, authority.certificate)
  })
})

describe('what is wrong with TLS is said in words of its own', () => {
  it('an authority that is not known', async () => {
    expect(await refusal(stranger.issue({ names: ['127.0.0.1'] }), trusting)).toMatch(
      /^the certificate of GATEWAY is signed by an authority that this program does not know \(UNABLE_TO_\w+\): set tls\.ca \(HOOP_TLSCA\) to the authority's certificate$/,
    )
  })

  it('no authority of ours when none is given: Node has its own', async () => {
    expect(await refusal(ours, {})).toContain('set tls.ca')
  })

  it('a certificate that has expired', async () => {
    const expired = authority.issue({ names: ['127.0.0.1'], validFrom: years(-2), validTo: years(-1) })
    expect(await refusal(expired, trusting)).toBe(
      "the certificate of GATEWAY has expired, or this machine's clock is wrong",
    )
  })

  it('a certificate that is not valid yet', async () => {
    const early = authority.issue({ names: ['127.0.0.1'], validFrom: years(1), validTo: years(2) })
    expect(await refusal(early, trusting)).toBe(
      "the certificate of GATEWAY is not valid yet, or this machine's clock is wrong",
    )
  })

  it('a certificate for another name', async () => {
    expect(await refusal(authority.issue({ names: ['gateway.test'] }), trusting)).toBe(
      'the certificate of GATEWAY is for other names (DNS:gateway.test): use one of these names, or set tls.server-name (HOOP_TLSSERVERNAME)',
    )
    const given = { ...trusting, serverName: 'elsewhere.test' }
    expect(await refusal(ours, given)).toContain('(IP Address:127.0.0.1, DNS:gateway.test)')
  })

  it('a gateway that demands a client certificate', async () => {
    const credentials = serverCredentials(ours, authority.certificate)
    const gateway = own(await ScriptedGateway.start({ credentials }))
    const { log } = await agentFor(gateway.port, trusting)
    // Its reset may overtake what it has to say, in one attempt or the other.
    await found(() =>
      log.find((line) => line.includes('demands a client certificate: set tls.cert and tls.key')),
    )
  })

  it('a gateway without TLS', async () => {
    const gateway = own(await ScriptedGateway.start())
    expect(await reasonOf(await agentFor(gateway.port, trusting))).toBe(
      'GATEWAY does not speak TLS: a wrong port, or a gateway without TLS (grpc://, http://)',
    )
  })

  it('a gateway with TLS that is called without', async () => {
    const gateway = own(await ScriptedGateway.start({ credentials: serverCredentials(ours) }))
    expect(await reasonOf(await agentFor(gateway.port, {}, 'grpc'))).toBe(
      'no HTTP/2 with GATEWAY (Failed to connect): this is no gateway, or the gateway needs grpcs://',
    )
  })

  it('a server that speaks TLS and no HTTP/2', async () => {
    const { certificate: cert, key } = ours
    const server = createTlsServer({ cert, key, ALPNProtocols: ['http/1.1'] }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    own({
      [Symbol.asyncDispose]: async () => {
        await once(server.close(), 'close')
      },
    })
    const { port } = server.address() as AddressInfo
    expect(await reasonOf(await agentFor(port, trusting))).toBe(
      "GATEWAY does not speak HTTP/2: is this the gateway's gRPC port?",
    )
  })
})
