import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Stage } from './stage.ts'

describe.skipIf(missingBrowser !== undefined)(`the form of a runbook${without(missingBrowser)}`, () => {
  const stage = new Stage({
    runbooks: {
      'ops/refund.runbook.sh':
        '# Refund an order\n# Pays back the whole amount.\n{{ .order | required "which?" | asenv "ORDER" }}\n{{ .pw | type "password" | asenv "PW" }}\necho "$ORDER"',
      'ops/where.runbook.sh': 'echo here',
    },
    connections: [
      { name: 'prod', command: ['bash'], confirm: true, tags: { env: 'prod' } },
      { name: 'test', command: ['bash'], tags: { env: 'test' } },
    ],
  })

  it('is found by a title with a typing error, opens by Enter, keeps what was typed but for secrets, and lets people confirm', async () => {
    await using ada = await stage.enter('/runbooks')
    const { page } = ada
    await page.getByLabel('Search runbooks').fill('refnud ordre')
    await page.getByRole('link', { name: 'Refund an order' }).waitFor()
    await page.getByLabel('Search runbooks').press('Enter')
    await page.getByRole('heading', { name: 'Refund an order' }).waitFor()
    await ada.sees('Pays back the whole amount.')
    expect(page.url()).not.toContain(stage.site.place.path)
    await page.getByLabel('order').fill('10293')
    await page.getByLabel('pw').fill('very-secret')
    await page.reload()
    await page.getByLabel('order').waitFor()
    expect(await page.getByLabel('order').inputValue()).toBe('10293')
    expect(await page.getByLabel('pw').inputValue()).toBe('')
    await page.getByLabel('Connection').selectOption('prod')
    const run = page.getByRole('button', { name: 'Run', exact: true })
    await page.getByLabel('Type prod to confirm').fill('pro')
    expect(await run.isDisabled()).toBe(true)
    await page.getByLabel('Type prod to confirm').fill('prod')
    expect(await run.isDisabled()).toBe(false)
    expect(ada.problems).toEqual([])
  })

  it('takes parameters and the connection of a link', async () => {
    await using ada = await stage.enter('/runbooks')
    await ada.page.getByRole('link', { name: 'Refund an order' }).click()
    await ada.page.getByLabel('order').waitFor()
    const { pathname } = new URL(ada.page.url())
    await ada.goTo(`${pathname}?p.order=7&p.pw=x&connection=test`)
    await ada.page.getByLabel('order').waitFor()
    expect(await ada.page.getByLabel('order').inputValue()).toBe('7')
    expect(await ada.page.getByLabel('pw').inputValue()).toBe('')
    expect(await ada.page.getByLabel('Connection').inputValue()).toBe('test')
  })

  it('ticks none of several connections, and finds them by tag', async () => {
    await using ada = await stage.enter('/runbooks')
    await ada.page.getByRole('link', { name: 'where.runbook.sh' }).click()
    await ada.page.getByLabel('Run on several of them').check()
    expect(await ada.page.getByRole('button', { name: 'Run on 0 connections' }).isDisabled()).toBe(true)
    await ada.page.getByLabel('Search connections').fill('env=test')
    await ada.click('All')
    await ada.page.getByRole('button', { name: 'Run on 1 connection' }).waitFor()
  })
})
