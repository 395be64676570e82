import { describe, expect, it } from 'vitest'
import { missingBrowser, OwnBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Development } from '../../support/sites/development.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { Visitor } from './visitor.ts'

async function follow(link: string, browser: OwnBrowser): Promise<Visitor> {
  const { host, pathname, hash } = new URL(link)
  const visitor = await Visitor.arrive(browser, host)
  await visitor.goTo(pathname + hash)
  return visitor
}

describe.skipIf(missingBrowser !== undefined)(`the link of npm start${without(missingBrowser)}`, () => {
  it('signs in once, and leads to Home, from where a runbook runs by two clicks', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    await using browser = await OwnBrowser.open()
    await using ada = await follow(dev.ready.page, browser)
    await ada.page.getByRole('link', { name: 'Run again: Greet a person' }).click()
    await ada.sees('Nothing has run.')
    await ada.click('Run')
    await ada.reads('hello, world')
    await ada.sees('exit code 0')
    expect(ada.page.url()).not.toContain('code')

    await using second = await follow(dev.ready.page, browser)
    await second.sees('this link was used')
    await second.page.getByLabel('Token').waitFor()
    expect(ada.problems).toEqual([])
  })

  it('shows the examples on Home, their table as a chart, and removes them by one click', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    await using browser = await OwnBrowser.open()
    await using ada = await follow(dev.ready.page, browser)
    for (const [card, text] of [
      ['Waiting for you', 'Refund an order'],
      ['Needs a look', '1 of 4 failed'],
      ['Next schedules', 'example-nightly-stock'],
      ['Your runbooks', 'Revenue by day and shop'],
    ] as const)
      await ada.page.getByRole('region', { name: card }).getByText(text).first().waitFor()
    await ada.sees('The first start made examples.')
    expect(await ada.faultsInBothThemes()).toEqual([])
    await ada.page.getByRole('link', { name: 'Run again: Revenue by day and shop' }).click()
    await ada.click('Run')
    await ada.page.getByRole('tab', { name: 'Chart' }).click()
    await ada.page.getByRole('img', { name: /^Berlin by day: 14 values/ }).waitFor()
    await ada.goTo('/')
    await ada.click('Remove the examples')
    await ada.sees('The examples are removed.')
    await ada.page.getByRole('button', { name: 'Remove the examples' }).waitFor({ state: 'detached' })
    await ada.page.getByRole('region', { name: 'Next schedules' }).waitFor({ state: 'detached' })
    await ada.page.getByRole('region', { name: 'Waiting for you' }).waitFor({ state: 'detached' })
    expect(ada.problems).toEqual([])
  })
})
