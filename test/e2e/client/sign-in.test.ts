import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OidcServer } from '../../support/scripted/oidc-provider.ts'
import { Program, runProgram } from '../../support/sites/program.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const LINK = /^ {2}(http\S+)$/m

describe('login with an account elsewhere', () => {
  it('opens a browser, gets a token by it, and logout ends it', async () => {
    await using provider = await OidcServer.start()
    await using gateway = await RunningGateway.start({}, { more: provider.settings() })
    using place = new Workplace()
    const opened = place.at('opened')
    place.write('bin/xdg-open', `#!/bin/sh\nprintf %s "$1" > ${opened}\n`, 0o755)
    const env = { PATH: `${place.at('bin')}:${place.env['PATH'] ?? ''}` }
    const words = ['login', '--api-url', gateway.gateway.http, '--browser']
    await using login = new Program(place, words, env)
    const [, link = ''] = await login.says('stderr', LINK)
    const back = await visit(provider.authorize(link))
    const location = back.headers.get('location') ?? ''
    expect(location).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\?code=[\w-]{43}$/)
    expect((await visit(location.replace(/\/[0-9a-f]{32}/, '/other'))).status).toBe(404)
    expect(await (await visit(location)).text()).toMatch(/signed in/)
    expect(await login.ended()).toMatchObject({ code: 0 })
    expect(login.stderr).toMatch(/signed in to .* as ada@example.test/)
    expect(readFileSync(opened, 'utf8')).toBe(link)
    const file = place.at('home', '.config', 'runbook-agent', 'account.json')
    const { token } = JSON.parse(readFileSync(file, 'utf8')) as { readonly token: string }
    expect(login.stderr + location).not.toContain(token)
    const out = await runProgram(place, ['logout'])
    expect(out).toMatchObject({ code: 0, stderr: `signed out: removed ${file}, and ended the sign-in\n` })
    const headers = { authorization: `Bearer ${token}` }
    expect((await gateway.request('GET', '/api/userinfo', undefined, headers)).status).toBe(401)
  })

  it('prints a link and a code where there is no browser, and waits until somebody has decided', async () => {
    await using provider = await OidcServer.start()
    await using gateway = await RunningGateway.start({}, { more: provider.settings() })
    using place = new Workplace()
    await using login = new Program(place, ['login', '--api-url', gateway.gateway.http, '--no-browser'])
    const [, link = ''] = await login.says('stderr', LINK)
    const [, code = ''] = /shows the code (\S+):/.exec(login.stderr) ?? []
    expect(await (await visit(link)).text()).toContain(code)
    const start = await visit(link.replace('/device?', '/device/start?'))
    const confirm = await (await visit(provider.authorize(start.headers.get('location') ?? ''))).text()
    const [, confirmation = ''] = /name="confirmation" value="([^"]+)"/.exec(confirm) ?? []
    await visit(`${gateway.gateway.http}/api/login/device/decide`, {
      method: 'POST',
      body: new URLSearchParams({ confirmation, decision: 'allow' }),
    })
    expect(await login.ended()).toMatchObject({ code: 0 })
    expect(login.stderr).toMatch(/signed in to .* as ada@example.test/)
  })

  it('says who may not sign in, and what a gateway does not offer', async () => {
    await using provider = await OidcServer.start()
    await using gateway = await RunningGateway.start(
      {},
      { more: provider.settings('allowed-groups: [staff]') },
    )
    await using plain = await RunningGateway.start()
    using place = new Workplace()
    await using login = new Program(place, ['login', '--api-url', gateway.gateway.http, '--browser'])
    const [, link = ''] = await login.says('stderr', LINK)
    const back = await visit(provider.authorize(link))
    await visit(back.headers.get('location') ?? '')
    expect(await login.ended()).toMatchObject({ code: 77 })
    expect(login.stderr).toMatch(/not signed in: ada@example.test may not sign in here/)
    expect(existsSync(place.at('home', '.config'))).toBe(false)
    const other = await runProgram(place, ['login', '--api-url', plain.gateway.http, '--no-browser'])
    expect(other).toMatchObject({ code: 64 })
    expect(other.stderr).toMatch(/offers no sign-in with a browser/)
  })
})

function visit(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', headers: { connection: 'close' }, ...init })
}
