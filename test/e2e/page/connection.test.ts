import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { Gate } from '../../support/gate.ts'
import { without } from '../../support/machine/servers.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'
import { Stage } from './stage.ts'

describe.skipIf(missingBrowser !== undefined)(`a page that is left alone${without(missingBrowser)}`, () => {
  const stage = new Stage({ users: { cid: ['dev'] } })

  /** A session that waits at the gate. @returns its id */
  async function begun({ rest }: Site, script: string): Promise<string> {
    const prefer = { prefer: 'respond-async' }
    const body = JSON.stringify({ connection: 'bash', script })
    const reply = await rest.send('POST', '/api/sessions', body, undefined, prefer)
    return (JSON.parse(reply.body) as { session_id: string }).session_id
  }

  it('comes back by itself when the gateway was killed in mid-run, and has lost nothing', async () => {
    await using site = await Site.start()
    using gate = new Gate(site.place)
    const id = await begun(site, `for i in $(seq 500); do echo "line $i"; done; ${gate.script} echo after`)
    await using ada = await stage.arrive({}, site)
    await ada.signIn(site.token, `/sessions/${id}`)
    await ada.reads('line 500')
    site.gateway.signal('SIGKILL')
    await site.gateway.ended()
    await ada.sees('The connection to the gateway is lost')
    await site.startGateway()
    await ada.sees('Gateway was killed')
    await ada.page.getByText('The connection to the gateway is lost').waitFor({ state: 'detached' })
    await ada.page.getByRole('log', { name: 'Output' }).press('Home')
    await ada.page.getByRole('log', { name: 'Output' }).getByText('line 1', { exact: true }).waitFor()
    const { event_stream: [recorded = ''] = [] } = await site.rest.session(id)
    await ada.page.getByRole('log', { name: 'Output' }).press('End')
    await ada.reads(recorded.trim().split('\n').at(-1) ?? '')
    // Nothing twice, either: a row has 20 pixels.
    const height = await ada.page.evaluate<number>(`document.querySelector('.log-all').clientHeight`)
    expect(height / 20).toBe(recorded.trimEnd().split('\n').length)
    expect(ada.problems).toEqual([])
  })

  it('shows the end of a session that has ended while the tab slept', async () => {
    using gate = new Gate(stage.site.place, 'slept')
    const id = await begun(stage.site, `echo before; ${gate.script} echo after`)
    await using ada = await stage.enter(`/sessions/${id}`)
    await ada.reads('before')
    await gate.reached()
    const tab = await ada.page.context().newCDPSession(ada.page)
    await tab.send('Page.setWebLifecycleState', { state: 'frozen' })
    gate.open()
    await waitFor(async () => (await stage.site.rest.session(id)).status === 'done')
    await tab.send('Page.setWebLifecycleState', { state: 'active' })
    await ada.reads('after')
    await ada.sees('exit code 0')
  })

  it('holds no connection in a tab that nobody sees: a browser has six for all of its tabs', async () => {
    using gate = new Gate(stage.site.place, 'unseen')
    const id = await begun(stage.site, `echo before; ${gate.script} echo after`)
    await using ada = await stage.enter(`/sessions/${id}`)
    await ada.reads('before')
    await gate.reached()
    const ends = ['/api/changes', '/stream'].map((path) =>
      ada.page.waitForEvent('requestfailed', (request) => request.url().endsWith(path)),
    )
    const turn = (hidden: boolean) =>
      ada.page.evaluate(
        `Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} });
         document.dispatchEvent(new Event('visibilitychange'))`,
      )
    await turn(true)
    await Promise.all(ends)
    gate.open()
    await waitFor(async () => (await stage.site.rest.session(id)).status === 'done')
    await turn(false)
    await ada.reads('after')
    await ada.sees('exit code 0')
  })

  it('says while the gateway stops until when running sessions go on, and no longer when the next one is there', async () => {
    await using site = await Site.start({ stopTimeout: '1h' })
    using gate = new Gate(site.place)
    await begun(site, gate.script)
    await gate.reached()
    await using ada = await stage.arrive({}, site)
    await ada.signIn(site.token, '/sessions')
    const line = ada.page
      .getByRole('status')
      .getByText(/^This gateway is stopping\. .* may continue until \d\d:\d\d/)
    expect(await line.count()).toBe(0)
    site.gateway.signal('SIGTERM')
    await line.waitFor()
    expect(await ada.faults()).toEqual([])
    gate.open()
    await site.gateway.ended()
    await site.startGateway()
    await line.waitFor({ state: 'detached' })
    expect(ada.problems).toEqual([])
  })

  it('asks to sign in again when the token was revoked, and goes on where it was', async () => {
    await using cid = await stage.arrive()
    await cid.signIn(stage.site.tokenOf('cid'), '/connections')
    await cid.sees('bash')
    const { body } = await stage.site.rest.send('GET', '/api/tokens')
    const tokens = JSON.parse(body) as readonly { id: string; user: string; kind: string }[]
    const ofPage = tokens.filter(({ user, kind }) => user === 'cid' && kind === 'sign-in')
    expect(ofPage).toHaveLength(1)
    for (const { id } of ofPage) await stage.site.rest.send('DELETE', `/api/tokens/${id}`)
    await cid.sees('You are signed out')
    await cid.page.getByLabel('Token').fill(stage.site.tokenOf('cid'))
    await cid.click('Sign in')
    await cid.page.getByRole('heading', { name: 'Connections' }).waitFor()
  })
})
