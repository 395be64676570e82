import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }

describe.skipIf(missingBrowser !== undefined)(`the page without a mouse${without(missingBrowser)}`, () => {
  const stage = new Stage({
    runbooks: {
      'ops/greet.runbook.sh': 'echo "hello, {{ .name | required "whom" | squote }}"; exec sleep 600',
    },
  })

  /** Tabs to what has the focus under this name, and no further than once around. */
  async function tabTo({ page }: Visitor, role: 'link' | 'textbox' | 'button', name: string): Promise<void> {
    const wanted = page.getByRole(role, { name, exact: true })
    await wanted.waitFor()
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press('Tab')
      if ((await wanted.and(page.locator(':focus')).count()) === 1) return
    }
    throw new Error(`the focus never comes to ${role} "${name}"`)
  }

  it('signs in, searches, runs and stops by keys alone', async () => {
    await using ada = await stage.arrive()
    const { keyboard } = ada.page
    await ada.goTo('/runbooks')
    await tabTo(ada, 'textbox', 'Token')
    await keyboard.type(stage.site.token)
    await keyboard.press('Enter')
    await ada.page.getByRole('link', { name: 'greet.runbook.sh' }).waitFor()
    await keyboard.press('/')
    await keyboard.type('greet')
    await tabTo(ada, 'link', 'ops/greet.runbook.sh')
    await keyboard.press('Enter')
    await tabTo(ada, 'textbox', 'name')
    await keyboard.type('keys')
    await keyboard.press('Enter')
    await ada.reads("hello, 'keys'")
    await tabTo(ada, 'button', 'Stop')
    await keyboard.press('Enter')
    await ada.page
      .getByRole('button', { name: 'Let it run', exact: true })
      .and(ada.page.locator(':focus'))
      .waitFor()
    await tabTo(ada, 'button', 'Stop')
    await keyboard.press('Enter')
    await ada.sees('Stopped by admin')
  })

  it('goes to each view by two letters, and lists the shortcuts under ?', async () => {
    await using ada = await stage.enter()
    const { page } = ada
    for (const [letter, view] of Object.entries({
      s: 'Sessions',
      a: 'Approvals',
      c: 'Connections',
      r: 'Runbooks',
    })) {
      await page.keyboard.press('g')
      await page.keyboard.press(letter)
      await page.getByRole('heading', { name: view, level: 1 }).waitFor()
    }
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await page.getByLabel('Use single-key shortcuts').uncheck()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('/')
    expect(await page.locator('input:focus').count()).toBe(0)
  })

  it('skips the navigation, and puts the focus into each new view', async () => {
    await using ada = await stage.enter()
    const { page } = ada
    await page.getByRole('navigation').getByRole('link', { name: 'Connections' }).click()
    await page.locator('main:focus').waitFor()
    await page.goto(page.url())
    await page.getByRole('heading', { name: 'Connections' }).waitFor()
    await page.keyboard.press('Tab')
    await page.getByRole('link', { name: 'Skip to the content' }).and(page.locator(':focus')).waitFor()
  })

  it('runs a runbook on a phone, by taps', async () => {
    await using ada = await stage.enter('/runbooks', PHONE)
    const { page } = ada
    await page.getByRole('link', { name: 'greet.runbook.sh' }).tap()
    await page.getByLabel('name', { exact: true }).fill('phone')
    await page.getByRole('button', { name: 'Run', exact: true }).tap()
    await ada.reads("hello, 'phone'")
    await ada.picture('phone')
    await page.getByRole('button', { name: 'Stop' }).tap()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).tap()
    await ada.sees('Stopped by admin')
    expect(await ada.faults()).toEqual([])
  })
})
