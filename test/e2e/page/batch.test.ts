import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { Stage } from './stage.ts'

describe.skipIf(missingBrowser !== undefined)(
  `the page for many runs at once${without(missingBrowser)}`,
  () => {
    const stage = new Stage({
      connections: ['one', 'two', 'three'].map((name) => ({ name, command: ['bash'], env: { PLACE: name } })),
      runbooks: { 'ops/where.runbook.sh': 'if [ "$PLACE" = three ]; then echo differs; else echo alike; fi' },
      schedules: [
        {
          name: 'nightly',
          cron: '0 3 * * *',
          connection: 'one',
          runbook: 'ops/where.runbook.sh',
          as: 'admin',
        },
      ],
    })

    it('runs a runbook on several connections, wave by wave, and shows which differs', async () => {
      await using ada = await stage.enter('/runbooks')
      const { page } = ada
      await page.getByRole('link', { name: 'where.runbook.sh' }).click()
      await page.getByLabel('Run on several connections').check()
      await ada.click('All')
      await page.getByLabel('bash', { exact: true }).uncheck()
      await page.getByLabel('Waves').fill('1,rest')
      await ada.click('Run on 3 connections')
      await ada.sees('3 of 3 succeeded')
      await ada.sees('all have run')
      await page.getByRole('heading', { name: 'Wave 2' }).waitFor()
      await ada.sees('2 same, 1 different')
      await ada.sees('+differs')
      await ada.picture('batch')
      await page.getByRole('link', { name: 'three', exact: true }).click()
      await ada.reads('differs')
    })

    it('says which connection refuses a batch, and runs nothing', async () => {
      await using ada = await stage.enter('/runbooks')
      await ada.page.getByRole('link', { name: 'where.runbook.sh' }).click()
      await ada.page.getByLabel('Run on several connections').check()
      await ada.page.getByLabel('one', { exact: true }).check()
      await ada.page.getByLabel('Waves').fill('nothing')
      await ada.click('Run on 1 connection')
      await ada.page.getByRole('alert').waitFor()
      expect(ada.page.url()).toContain('/runbooks/')
    })

    it('keeps the filters of the history in the address', async () => {
      await stage.site.rest.script('one', 'echo from one')
      await stage.site.rest.script('two', 'echo from two')
      await using ada = await stage.enter('/sessions')
      const { page } = ada
      await page.getByLabel('Connection', { exact: true }).fill('two')
      await page.getByLabel('Connection', { exact: true }).press('Enter')
      await page.getByRole('link', { name: 'script' }).first().waitFor()
      await page.waitForURL(/connection=two/)
      await page.reload()
      await page.getByRole('link', { name: 'script' }).first().waitFor()
      expect(await page.getByLabel('Connection', { exact: true }).inputValue()).toBe('two')
      expect(await page.locator('.session-about').allInnerTexts()).toEqual(
        expect.not.arrayContaining([expect.stringContaining('one')]),
      )
      const filter = page.getByLabel('Connection', { exact: true })
      await filter.fill('tw')
      await ada.sees('No session fits these filters.')
      await filter.fill('tw*')
      await page.getByRole('link', { name: 'script' }).first().waitFor()
      await page.getByLabel('Until').fill('2020-01-01')
      await ada.sees('No session fits these filters.')
    })

    it('shows, runs and pauses a schedule', async () => {
      await using ada = await stage.enter('/schedules')
      await ada.sees('0 3 * * *')
      await ada.click('Run now')
      await ada.page.getByRole('link', { name: 'succeeded' }).waitFor()
      await ada.click('Pause')
      await ada.sees('paused')
      await ada.click('Resume')
      await ada.page.getByRole('button', { name: 'Pause' }).waitFor()
    })
  },
)
