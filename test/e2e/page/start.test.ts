import { describe, expect, it } from 'vitest'
import { missingBrowser, OwnBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Development } from '../../support/sites/development.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { Visitor } from './visitor.ts'

describe.skipIf(missingBrowser !== undefined)(`the link of npm start${without(missingBrowser)}`, () => {
  it('signs in once, and leads to a runbook that runs by two clicks', async () => {
    using place = new Workplace()
    await using dev = await Development.start(place)
    await using browser = await OwnBrowser.open()
    const link = new URL(dev.ready.page)
    await using ada = await Visitor.arrive(browser, link.host)
    await ada.goTo(link.pathname + link.hash)
    await ada.sees('Nothing has run.')
    await ada.click('Run')
    await ada.reads('hello, world')
    await ada.sees('exit code 0')
    expect(ada.page.url()).not.toContain('code')

    await using second = await Visitor.arrive(browser, link.host)
    await second.goTo(link.pathname + link.hash)
    await second.sees('this link was used')
    await second.page.getByLabel('Token').waitFor()
    expect(ada.problems).toEqual([])
  })
})
