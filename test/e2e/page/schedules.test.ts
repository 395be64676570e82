import { describe, expect, it } from 'vitest'
import type { ListedSchedule } from '../../../web/src/api/types.ts'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { FilledStage } from './filled-stage.ts'
import { faultsOfLayout } from './looks.ts'
import type { Visitor } from './visitor.ts'

/** Cells of more than two lines, and pieces of a cell that reach beyond it. A line is pieces beside each other. */
const FAULTS_OF_ROWS = `[...document.querySelectorAll('main tbody tr:not(.gap)')].flatMap((row) =>
  [...row.cells].flatMap((cell) => {
    const cutBy = (node) => {
      for (let at = node; at !== cell; at = at.parentElement)
        if (getComputedStyle(at).overflowX !== 'visible') return at.getBoundingClientRect().right
      return Infinity
    }
    const pieces = [...cell.querySelectorAll('.chip, .button, .icon')]
      .filter((one) => one.checkVisibility())
      .map((one) => one.getBoundingClientRect())
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const text = walker.currentNode
      if (text.data.trim() === '' || text.parentElement.closest('.said-only') !== null) continue
      const range = document.createRange()
      range.selectNodeContents(text)
      const edge = cutBy(text.parentElement)
      for (const { left, right, top, bottom } of range.getClientRects())
        if (right > left) pieces.push({ left, right: Math.min(right, edge), top, bottom })
    }
    const bottoms = []
    for (const { top, bottom } of pieces.sort((one, other) => one.top - other.top)) {
      const last = bottoms.at(-1)
      if (last === undefined || top > last - 4) bottoms.push(bottom)
      else bottoms[bottoms.length - 1] = Math.max(last, bottom)
    }
    const { left, right } = cell.getBoundingClientRect()
    const name = row.cells[0].innerText.split('\\n')[0] + ', cell ' + (cell.cellIndex + 1)
    return [
      ...(bottoms.length > 2 ? [name + ' has ' + bottoms.length + ' lines'] : []),
      ...(pieces.some((one) => one.right > right + 1 || one.left < left - 1) ? [name + ' reaches beyond itself'] : []),
    ]
  }),
)`

const LONG = 'a-name-that-somebody-made-much-longer-than-any-column-of-this-table-is-wide'

describe.skipIf(missingBrowser !== undefined)(`the list of schedules${without(missingBrowser)}`, () => {
  const stage = new FilledStage()

  async function enter(width: number): Promise<Visitor> {
    const visitor = await stage.enter('admin', '/schedules', width)
    await visitor.page.getByRole('row', { name: /^smoke-test/ }).waitFor()
    return visitor
  }

  /** Gives the first schedules all that is long: names, times, who paused it, and why it was skipped. */
  async function lengthen({ page }: Visitor): Promise<void> {
    const session = '2f1f6a6e-7c1b-4c57-9d55-0c8f6f1c9b11'
    const at = '2026-11-18T22:45:00Z'
    const run = { id: '1', due_at: at, at, status: 'success', reason: null, session_id: session } as const
    await page.route('**/api/schedules', async (route) => {
      const answer = await route.fetch()
      const [first, second, third, ...others] = (await answer.json()) as [
        ...[ListedSchedule, ListedSchedule, ListedSchedule],
        ...ListedSchedule[],
      ]
      const long = {
        ...{ runbook: `${LONG}.runbook.sh`, connection: LONG, cron: '0,10,20,30,40,50 8-18 1-15 1-11 1-5' },
        ...{ timezone: 'America/Argentina/ComodRivadavia', as: LONG, next_runs: [at, at, at] },
      }
      const skipped = {
        ...run,
        status: 'skipped',
        reason: `skipped because of ${LONG}`,
        session_id: null,
      } as const
      const runs = (one: object) => [one, ...['2', '3', '4', '5'].map((id) => ({ ...run, id }))]
      await route.fulfill({
        json: [
          { ...first, ...long, name: `1-${LONG}`, paused_at: at, paused_by: LONG, last_runs: runs(run) },
          { ...second, ...long, name: `2-${LONG}`, last_runs: runs(skipped) },
          { ...third, ...long, name: `3-${LONG}`, problem: `the problem is ${LONG}`, last_runs: runs(run) },
          ...others,
        ],
      })
    })
    await page.reload()
    await page.getByRole('row', { name: /^3-a-name/ }).waitFor()
  }

  it.each([1440, 1024])(
    'has rows of at most two lines, and nothing on each other, at %d px',
    async (width) => {
      await using ida = await enter(width)
      const faults = () => ida.page.evaluate<string[]>(FAULTS_OF_ROWS)
      expect([...(await faults()), ...(await faultsOfLayout(ida.page))]).toEqual([])
      await lengthen(ida)
      expect([...(await faults()), ...(await faultsOfLayout(ida.page))]).toEqual([])
      expect(await ida.faultsInBothThemes()).toEqual([])
      expect(ida.problems).toEqual([])
    },
  )

  it('folds each row on a phone, and cuts nothing off', async () => {
    await using ida = await enter(390)
    expect(await faultsOfLayout(ida.page)).toEqual([])
    await lengthen(ida)
    expect(await faultsOfLayout(ida.page)).toEqual([])
    await ida.sees(`the problem is ${LONG}`)
    const cut = `[...document.querySelectorAll('tbody *')].filter((one) => getComputedStyle(one).textOverflow === 'ellipsis').length`
    expect(await ida.page.evaluate<number>(cut)).toBe(0)
    expect(ida.problems).toEqual([])
  })
})
