import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { Gate } from '../../support/gate.ts'
import { without } from '../../support/machine/servers.ts'
import { Stage } from './stage.ts'

const WEB = new URL('../../../dist/web/', import.meta.url)

describe.skipIf(missingBrowser !== undefined)(`the frame of the page${without(missingBrowser)}`, () => {
  const stage = new Stage({
    connections: [{ name: 'reviewed', command: ['bash'], review: { groups: ['dba'] } }],
    users: { bea: ['dba'], cid: ['dev'] },
    schedules: [
      { name: 'nightly', cron: '30 2 * * *', connection: 'bash', runbook: 'ops/greet.runbook.sh', as: 'cid' },
    ],
    runbooks: {
      'ops/greet.runbook.sh': '# Greet somebody\n# With a name.\necho "hello, {{ .name | default "you" }}"\n',
      'ops/fail.runbook.sh': 'exit 7\n',
      'all/archive.runbook.sh': '# Archive orders\n# Moves what a greeting has closed.\n',
      'zoo/greeting.runbook.sh': '# Greeting cards\necho {{ .agents | default "2" }}\n',
    },
  })

  /** Begins at the gateway, as from another place. @returns the session's id */
  async function begins(who: string, connection: string, script: string): Promise<string> {
    const body = JSON.stringify({ connection, script })
    const prefer = { prefer: 'respond-async' }
    const { rest } = stage.site
    const { body: answer } = await rest.send('POST', '/api/sessions', body, stage.site.tokenOf(who), prefer)
    return (JSON.parse(answer) as { session_id: string }).session_id
  }

  it('tells an approver what waits: in the navigation, in the title, and by a toast as it comes', async () => {
    await begins('cid', 'reviewed', 'echo one')
    await using bea = await stage.arrive()
    await bea.signIn(stage.site.tokenOf('bea'), '/agents')
    const { page } = bea
    const main = page.getByRole('navigation', { name: 'Main' })
    await main.getByRole('link', { name: 'Approvals, 1 waiting', exact: true }).waitFor()
    await page.waitForFunction(`document.title === '(1) Agents · runbook-agent'`)
    await begins('cid', 'reviewed', 'echo two')
    await main.getByRole('link', { name: 'Approvals, 2 waiting', exact: true }).waitFor()
    await bea.sees('cid asks for your approval on reviewed')
    expect(await bea.faults()).toEqual([])
    await page.getByRole('link', { name: 'Show' }).click()
    await page.getByRole('heading', { level: 1, name: /reviewed/ }).waitFor()
    expect(await page.getByText('cid asks for your approval').count()).toBe(0)
  })

  it('tells of a run that ends elsewhere: by the favicon, and by a toast that leads to it', async () => {
    using gate = new Gate(stage.site.place)
    await using cid = await stage.arrive()
    await cid.signIn(stage.site.tokenOf('cid'), '/agents')
    const { page } = cid
    const mark = (name: string) =>
      page.locator(`link[rel=icon][href*="/${name}-"]`).waitFor({ state: 'attached' })
    const id = await begins('cid', 'bash', `${gate.script} exit 7`)
    await gate.reached()
    await page.getByRole('link', { name: '1 running' }).waitFor()
    await mark('mark-running')
    gate.open()
    await cid.sees('Script on bash: failed (7)')
    await mark('mark-failed')
    await page.getByRole('link', { name: 'Show' }).click()
    await page.waitForURL(`**/sessions/${id}`)
  })

  it('tells of what waits by one notification of the browser, whatever the number of tabs, once somebody asks for that', async () => {
    using gate = new Gate(stage.site.place, 'noticed')
    await using bea = await stage.arrive({ permissions: ['notifications'] })
    const { page } = bea
    await page.context().addInitScript(`
      window.told = []
      const Shown = window.Notification
      window.Notification = class extends Shown {
        constructor(title, options) {
          super(title, options)
          told.push({ title, body: options.body, click: () => this.onclick() })
        }
      }`)
    await bea.signIn(stage.site.tokenOf('bea'), '/agents')
    const other = await page.context().newPage()
    const tabs = [page, other]
    // A request that a tab finds when it loads is not told of.
    for (const tab of tabs) {
      const loaded = tab.waitForResponse((response) => response.url().includes('/api/reviews'))
      await tab.goto(page.url())
      await (await loaded).finished()
    }
    /** Settles when both tabs have seen the next request, and have told what they tell. */
    const seen = async () => {
      for (const tab of tabs) await tab.getByText('cid asks for your approval on reviewed').waitFor()
      await page.evaluate(`navigator.locks.request('runbook-page-told', () => undefined)`)
      for (const tab of tabs)
        await tab.evaluate(
          `document.querySelectorAll('.toasts [aria-label=Close]').forEach((one) => one.click())`,
        )
    }
    const told = async () => {
      const all = await Promise.all(
        tabs.map((tab) => tab.evaluate<unknown[][]>(`told.map((one) => [one.title, one.body])`)),
      )
      return all.flat()
    }
    await other.getByRole('button', { name: /your menu$/ }).waitFor()
    await begins('cid', 'reviewed', 'echo nobody-wants-it')
    await seen()
    expect(await told()).toEqual([])
    await page.getByRole('button', { name: /your menu$/ }).click()
    await page.getByRole('switch', { name: 'Notifications' }).click()
    await page.getByRole('switch', { name: 'Notifications', checked: true }).waitFor()
    expect(await bea.faults()).toEqual([])
    await page.keyboard.press('Escape')
    const id = await begins('cid', 'reviewed', 'echo not-for-a-locked-screen')
    await seen()
    expect(await told()).toEqual([['A request waits for your approval', 'cid asks for a script on reviewed']])
    for (const tab of tabs) await tab.evaluate('told.forEach((one) => one.click())')
    const review = (await stage.site.rest.send('GET', `/api/reviews/${id}`)).body
    const path = `/approvals/${(JSON.parse(review) as { id: string }).id}`
    await expect.poll(() => tabs.filter((tab) => tab.url().endsWith(path)).length).toBe(1)
    for (const tab of tabs) await tab.evaluate(`Object.defineProperty(document, 'hidden', { value: true })`)
    await begins('bea', 'bash', `${gate.script} exit 7`)
    await gate.reached()
    for (const tab of tabs) await tab.getByRole('link', { name: '1 running' }).waitFor()
    gate.open()
    for (const tab of tabs) await tab.getByText('Script on bash: failed (7)').waitFor()
    await page.evaluate(`navigator.locks.request('runbook-page-told', () => undefined)`)
    expect((await told()).filter(([title]) => title !== 'A request waits for your approval')).toEqual([
      ['Script on bash', 'failed (7)'],
    ])
  })

  it('says that the browser has blocked its notifications', async () => {
    await using bea = await stage.arrive()
    await bea.page.context().addInitScript(`
      Object.defineProperty(Notification, 'permission', { value: 'denied' })
      Notification.requestPermission = async () => 'denied'`)
    await bea.signIn(stage.site.tokenOf('bea'), '/agents')
    await bea.page.getByRole('button', { name: /your menu$/ }).click()
    await bea.page.getByRole('switch', { name: 'Notifications' }).click()
    await bea.sees(
      "The browser blocks notifications. Allow notifications for this site in the browser's settings.",
    )
    expect(await bea.page.getByRole('switch', { name: 'Notifications' }).isChecked()).toBe(false)
    expect(await bea.faults()).toEqual([])
  })

  it('begins at Home, with what was run last and what failed', async () => {
    for (const file of ['ops/greet.runbook.sh', 'ops/fail.runbook.sh'])
      await stage.site.rest.send(
        'POST',
        '/api/runbooks/exec',
        JSON.stringify({ repository: 'books', file_name: file, connection_name: 'bash', parameters: {} }),
        stage.site.tokenOf('cid'),
      )
    await using cid = await stage.arrive()
    await cid.signIn(stage.site.tokenOf('cid'))
    const card = (name: string) => cid.page.getByRole('region', { name })
    await cid.page.getByRole('heading', { level: 1, name: 'Hello, cid' }).waitFor()
    await card('Needs a look').getByRole('link', { name: 'fail', exact: true }).waitFor()
    await begins('cid', 'reviewed', 'echo mine')
    await card('Your requests').getByRole('link', { name: 'Script' }).first().waitFor()
    await card('Next schedules').getByRole('link', { name: 'Greet somebody' }).waitFor()
    await card('Your runbooks').getByRole('link', { name: 'Greet somebody', exact: true }).waitFor()
    await card('Your runbooks').getByRole('link', { name: 'Run again: Greet somebody' }).click()
    await cid.page.getByLabel('name', { exact: true }).waitFor()
  })

  it('finds everything by Ctrl+K: runbooks, connections, sessions, pages, actions', async () => {
    await using cid = await stage.arrive()
    await cid.signIn(stage.site.tokenOf('cid'), '/agents')
    const { page } = cid
    await page.keyboard.press('Control+k')
    const field = page.getByRole('combobox', { name: 'Search everything' })
    const chosen = (name: RegExp) => page.getByRole('option', { name, selected: true }).waitFor()
    await field.fill('greet some')
    await chosen(/Greet somebody/)
    await field.fill('gret')
    await chosen(/Greet somebody/)
    await field.fill('reviewed')
    await chosen(/^reviewed/)
    await field.press('ArrowDown')
    await chosen(/Sessions on reviewed/)
    await field.fill('theme dark')
    await field.press('Enter')
    await page.locator('html[data-theme=dark]').waitFor()
    await page.keyboard.press('Control+k')
    await field.fill('schedu')
    await field.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Schedules' }).waitFor()
    await page.keyboard.press('Control+k')
    await field.fill('nothing has this')
    await cid.sees('Nothing has “nothing has this”')
    await page.getByRole('option', { name: 'Search the sessions for “nothing has this”' }).waitFor()
    await field.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Sessions' }).waitFor()
    expect(new URL(page.url()).searchParams.get('text')).toBe('nothing has this')
  })

  it('keeps what is typed after Ctrl+K while the search is still loaded, and acts on none of these keys', async () => {
    await using cid = await stage.arrive()
    await cid.signIn(stage.site.tokenOf('cid'), '/agents')
    const { page } = cid
    let release: () => void = () => undefined
    const typed = new Promise<void>((resolve) => (release = resolve))
    await page.route(/palette[^/]*\.js$/, async (route) => {
      await typed
      await route.continue()
    })
    const asked = page.waitForRequest(/palette[^/]*\.js$/)
    await page.keyboard.press('Control+k')
    await asked
    // By themselves, g and r open the runbooks.
    await page.keyboard.type('gret')
    await page.keyboard.press('Backspace')
    release()
    const field = page.getByRole('combobox', { name: 'Search everything' })
    await expect.poll(() => field.inputValue()).toBe('gre')
    await page.keyboard.type('et')
    expect(await field.inputValue()).toBe('greet')
    expect(new URL(page.url()).pathname).toBe('/agents')
    expect(cid.problems).toEqual([])
  })

  it('puts the best fit first: in the list of runbooks, whatever their folders are, and by Ctrl+K', async () => {
    await using cid = await stage.arrive()
    await cid.signIn(stage.site.tokenOf('cid'), '/runbooks')
    const { page } = cid
    await page.getByRole('searchbox', { name: 'Search runbooks' }).fill('greeting')
    const found = page.getByRole('region', { name: 'Runbooks' }).getByRole('listitem')
    await expect.poll(() => found.count()).toBe(2)
    expect(await found.allInnerTexts()).toEqual([
      expect.stringMatching(/^Greeting cards\n/),
      expect.stringMatching(/^Archive orders\nall · Moves what a greeting has closed\./),
    ])
    expect(await page.getByRole('status').filter({ hasText: '2 runbooks found' }).count()).toBe(1)
    await page.keyboard.press('Control+k')
    // A parameter of a runbook has that name, and a page.
    await page.getByRole('combobox', { name: 'Search everything' }).fill('agents')
    await page.getByRole('option', { name: /^Agents/, selected: true }).waitFor()
    await page.getByRole('option', { name: /^Greeting cards/ }).waitFor()
  })

  it('folds its sidebar, and keeps it so; on a phone it is a drawer that closes behind a choice', async () => {
    await using cid = await stage.arrive({ viewport: { width: 1280, height: 800 } })
    await cid.signIn(stage.site.tokenOf('cid'), '/agents')
    const { page } = cid
    const main = page.getByRole('navigation', { name: 'Main' })
    const fold = main.getByRole('button', { name: 'Sidebar' })
    const width = async () => (await main.boundingBox())?.width
    expect(await width()).toBe(216)
    await fold.click()
    expect(await width()).toBe(84)
    await page.reload()
    await main.waitFor()
    expect(await fold.getAttribute('aria-expanded')).toBe('false')
    expect(await width()).toBe(84)
    await page.setViewportSize({ width: 360, height: 740 })
    await main.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await main.getByRole('link', { name: 'Connections' }).click()
    await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor()
    await main.waitFor({ state: 'hidden' })
    expect((await page.getByRole('banner').boundingBox())?.height).toBeLessThan(64)
  })

  it('loads at most 45 KB, compressed by gzip, before it shows Home, and the rest when it is opened', async () => {
    await using cid = await stage.arrive()
    const { page } = cid
    const files: string[] = []
    page.on('request', (request) => {
      const { pathname } = new URL(request.url())
      if (request.resourceType() !== 'fetch' && !pathname.startsWith('/api/')) files.push(pathname)
    })
    const kilobytes = () =>
      files
        .map((file) => statSync(new URL(`.${file === '/' ? '/index.html' : file}.gz`, WEB)).size)
        .reduce((sum, size) => sum + size / 1000, 0)
    await cid.signIn(stage.site.tokenOf('cid'))
    await page.getByRole('heading', { level: 1, name: 'Hello, cid' }).waitFor()
    expect(files.length).toBeGreaterThan(3)
    expect(kilobytes()).toBeLessThan(75)
    const before = files.length
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Agents' }).click()
    await page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
    expect(files.length).toBeGreaterThan(before)
    expect(await page.locator('script:not([src]), style, [style*="url"]').count()).toBe(0)
    expect([...cid.problems, ...cid.foreign]).toEqual([])
  })
})
