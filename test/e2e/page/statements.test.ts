import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { faultsOfKeys, faultsOfLayout } from './looks.ts'
import { openMadeSession, picturesOf } from './made-session.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

// The record of native clients, as the page shows it. That gateway and agent make it is in test/e2e/native.

const PHONE = { width: 360, height: 740 }
const LONG_SQL = `select ${Array.from({ length: 900 }, (_, index) => `column_${index}`).join(', ')} from t`
/** Far fewer than there are. */
const MOST_DRAWN = 260

const statement = (query: string, more: object = {}) => ({
  ...{
    connection: 1,
    query,
    time: '2026-11-29T08:00:00Z',
    state: 'done',
    duration_ms: 1.25,
    rows: 3,
    error: null,
    error_text: null,
  },
  ...more,
})
const FEW = [
  statement('select name, mail from customers where id = $1'),
  statement("update accounts set pin = '***'", { rows: 1 }),
  statement('drop table orders', {
    ...{ state: 'failed', rows: null, error: '42501', error_text: 'must be owner of table orders' },
  }),
  statement('select pg_sleep(60)', { state: 'running', rows: null, duration_ms: null }),
  statement(LONG_SQL, { duration_ms: 61_000, rows: 1_234_567 }),
]

describe.skipIf(missingBrowser !== undefined)(
  `the list of statements of native clients${without(missingBrowser)}`,
  () => {
    const stage = new Stage({})

    /** Opens a session of a native client with these statements. */
    function opened(statements: readonly object[], options = {}): Promise<Visitor> {
      const native = { verb: 'connect', port: true, type: 'database', connection_subtype: 'postgres' }
      return openMadeSession({
        ...{ stage, options, change: (session) => ({ ...session, ...native }) },
        prepare: ({ page }) =>
          page.route('**/statements?*', (route) => route.fulfill({ json: { statements, has_more: false } })),
      })
    }

    it('shows each with duration and rows or its error, and the whole of a long one on demand', async () => {
      await using ada = await opened(FEW)
      const { page } = ada
      const row = (text: string) => page.getByRole('row').filter({ hasText: text })
      await row('select name, mail')
        .getByText('1.3 ms')
        .or(row('select name, mail').getByText('1.2 ms'))
        .waitFor()
      await row("pin = '***'").waitFor()
      await row('drop table orders').getByText('error 42501: must be owner of table orders').waitFor()
      await row('pg_sleep').getByText('running').waitFor()
      await row('select column_0').getByText('1,234,567').waitFor()
      expect(await page.getByText('column_899').isVisible()).toBe(false)
      await row('select column_0').getByText('characters').click()
      await page.getByText('column_899').waitFor()
      expect(await ada.faultsInBothThemes()).toEqual([])
      expect(await faultsOfKeys(page)).toEqual([])
      expect(ada.problems).toEqual([])
    })

    it('searches and sorts them, and downloads those that are shown as SQL', async () => {
      await using ada = await opened(FEW)
      const { page } = ada
      const queries = () => page.locator('.query:not(.is-bad)').allInnerTexts()
      await ada.sees('5 of 5 statements')
      await page.getByRole('button', { name: 'State' }).click()
      await expect.poll(async () => (await queries())[0]).toBe('drop table orders')
      await page.getByRole('button', { name: 'Took' }).click()
      await expect.poll(async () => (await queries())[0]).toContain('select column_0')
      await page
        .getByRole('columnheader', { name: 'Took' })
        .and(page.locator('[aria-sort=descending]'))
        .waitFor()
      await page.getByRole('button', { name: 'Took' }).click()
      await expect.poll(async () => (await queries())[0]).toContain('select name')
      await page.getByRole('button', { name: 'Errors 1' }).click()
      await expect.poll(queries).toEqual(['drop table orders'])
      await page.getByRole('button', { name: 'All 5' }).click()
      await page.getByRole('searchbox', { name: 'Search statements' }).fill('owner')
      await expect.poll(queries).toEqual(['drop table orders'])
      await page.getByRole('searchbox', { name: 'Search statements' }).fill('customers')
      await expect.poll(queries).toEqual(['select name, mail from customers where id = $1'])
      await ada.sees('1 of 5 statements')
      expect(await page.locator('tbody time').getAttribute('datetime')).toBe('2026-11-29T08:00:00Z')
      expect(await ada.faults()).toEqual([])
      const waiting = page.waitForEvent('download')
      await ada.click('Download .sql')
      const download = await waiting
      expect(download.suggestedFilename()).toMatch(/^terminal-[\d-]+\.sql$/)
      const saved = stage.site.place.at('statements.sql')
      await download.saveAs(saved)
      expect(readFileSync(saved, 'utf8')).toBe(
        '-- 2026-11-29T08:00:00Z admin, connection 1, done, 1.25 ms, 3 rows\n' +
          'select name, mail from customers where id = $1;\n',
      )
      await page.getByRole('searchbox', { name: 'Search statements' }).fill('no such thing')
      await ada.click('Clear the search')
      await ada.sees('5 of 5 statements')
      expect(ada.problems).toEqual([])
    })

    for (const [name, statements] of Object.entries({
      none: [],
      one: FEW.slice(0, 1),
      few: FEW,
      many: Array.from({ length: 500 }, (_, index) => statement(`select ${index} from orders`)),
    }))
      it(`has room for them on a phone: ${name}`, async () => {
        await using ada = await opened(statements, { viewport: PHONE })
        const { page } = ada
        if (statements.length > 0) {
          await page.getByLabel('Order').selectOption('errors first')
          expect(new URL(page.url()).searchParams.get('order')).toBe('errors')
        }
        if (statements.length === 0) await ada.sees('No statement was sent yet.')
        else await page.locator('.query').first().waitFor()
        expect(await faultsOfLayout(page)).toEqual([])
        expect(await page.locator('.query').count()).toBeLessThan(MOST_DRAWN)
        await picturesOf(ada, `statements-${name}`)
      })
  },
)
