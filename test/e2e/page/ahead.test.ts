import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../../src/basics/deferred.ts'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { waitFor } from '../../support/wait.ts'
import { Stage } from './stage.ts'

describe.skipIf(missingBrowser !== undefined)(`files of views${without(missingBrowser)}`, () => {
  const stage = new Stage({})

  /** Notes which files of the page are asked for, and stops the page's clock. */
  async function watch(page: Page): Promise<string[]> {
    const asked: string[] = []
    page.on('request', (request) => {
      const [, name] = /\/assets\/([^/]+)-[\w-]{8}\.js$/.exec(request.url()) ?? []
      if (name !== undefined) asked.push(name)
    })
    await page.clock.install()
    return asked
  }

  it('are fetched ahead while the browser rests, and a view then asks for none', async () => {
    await using ada = await stage.arrive()
    const asked = await watch(ada.page)
    await ada.signIn(stage.site.token)
    await ada.page.clock.runFor(1000)
    expect(asked).not.toContain('runbook')
    await ada.page.clock.runFor(5000)
    await waitFor(() => ['runbook', 'session', 'agents'].every((name) => asked.includes(name)))
    asked.length = 0
    await ada.page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Agents' }).click()
    await ada.page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
    expect(asked).toEqual([])
    expect(ada.problems).toEqual([])
  })

  it('need not be there before the first rows of the sessions are asked for', async () => {
    await stage.site.rest.script('bash', 'echo early')
    await using ada = await stage.arrive()
    await ada.signIn(stage.site.token)
    const asked = deferred()
    ada.page.on('request', (request) => {
      if (request.url().includes('/api/sessions?group=')) asked.resolve()
    })
    await ada.page.route('**/assets/page-*.js', async (route) => {
      await asked.promise
      await route.continue()
    })
    await ada.goTo('/sessions')
    await ada.page.locator('.window-rows .listed a').first().waitFor()
    expect(ada.problems).toEqual([])
  })

  it('are shown also when they arrive between the drawing of their view and its effects', async () => {
    await using ada = await stage.arrive()
    await ada.page.clock.install()
    await ada.signIn(stage.site.token)
    // The browser answers the fetch ahead only while the view waits for its effects.
    const agents = deferred()
    await ada.page.route('**/assets/agents-*.js', async (route) => {
      await agents.promise
      await route.continue()
    })
    const asked = ada.page.waitForRequest(/\/assets\/agents-/)
    await ada.page.clock.runFor(10_000)
    await asked
    // Effects run after a frame, which a stopped clock does not give.
    await ada.page.clock.pauseAt(new Date(await ada.page.evaluate<number>('Date.now() + 1000')))
    await ada.page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Agents' }).click()
    await ada.page.getByText('Loading').first().waitFor()
    const loaded = ada.page.waitForResponse(/\/assets\/agents-/)
    agents.resolve()
    await (await loaded).finished()
    await ada.page.evaluate('new Promise((resolve) => queueMicrotask(resolve))')
    await ada.page.clock.resume()
    await ada.page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
  })

  it('are not fetched ahead for users who save data', async () => {
    await using ada = await stage.arrive()
    await ada.page.addInitScript(
      "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })",
    )
    const asked = await watch(ada.page)
    await ada.signIn(stage.site.token)
    for (let round = 0; round < 10; round++) await ada.page.clock.runFor(5000)
    await ada.page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Agents' }).click()
    await ada.page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
    expect(asked).toContain('agents')
    expect(asked).not.toContain('session')
  })

  it('of the opened view are asked for beside those of the page, not after them', async () => {
    await using ada = await stage.enter('/agents')
    const order: string[] = []
    await ada.page.route('**/assets/page-*.js', async (route) => {
      await ada.page.waitForRequest(/\/assets\/agents-/)
      order.push('page')
      await route.continue()
    })
    await ada.page.reload()
    await ada.page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
    expect(order).toEqual(['page'])
  })
})
