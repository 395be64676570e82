import { existsSync, rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { waitFor } from '../../support/wait.ts'
import { Stage } from './stage.ts'

const FLAKY = `
echo {{ .word | type "password" }} > /dev/null
if [ "$PLACE" = two ] && [ -e "$TMPDIR/full" ]; then
  echo 'no space left on device' >&2
  exit 7
fi
`

describe.skipIf(missingBrowser !== undefined)(
  `the page for many runs at once${without(missingBrowser)}`,
  () => {
    const stage = new Stage({
      connections: ['one', 'two', 'three'].map((name) => ({ name, command: ['bash'], env: { PLACE: name } })),
      runbooks: {
        'ops/where.runbook.sh': 'if [ "$PLACE" = three ]; then echo differs; else echo alike; fi',
        'ops/flaky.runbook.sh': FLAKY,
        'ops/slow.runbook.sh': 'touch "$TMPDIR/slow"; exec sleep 600',
      },
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

    const posted = async (path: string, body: object): Promise<{ readonly id: string }> => {
      const answer = await stage.site.rest.send('POST', path, JSON.stringify(body))
      if (answer.status >= 300) throw new Error(answer.body)
      return JSON.parse(answer.body) as { readonly id: string }
    }

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
      await ada.sees('Compared with each other: exit code, stdout and stderr of the 3 runs that have ended.')
      await page.getByRole('link', { name: /^three / }).click()
      await ada.reads('differs')
    })

    it('shows first what failed and why, and runs it again with what is not recorded, by the keyboard', async () => {
      stage.site.place.write('tmp/full', '')
      const { id } = await posted('/api/batches', {
        ...{ file_name: 'ops/flaky.runbook.sh', connections: ['one', 'two', 'three'] },
        ...{ waves: '1,1,rest', parameters: { word: 'open-sesame' } },
      })
      await using ada = await stage.enter(`/batches/${id}`)
      const { page } = ada
      await ada.sees('1 failed, 1 never began')
      await page
        .getByRole('region', { name: /two wrote to stderr/ })
        .getByText('no space left')
        .waitFor()
      await page.getByRole('button', { name: 'Run the failed again' }).press('Enter')
      const dialog = page.getByRole('dialog', { name: 'Run again' })
      expect(await dialog.getByLabel('two', { exact: true }).isChecked()).toBe(true)
      expect(await dialog.getByLabel('three', { exact: true }).isChecked()).toBe(true)
      expect(await dialog.getByLabel('one', { exact: true }).count()).toBe(0)
      await dialog.getByLabel('three', { exact: true }).press('Space')
      rmSync(stage.site.place.at('tmp/full'))
      await dialog.getByLabel('word').fill('open-sesame')
      await page.keyboard.press('Enter')
      await ada.sees('1 of 1 succeeded')
      await page.getByRole('link', { name: 'An earlier batch' }).click()
      await page.getByRole('link', { name: 'Open the batch that ran it again' }).waitFor()
      expect(await page.getByRole('button', { name: 'Run the failed again' }).count()).toBe(0)
      expect(await page.content()).not.toContain('open-sesame')
    })

    it('leaves out what may have had an effect, until somebody ticks it', async () => {
      const { id } = await posted('/api/batches', {
        ...{ file_name: 'ops/slow.runbook.sh', connections: ['one', 'two'] },
        waves: '1,rest',
      })
      const path = `/api/batches/${id}`
      await waitFor(() => existsSync(stage.site.place.at('tmp/slow')))
      await posted(`${path}/stop`, { kill: true })
      await using ada = await stage.enter(`/batches/${id}`)
      await ada.sees('1 never began, 1 stopped')
      await ada.sees('0 of 2 succeeded, 1 stopped, 1 not begun')
      await ada.click('Run the rest')
      const dialog = ada.page.getByRole('dialog', { name: 'Run again' })
      await dialog.getByRole('group', { name: 'Stopped' }).waitFor()
      expect(await dialog.getByLabel('one', { exact: true }).isChecked()).toBe(false)
      await dialog.getByRole('button', { name: 'Start 1 run' }).waitFor()
      await dialog.getByLabel('one', { exact: true }).check()
      await dialog.getByRole('button', { name: 'Start 2 runs' }).waitFor()
    })

    it('says which connection refuses a batch, and runs nothing', async () => {
      await using ada = await stage.enter('/runbooks')
      await ada.page.getByRole('link', { name: 'where.runbook.sh' }).click()
      await ada.page.getByLabel('Run on several connections').check()
      await ada.click('None')
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
