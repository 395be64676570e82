import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { outer } from '../../support/machine/own-folders.ts'
import { without } from '../../support/machine/servers.ts'
import { SHOP, viewsOf, type View } from './every-view.ts'
import { Stage } from './stage.ts'

// `npm run pictures` leaves a picture of each view, at each width and in both themes, in PICTURES_TO. What can be
// measured of them is in reach.test.ts.

const FOLDER = outer['PICTURES_TO'] ?? ''
const SIZES = [
  { width: 360, height: 740 },
  { width: 1024, height: 768 },
  { width: 1440, height: 900 },
]

describe.skipIf(missingBrowser !== undefined || FOLDER === '')(
  `the look of each view${without(missingBrowser)}`,
  () => {
    let views: readonly View[] = []
    const stage = new Stage(SHOP, async (site) => {
      mkdirSync(FOLDER, { recursive: true })
      views = await viewsOf(site)
    })

    for (const viewport of SIZES)
      for (const colorScheme of ['light', 'dark'] as const)
        it(`is in a picture, ${viewport.width} wide and ${colorScheme}`, async () => {
          const options = { viewport, colorScheme, reducedMotion: 'reduce' } as const
          const take = (name: string) => `${FOLDER}${path.sep}${name}-${viewport.width}-${colorScheme}.png`
          for (const who of new Set(views.map((view) => view.who))) {
            await using visitor = await stage.arrive(options)
            const { page } = visitor
            if (who === undefined) {
              await visitor.goTo('/sign-in')
              await page.getByLabel('Token').waitFor()
              await page.screenshot({ path: take('sign-in') })
            }
            await visitor.signIn(who === undefined ? stage.site.token : stage.site.tokenOf(who))
            for (const view of views.filter((one) => one.who === who)) {
              await visitor.goTo(view.path)
              await visitor.settled()
              await view.open?.(page)
              await page.screenshot({ path: take(view.name), animations: 'disabled' })
            }
          }
        }, 300_000)
  },
)
