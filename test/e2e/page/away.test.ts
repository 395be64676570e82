import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { SHOP } from './every-view.ts'
import { Stage } from './stage.ts'

describe.skipIf(missingBrowser !== undefined)(`a page without its gateway${without(missingBrowser)}`, () => {
  const stage = new Stage(SHOP)

  it('says that the connection is lost, and shows the view when it is tried again', async () => {
    await using visitor = await stage.enter('/')
    const { page } = visitor
    await page.context().setOffline(true)
    await page.getByRole('link', { name: 'Connections' }).first().click()
    const alert = page.getByRole('alert').filter({ hasText: 'The connection to the gateway is lost.' })
    await alert.waitFor()
    expect(await page.getByText('dynamically imported').count()).toBe(0)
    await page.context().setOffline(false)
    await alert.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Connections', level: 1 }).waitFor()
    expect(await alert.count()).toBe(0)
  })
})
