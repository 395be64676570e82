import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OidcServer } from '../../../support/scripted/oidc-provider.ts'
import { RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'
import { Browsing } from './browsing.ts'

// Signing in on the page with an account elsewhere.

let provider: OidcServer
let gateway: RunningGateway
beforeAll(async () => {
  provider = await OidcServer.start()
  gateway = await RunningGateway.start({}, { more: provider.settings() })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})
beforeEach(() => {
  provider.claims = { sub: 'ada-1', email: 'ada@example.test', email_verified: true, groups: ['dba'] }
})

/** The address to which the provider sends this browser back. */
async function begun(browsing: Browsing): Promise<string> {
  const { body, headers } = await browsing.ask('GET', '/api/login?page=1')
  expect(headers.getSetCookie()[0]).toMatch(
    /^runbook_browser_\d+=[\w-]{43}; Max-Age=600; Path=\/api\/callback; HttpOnly; SameSite=Lax$/,
  )
  const { pathname, search } = new URL(provider.authorize(String(body['login_url'])))
  return pathname + search
}

/** As the provider's redirect does it. */
const BACK = { 'sec-fetch-site': 'cross-site' }

describe('a sign-in with an account elsewhere', () => {
  it('signs the browser in that has begun, and shows it the page', async () => {
    const browsing = new Browsing(gateway.gateway.http)
    const back = await browsing.ask('GET', await begun(browsing), undefined, BACK)
    expect([back.status, back.headers.get('location')]).toEqual([302, '/'])
    expect(back.headers.getSetCookie()[0]).toMatch(/^runbook_sign_in_\d+=rba_.*; HttpOnly; SameSite=Strict$/)
    const { body } = await browsing.ask('GET', '/api/userinfo')
    expect(body).toMatchObject({ name: 'ada@example.test', groups: ['dba'], token: { kind: 'sign-in' } })
    expect((await browsing.ask('POST', '/api/page/sign-out')).body).toEqual({ ended: true })
    expect((await browsing.ask('GET', '/api/userinfo')).status).toBe(401)
  })

  it('signs nobody in who was sent here by somebody who had begun', async () => {
    const attacker = new Browsing(gateway.gateway.http)
    const address = await begun(attacker)
    const victim = new Browsing(gateway.gateway.http)
    const back = await victim.ask('GET', address, undefined, BACK)
    expect([back.status, back.headers.getSetCookie()]).toEqual([410, []])
    expect(String(back.body['text'])).toContain('started in another browser')
  })

  it('ends when the user is deactivated', async () => {
    const browsing = new Browsing(gateway.gateway.http)
    await browsing.ask('GET', await begun(browsing), undefined, BACK)
    const url = '/api/users/ada@example.test'
    await gateway.request('PUT', url, { status: 'inactive' }, { authorization: `Bearer ${userToken}` })
    expect((await browsing.ask('GET', '/api/userinfo')).status).toBe(401)
  })
})
