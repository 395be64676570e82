import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { outer } from '../../support/machine/own-folders.ts'
import type { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const FOLDER = outer['PICTURES_TO']
const MORE_WINDOWS = [
  { width: 1024, height: 768 },
  { width: 1440, height: 900 },
]

interface MadeSession {
  readonly stage: Stage
  /** Changes the gateway's answer about the session. @param url the address that was asked for */
  readonly change: (session: object, url: string) => object
  /** Runs before the session is opened. */
  readonly prepare?: (visitor: Visitor) => Promise<unknown>
  readonly options?: object
}

/** Opens a session that the gateway has, with facts that a test has made. */
export async function openMadeSession({ stage, change, prepare, options }: MadeSession): Promise<Visitor> {
  const { body } = await stage.site.rest.script('bash', 'echo')
  const visitor = await stage.enter('/agents', options)
  await visitor.page.route(new RegExp(`/api/sessions/${body.session_id}(\\?.*)?$`), async (route) => {
    const reply = await route.fetch()
    await route.fulfill({ json: change((await reply.json()) as object, route.request().url()) })
  })
  await prepare?.(visitor)
  await visitor.goTo(`/sessions/${body.session_id}`)
  await visitor.settled()
  return visitor
}

/** Leaves pictures of the view in PICTURES_TO, at three widths and in both themes. */
export async function picturesOf({ page }: Visitor, name: string): Promise<void> {
  const present = page.viewportSize()
  if (FOLDER === undefined || present === null) return
  mkdirSync(FOLDER, { recursive: true })
  for (const viewport of [present, ...MORE_WINDOWS])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme })
      const file = `${name}-${viewport.width}-${colorScheme}.png`
      await page.screenshot({ path: path.join(FOLDER, file), animations: 'disabled' })
    }
  await page.setViewportSize(present)
}
