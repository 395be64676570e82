import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { SHOP, SUE, viewsOf, type View } from './every-view.ts'
import { faultsOfKeys, faultsOfLayout } from './looks.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

describe.skipIf(missingBrowser !== undefined)(`each view${without(missingBrowser)}`, () => {
  let views: readonly View[] = []
  const stage = new Stage(SHOP, async (site) => {
    views = await viewsOf(site)
  })

  /** Goes through all views, and has the faults of each. */
  async function through(
    options: Parameters<Stage['arrive']>[0],
    faults: (visitor: Visitor, view: View) => Promise<string[]>,
    people: Iterable<string | undefined> = new Set(views.map(({ who }) => who)),
  ): Promise<string[]> {
    const found: string[] = []
    for (const who of people) {
      await using visitor = await stage.arrive(options)
      await visitor.signIn(who === undefined ? stage.site.token : stage.site.tokenOf(who))
      for (const view of views.filter((one) => one.who === who)) {
        await visitor.goTo(view.path)
        await visitor.settled()
        await view.open?.(visitor.page)
        found.push(...(await faults(visitor, view)).map((fault) => `${view.name}: ${fault}`))
      }
      found.push(...visitor.problems, ...visitor.foreign)
    }
    return found
  }

  it('shows all of itself on a phone', async () => {
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
    expect(await through(phone, ({ page }) => faultsOfLayout(page))).toEqual([])
  })

  it('shows all of itself twice as large', async () => {
    const zoomed = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }
    expect(await through(zoomed, ({ page }) => faultsOfLayout(page))).toEqual([])
  })

  it('is used by keys alone, and shows where the focus is, also in the colours of the system', async () => {
    const forced = { viewport: { width: 1280, height: 800 }, forcedColors: 'active' } as const
    // A program in a terminal gets all keys, Tab, too: Ctrl+Shift+Escape leaves it.
    const faults = ({ page }: Visitor, { name }: View) =>
      name === 'terminal' ? Promise.resolve([]) : faultsOfKeys(page)
    expect(await through(forced, faults)).toEqual([])
  })

  for (const who of [SUE, undefined])
    it(`has nothing for axe to find, in either theme, as ${who ?? 'admin'}`, async () => {
      // A colour that is on its way is nobody's.
      const still = { colorScheme: 'light', reducedMotion: 'reduce' } as const
      expect(await through(still, (visitor) => visitor.faultsInBothThemes(), [who])).toEqual([])
    })
})
