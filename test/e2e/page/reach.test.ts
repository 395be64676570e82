import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { SHOP, SUE, viewsOf, type View } from './every-view.ts'
import { faultsOfKeys, faultsOfLayout } from './looks.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

/** Of some fifteen views in a browser, on a machine that is busy with other tests. */
const VIEWS_MS = 300_000

const USUAL = { width: 1280, height: 800 }
/** A usual screen at 200 %. */
const LARGE = { width: 640, height: 400 }

describe.skipIf(missingBrowser !== undefined)(`each view${without(missingBrowser)}`, () => {
  let views: readonly View[] = []
  const stage = new Stage(SHOP, async (site) => {
    views = await viewsOf(site)
  })

  /** Goes through the views of one person, and has the faults of each. */
  async function through(
    options: Parameters<Stage['arrive']>[0],
    who: View['who'],
    [part, parts]: readonly [number, number],
    faults: (visitor: Visitor, view: View) => Promise<string[]>,
  ): Promise<string[]> {
    const found: string[] = []
    await using visitor = await stage.arrive(options)
    await visitor.signIn(who === undefined ? stage.site.token : stage.site.tokenOf(who))
    const own = views.filter((one) => one.who === who)
    for (const view of own.filter((_, at) => at % parts === part)) {
      await visitor.goTo(view.path)
      await visitor.settled()
      await view.open?.(visitor.page)
      found.push(...(await faults(visitor, view)).map((fault) => `${view.name}: ${fault}`))
    }
    return [...found, ...visitor.problems, ...visitor.foreign]
  }

  // Each view is loaded twice: a phone is another device, and all else is a matter of size, colours and keys.
  for (const [who, parts] of [[SUE, 1] as const, [undefined, 3] as const])
    for (let part = 0; part < parts; part += 1) {
      const whose = `${who ?? 'admin'}, part ${part + 1} of ${parts}`

      it(
        `shows all of itself on a phone: ${whose}`,
        async () => {
          const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
          expect(await through(phone, who, [part, parts], ({ page }) => faultsOfLayout(page))).toEqual([])
        },
        VIEWS_MS,
      )

      it(
        `shows all of itself twice as large, in both themes of the page and in the system's colours, for axe and for keys: ${whose}`,
        async () => {
          // A colour that is on its way is nobody's.
          const still = { viewport: LARGE, colorScheme: 'light', reducedMotion: 'reduce' } as const
          const all = async (visitor: Visitor, { name }: View) => {
            const { page } = visitor
            const found = await faultsOfLayout(page)
            await page.setViewportSize(USUAL)
            found.push(...(await visitor.faultsInBothThemes()))
            await page.emulateMedia({ forcedColors: 'active', colorScheme: 'light' })
            // A program in a terminal gets all keys, Tab, too: Ctrl+Shift+Escape leaves it.
            if (name !== 'terminal') found.push(...(await faultsOfKeys(page)))
            await page.emulateMedia({ forcedColors: 'none' })
            await page.setViewportSize(LARGE)
            return found
          }
          expect(await through(still, who, [part, parts], all)).toEqual([])
        },
        VIEWS_MS,
      )
    }
})
