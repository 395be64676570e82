import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { waitFor } from '../../support/wait.ts'
import { FilledStage } from './filled-stage.ts'
import type { Visitor } from './visitor.ts'

describe.skipIf(missingBrowser !== undefined)(
  `The list of sessions of a filled site${without(missingBrowser)}`,
  () => {
    const stage = new FilledStage()

    async function enter(view = '/sessions', width?: number): Promise<Visitor> {
      const visitor = await stage.enter('admin', view, width)
      await visitor.settled()
      return visitor
    }

    const rowsOf = ({ page }: Visitor) => page.getByRole('region', { name: 'Sessions' }).getByRole('listitem')

    it('has one line for a session, and one with its count for a batch, which leads to its sessions', async () => {
      await using ida = await enter()
      const { page } = ida
      const batch = rowsOf(ida).filter({ hasText: '4 of 6' }).first()
      await batch.waitFor()
      expect((await batch.boundingBox())?.height).toBe(40)
      await batch.getByText('6 runs').waitFor()
      expect(await batch.getByText('4 of 6').innerText()).toContain('succeeded, 2 failed')
      await batch.getByRole('link', { name: /^Show the 6 sessions of / }).click()
      await expect.poll(() => rowsOf(ida).count()).toBe(6)
      await page.getByRole('button', { name: 'Remove the filter Batch' }).click()
      await batch.getByRole('link', { name: 'Restart the payment workers', exact: true }).click()
      await page.waitForURL(/\/batches\//)
    })

    it('has on a phone the values and the user of each session, too, and the whole names of runbooks', async () => {
      await using ida = await enter('/sessions?text=refund', 390)
      const row = rowsOf(ida).filter({ hasText: 'Refund an order' }).first()
      await row.waitFor()
      for (const part of ['.listed-values .value', '.listed-user', '.listed-place'])
        expect([part, await row.locator(part).first().isVisible()]).toEqual([part, true])
      await ida.goTo('/runbooks')
      const names = ida.page.getByRole('region', { name: 'Runbooks' }).locator('a.whole > bdi')
      await names.first().waitFor()
      const cut = (all: Element[]) =>
        all.filter((one) => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 1)
          .length
      expect(await names.evaluateAll(cut)).toBe(0)
      expect(ida.problems).toEqual([])
    })

    it('has one line for the runs of a schedule on a day, which a switch unfolds', async () => {
      const run = () =>
        stage.filled.site.rest.send('POST', '/api/schedules/orders/run', '{}', stage.filled.tokenOf('admin'))
      // A schedule refuses a second run until the first one has ended.
      for (let times = 0; times < 2; times++) await waitFor(async () => (await run()).status < 300)
      await using ida = await enter('/sessions?text=orders')
      const day = rowsOf(ida).filter({ hasText: / of [23]\b/ })
      await day.first().waitFor()
      // The list draws only the rows of its window, so the rows cannot be counted.
      const total = async () => Number(await ida.page.locator('header.head > .soft').innerText())
      const folded = await total()
      await ida.page.getByRole('switch', { name: 'Fold schedules' }).uncheck()
      await expect.poll(total).toBeGreaterThan(folded)
      await expect.poll(() => day.count()).toBe(0)
      await ida.page.getByRole('switch', { name: 'Fold schedules' }).check()
      await day.getByRole('link', { name: /^Show the [23] sessions of / }).click()
      await ida.page.waitForURL(/schedule=orders/)
      await expect.poll(() => rowsOf(ida).count()).toBeGreaterThan(1)
    })

    it('sorts by a press on a heading, and exports what it shows in its order', async () => {
      await using ida = await enter('/sessions?kind=script&status=succeeded')
      const { page } = ida
      await page.getByRole('button', { name: 'Sort by took' }).click()
      await page.waitForURL(/sort=longest/)
      await ida.sees('Sessions that never began or have not ended have no duration and are left out.')
      const shown = async () => {
        const links = await rowsOf(ida).getByRole('link').all()
        return Promise.all(links.map((link) => link.getAttribute('href')))
      }
      const exported = async () => {
        const link = (await page.getByRole('link', { name: 'Export' }).getAttribute('href')) ?? ''
        const text = await page.evaluate<string>(
          `fetch(${JSON.stringify(link)}).then((reply) => reply.text())`,
        )
        return text.trimEnd().split('\r\n').slice(1)
      }
      const addresses = (lines: readonly string[]) =>
        lines.map((line) => `/sessions/${line.split(',')[0] ?? ''}`)
      await expect.poll(async () => (await shown()).length).toBeGreaterThan(5)
      await expect
        .poll(async () => addresses(await exported()).slice(0, (await shown()).length))
        .toEqual(await shown())
      const before = await shown()
      await page.getByRole('button', { name: 'Sort by took' }).click()
      await page.waitForURL(/sort=shortest/)
      await expect.poll(shown).not.toEqual(before)
      const lines = await exported()
      expect(addresses(lines).slice(0, (await shown()).length)).toEqual(await shown())
      const seconds = lines.map((line) => Number(line.split(',').at(-3)))
      expect(seconds).toEqual(seconds.toSorted((a, b) => a - b))
    })

    it('finds words in runbook, values and user, and states such as withdrawn', async () => {
      await using ida = await enter()
      const { page } = ida
      await page.getByRole('searchbox', { name: 'Search' }).fill('roll tom.becker')
      await page.waitForURL(/text=roll/)
      await expect
        .poll(async () => {
          const texts = await rowsOf(ida).allInnerTexts()
          return texts.length > 0 && texts.every((text) => /roll/i.test(text) && text.includes('tom.becker'))
        })
        .toBe(true)
      await page.getByRole('button', { name: 'Clear' }).click()
      for (const [state, word] of [
        ['open', /waits|running|approved|\d of \d/],
        ['expired', /expired/],
      ] as const) {
        await page.getByLabel('State').selectOption(state)
        await expect
          .poll(async () => {
            const texts = await rowsOf(ida).allInnerTexts()
            return texts.length > 0 && texts.every((text) => word.test(text))
          })
          .toBe(true)
      }
    })

    it('filters by a press on a day or an outcome of the chart', async () => {
      await using ida = await enter()
      const chart = ida.page.getByRole('region', { name: 'The last 14 days' })
      expect(await chart.locator('.days li').count()).toBe(14)
      const day = chart.getByRole('link', { name: /^\d+ ?\w+ ?: \d+ succeeded/ }).nth(5)
      const [, count = ''] = /: (\d+) succeeded/.exec(await day.innerText()) ?? []
      await day.click()
      await ida.page.waitForURL(/from=(\d{4}-\d\d-\d\d)&to=\1/)
      await ida.page.getByRole('switch', { name: 'Fold schedules' }).uncheck()
      await chart.getByRole('link', { name: /^[\d,]+ succeeded$/ }).click()
      await ida.page.waitForURL(/status=succeeded/)
      const link = (await ida.page.getByRole('link', { name: 'Export' }).getAttribute('href')) ?? ''
      const text = await ida.page.evaluate<string>(
        `fetch(${JSON.stringify(link)}).then((reply) => reply.text())`,
      )
      expect(text.trimEnd().split('\r\n')).toHaveLength(Number(count) + 1)
      await chart
        .getByRole('link', { name: /: \d+ succeeded/ })
        .nth(5)
        .click()
      await ida.page.waitForURL((url) => !url.search.includes('from='))
    })

    it('keeps a filter of the user under a name in the browser, but none that may be a secret', async () => {
      await using ida = await enter('/sessions?connection=web-*&sort=longest')
      const { page } = ida
      const saved = page.getByRole('list', { name: 'Saved filters' })
      await ida.click('Save this filter')
      await page.getByLabel('Name').fill('Long on web')
      await page.getByLabel('Name').press('Enter')
      await saved.getByRole('link', { name: 'Mine' }).click()
      await page.waitForURL(/user=ida.berg/)
      await page.reload()
      await saved.getByRole('link', { name: 'Long on web' }).click()
      await page.waitForURL(/connection=web-\*&sort=longest/)
      await page.getByRole('button', { name: 'Remove the saved filter Long on web' }).click()
      await saved.getByRole('link', { name: 'Long on web' }).waitFor({ state: 'detached' })
      await page.goto(`http://${stage.filled.site.address}/sessions?text=password%3Dhunter2`)
      await ida.click('Save this filter')
      await page.getByLabel('Name').fill('Mine, too')
      await ida.sees('The filter cannot be saved: it may contain a secret.')
      expect(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled()).toBe(true)
    })

    it('shows user and duration at 1024 px', async () => {
      await using ida = await enter('/sessions?user=ida.berg', 1024)
      const row = rowsOf(ida).filter({ hasText: 'ida.berg' }).first()
      await row.waitFor()
      expect((await row.boundingBox())?.height).toBe(40)
      await row.getByText('ida.berg').waitFor()
      await row
        .getByText(/^\d+(\.\d)? s$|min/)
        .first()
        .waitFor()
    })

    it.each([1440, 1024, 390])('is usable by everybody, and fits into %d px', async (width) => {
      await using ida = await enter('/sessions?schedule=close-day&fold=no', width)
      await rowsOf(ida).first().waitFor()
      expect(await ida.faultsInBothThemes()).toEqual([])
      expect(await ida.page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(
        true,
      )
      expect(ida.problems).toEqual([])
    })
  },
)
