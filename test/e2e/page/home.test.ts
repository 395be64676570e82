import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { FilledStage } from './filled-stage.ts'
import type { Visitor } from './visitor.ts'

describe.skipIf(missingBrowser !== undefined)(`Home of a filled site${without(missingBrowser)}`, () => {
  const stage = new FilledStage()

  async function enter(role: Parameters<FilledStage['enter']>[0], width?: number): Promise<Visitor> {
    const visitor = await stage.enter(role, '/', width)
    await visitor.page.getByRole('heading', { name: 'Needs a look' }).waitFor()
    return visitor
  }

  it('shows runs, successes, waits and agents, with the days before', async () => {
    await using ida = await enter('admin')
    const tiles = ida.page.getByRole('region', { name: 'Last 14 days' })
    await tiles.getByRole('img', { name: /^Runs of the last 14 days: (\d+, ){13}\d+$/ }).waitFor()
    await tiles
      .getByRole('img', { name: /^Share that succeeded of the last 14 days: [\d.%, none]+$/ })
      .waitFor()
    await tiles.getByRole('img', { name: /^Wait for approval of the last 14 days: / }).waitFor()
    expect(await tiles.locator('.tile-value').allInnerTexts()).toEqual([
      expect.stringMatching(/^\d+$/),
      expect.stringMatching(/^\d+(\.\d)?%$/),
      expect.stringMatching(/^\d+ (s|min)$/),
      '1 of 2',
    ])
    await tiles.getByText('edge-lisbon is away').waitFor()
    await tiles.getByRole('link', { name: 'Agents' }).click()
    await ida.page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
  })

  it('names agents away, broken schedules, batches and runs that need a look, each once', async () => {
    await using ida = await enter('admin')
    const card = ida.page.getByRole('region', { name: 'Needs a look' })
    await card.getByText('batch stopped, 5 not begun').waitFor()
    await card.getByText('failed (7)').waitFor()
    const rows = await card.getByRole('listitem').allInnerTexts()
    const among = (text: RegExp) => rows.filter((row) => text.test(row)).length
    expect(rows[0]).toContain('edge-lisbon')
    expect([among(/schedule purge-carts/), among(/schedule old-mirror .*connection not found/)]).toEqual([
      1, 1,
    ])
    expect(among(/2 of 6 failed/)).toBe(2)
    // The failed runs of a batch or of a broken schedule are in its row.
    expect(among(/on web-04/)).toBe(0)
    expect(among(/on queue-01/)).toBe(0)
    await card.getByRole('link', { name: 'Roll out a version' }).click()
    await ida.page.getByRole('heading', { level: 1, name: 'Roll out a version' }).waitFor()
  })

  it.each([1440, 1024, 390])('is usable by everybody, and fits into %d px', async (width) => {
    await using omar = await enter('operator', width)
    await omar.page.getByRole('region', { name: 'Last 14 days' }).getByText('on an average day').waitFor()
    expect(await omar.faultsInBothThemes()).toEqual([])
    expect(await omar.page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    expect(omar.problems).toEqual([])
  })
})
