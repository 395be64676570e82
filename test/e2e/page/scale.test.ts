import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { waitFor } from '../../support/wait.ts'
import { Stage } from './stage.ts'

const LONGEST = 100_000_000
/** What the tab may use, of the scripts and of the bytes that they hold. */
const MOST_MEMORY = 150_000_000
/** Rows that a view may draw, however many there are. */
const MOST_DRAWN = 120

const RUNBOOKS = Object.fromEntries(
  Array.from({ length: 5000 }, (_, index) => [`team${index % 50}/book-${index}.runbook.sh`, 'echo']),
)

describe.skipIf(missingBrowser !== undefined)(
  `the page with a great deal of data${without(missingBrowser)}`,
  () => {
    const stage = new Stage({ env: { RUNBOOK_AGENT_OUTPUT_CAP: '200MiB' }, runbooks: RUNBOOKS })

    it('scrolls through and searches 100 MB of output, in little memory', async () => {
      const { body } = await stage.site.rest.script('bash', `seq 1 13400000 | head -c ${LONGEST}`)
      await using ada = await stage.enter(`/sessions/${body.session_id}`)
      const log = ada.page.getByRole('log', { name: 'Output' })
      const tab = await ada.page.context().newCDPSession(ada.page)
      let most = 0
      /** What is held: what could be thrown away is, whenever the browser likes. */
      const measure = async () => {
        await tab.send('HeapProfiler.collectGarbage')
        const heap = (await tab.send('Runtime.getHeapUsage')) as {
          usedSize: number
          backingStorageSize?: number
        }
        most = Math.max(most, heap.usedSize + (heap.backingStorageSize ?? 0))
      }
      await log.waitFor()
      await measure()
      await ada.page.locator('[role=log][aria-busy=false]').waitFor()
      await measure()
      await log.press('End')
      await log.getByText('12345678', { exact: true }).waitFor()
      const middle = () =>
        ada.page.evaluate<string>(`(() => {
      const log = document.querySelector('[role=log]')
      log.scrollTop = log.scrollHeight / 2
      return log.innerText
    })()`)
      await waitFor(async () => /^617\d{4}$/m.test(await middle()))
      await ada.page.getByRole('searchbox', { name: 'Search output' }).fill('9876543')
      await ada.sees('1 of 1')
      await log.getByText('9876543', { exact: true }).waitFor()
      await measure()
      expect(most).toBeLessThan(MOST_MEMORY)
      expect(await ada.page.locator('.row').count()).toBeLessThan(MOST_DRAWN)
      expect(ada.problems).toEqual([])
    })

    it('lists and searches 5,000 runbooks', async () => {
      await using ada = await stage.enter('/runbooks')
      // Folders begin folded, but for what ran lately; a search opens them.
      await ada.page.getByRole('region', { name: 'Runbooks' }).waitFor()
      expect(await ada.page.getByRole('link', { name: 'book-' }).count()).toBeLessThan(10)
      await ada.page.getByRole('searchbox', { name: 'Search runbooks' }).fill('book-')
      await ada.page.getByRole('link', { name: 'book-0.runbook.sh' }).waitFor()
      expect(await ada.page.locator('.window-rows li').count()).toBeLessThan(MOST_DRAWN)
      await ada.page.getByRole('region', { name: 'Runbooks' }).press('End')
      await ada.page.getByRole('link', { name: 'book-4959.runbook.sh' }).waitFor()
      await ada.page.getByRole('searchbox', { name: 'Search runbooks' }).fill('book-4321')
      await ada.page.getByRole('link', { name: 'book-4321.runbook.sh' }).click()
      await ada.page.getByRole('button', { name: 'Run', exact: true }).waitFor()
    })

    it('lists 10,000 sessions, and asks for those that are looked at', async () => {
      await using ada = await stage.enter('/agents')
      const { body } = await stage.site.rest.script('bash', 'echo one')
      const list = await stage.site.rest.send('GET', '/api/sessions?limit=1')
      const { data } = JSON.parse(list.body) as { data: [{ labels: object }] }
      const asked: number[] = []
      await ada.page.route('**/api/sessions?*', async (route) => {
        const offset = Number(new URL(route.request().url()).searchParams.get('offset'))
        asked.push(offset)
        const rows = Array.from({ length: 100 }, (_, index) => ({
          ...data[0],
          id: body.session_id,
          labels: { runbookFile: `number ${offset + index}` },
        }))
        await route.fulfill({
          json: { data: rows, total: 10_000, total_is_capped: true, has_next_page: true },
        })
      })
      await ada.page.getByRole('navigation').getByRole('link', { name: 'Sessions' }).click()
      await ada.page.getByRole('link', { name: 'number 3', exact: true }).waitFor()
      await ada.page.getByRole('region', { name: 'Sessions' }).press('End')
      await ada.page.getByRole('link', { name: 'number 9999', exact: true }).waitFor()
      expect(await ada.page.locator('.window-rows li').count()).toBeLessThan(MOST_DRAWN)
      expect(new Set(asked).size).toBeLessThan(30)
    })

    it('lists and searches 10,000 users and their tokens', async () => {
      await using ada = await stage.enter('/agents')
      const { page } = ada
      const { rest } = stage.site
      const [user] = JSON.parse((await rest.send('GET', '/api/users')).body) as [object]
      const [token] = JSON.parse((await rest.send('GET', '/api/tokens')).body) as [object]
      const named = (index: number) => `user-${String(index).padStart(5, '0')}`
      const many = (one: (index: number) => object) =>
        Array.from({ length: 10_000 }, (_, index) => one(index))
      await page.route('**/api/users', (route) =>
        route.fulfill({ json: many((index) => ({ ...user, name: named(index) })) }),
      )
      await page.route('**/api/tokens*', (route) =>
        route.fulfill({
          json: many((index) => ({ ...token, id: named(index), name: named(index), kind: 'personal' })),
        }),
      )
      for (const [link, name] of [
        ['Users', 'Users'],
        ['Tokens', 'Tokens'],
      ] as const) {
        await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: link }).click()
        const row = (of: string) => page.getByRole('row').filter({ hasText: of })
        await row(named(0)).waitFor()
        const drawn = () => page.locator('tbody tr:not(.gap)').count()
        expect(await drawn()).toBeLessThan(MOST_DRAWN)
        // The focus comes from the link into the view after the rows do. With the focus on the link, End scrolls
        // the list of links.
        await page.locator('#main:focus').waitFor()
        await page.keyboard.press('End')
        await row(named(9999)).waitFor()
        await expect.poll(drawn).toBeLessThan(2 * MOST_DRAWN)
        await page.getByRole('searchbox', { name: `Search ${name.toLowerCase()}` }).fill('user-04321')
        await expect.poll(drawn).toBe(1)
        await row('user-04321').waitFor()
      }
      expect(ada.problems).toEqual([])
    })
  },
)
