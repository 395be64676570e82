import { expect, it } from 'vitest'
import { parseKey } from '../../src/agent/connection/identity.ts'
import { Secret } from '../../src/basics/secret.ts'
import type { Proxy } from '../../src/basics/net/proxy.ts'
import { own } from '../support/owned.ts'
import { Authority } from '../support/network/certificates.ts'
import { ConnectProxy } from '../support/network/connect-proxy.ts'
import { quickTiming } from '../support/sites/quick-timing.ts'
import { fixedIdentity, RunningAgent } from '../support/sites/running-agent.ts'
import { ScriptedGateway } from '../support/scripted/scripted-gateway.ts'
import { serverCredentials } from '../support/network/tls.ts'
import { found } from '../support/wait.ts'

const authority = new Authority('test authority')
const credentials = serverCredentials(authority.issue({ names: ['gateway.invalid'] }))

/** For a gateway whose name nobody can look up but the proxy. */
async function agentBehind(proxy: Proxy, scheme = 'grpcs'): Promise<RunningAgent> {
  const key = `${scheme}://testagent:xagt-0123456789@gateway.invalid:8443?mode=standard`
  const identities = fixedIdentity(parseKey(key, 'HOOP_KEY', { authorities: [authority.certificate] }))
  const life = { timing: quickTiming, proxyFor: () => proxy }
  return own(await RunningAgent.start(key, { identities, life }))
}

async function reasonOf({ agent }: RunningAgent): Promise<string> {
  const reason = await found(() => ('reason' in agent.state ? agent.state.reason : undefined))
  return reason.replaceAll(/127\.0\.0\.1:\d+/g, 'PROXY')
}

async function gatewayAndProxy(): Promise<{ gateway: ScriptedGateway; proxy: ConnectProxy }> {
  const gateway = own(await ScriptedGateway.start({ credentials }))
  return { gateway, proxy: own(await ConnectProxy.start(gateway.port)) }
}

it('a gateway behind a proxy is served; the proxy is asked for its name, and sees no credential of the agent', async () => {
  const { gateway, proxy } = await gatewayAndProxy()
  const agent = await agentBehind({ address: proxy.address, credentials: undefined })
  await agent.serving()
  // On a busy machine the first attempt may be late.
  expect(new Set(proxy.targets)).toEqual(new Set(['gateway.invalid:8443']))
  expect(new Set(proxy.credentials)).toEqual(new Set([undefined]))
  expect(gateway.metadata[0]?.['authorization']).toContain('xagt-0123456789')
})

it('a proxy that wants a user and a password gets them', async () => {
  const { proxy } = await gatewayAndProxy()
  const agent = await agentBehind({ address: proxy.address, credentials: new Secret('user:pass word') })
  await agent.serving()
  expect(proxy.credentials).toEqual([`Basic ${Buffer.from('user:pass word').toString('base64')}`])
})

it.each([
  ['403 Forbidden', 'the proxy PROXY answered 403 Forbidden'],
  [
    '407 Proxy Authentication Required',
    'the proxy PROXY answered 407 Proxy Authentication Required: set a user and a password in HTTPS_PROXY',
  ],
  ['502 Bad Gateway', 'the proxy PROXY answered 502 Bad Gateway'],
  ['silence', 'no answer within 0.4 s (asking the proxy)'],
])('a proxy that answers %s is what the agent waits for, in words', async (refusal, words) => {
  const { proxy } = await gatewayAndProxy()
  proxy.refusal = refusal
  const agent = await agentBehind({ address: proxy.address, credentials: undefined })
  expect(await reasonOf(agent)).toBe(words)
  proxy.refusal = undefined
  await agent.serving()
})

it('a port where there is no proxy is said to be the proxy', async () => {
  const gateway = own(await ScriptedGateway.start())
  const agent = await agentBehind({ address: `127.0.0.1:${gateway.port}`, credentials: undefined })
  expect(await reasonOf(agent)).toMatch(/^the proxy PROXY sent no valid HTTP answer: /)
})

it('a key in the clear never goes to a proxy', async () => {
  const { proxy } = await gatewayAndProxy()
  const agent = await agentBehind({ address: proxy.address, credentials: undefined }, 'grpc')
  // Which of the two depends on how long this machine's resolver takes.
  expect(await reasonOf(agent)).toMatch(
    /^the name gateway\.invalid cannot be looked up|\(looking up its name\)$/,
  )
  expect(proxy.targets).toEqual([])
})
